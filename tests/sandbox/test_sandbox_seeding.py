"""Seeds of edition 2026: children inside parents, references by label, key or several values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_api import NOBODY, Api

from stemctl.errors import ConfigError
from stemctl.sandbox.database import Database
from stemctl.sandbox.users import USERS
from stemctl.schema.catalog import load_catalog
from tests.support.lab import CONFIG, Lab
from tests.support.paths import PROJECT
from tests.support.small_lab import LAB

TYPE = {"setup_types": [{"name": "Maze", "category": "F"}]}
BASE: dict[str, Any] = {
    **TYPE,
    "projects": [{"name": "P"}],
    "species": [{"name": "Rat"}],
    "strains": [{"name": "Long Evans", "species": "Rat"}],
}
RAT = {"name": "rat", "projects": ["P"], "strain": "Long Evans", "sex": "F"}
PROCEDURE = {"type": "SiliconProbeImplant", "coordinates_system": "External_XYZ_Absolute"}


@pytest.fixture
def api() -> Iterator[Api]:
    database = Database(None, load_catalog("2026"))
    yield Api(database, "admin")
    database.close()


def listed(api: Api, path: str) -> list[dict[str, Any]]:
    answer = api("GET", f"{path}/")
    assert answer.status_code == 200, answer.text
    return list(next(iter(answer.json().values())))


def fails(api: Api, data: dict[str, Any], *told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        api.database.seed(data)
    text = f"{caught.value.what} {caught.value.why}"
    for part in told:
        assert part in text
    assert listed(api, "personal_attributes/setup") == []


def test_children_refer_to_their_parent_and_parents_may_exist(api: Api) -> None:
    assert api.database.seed({**BASE, "subjects": [RAT]}) == 5
    again = {**RAT, "procedures": [PROCEDURE]}
    assert api.database.seed({"subjects": [again]}) == 1
    (subject,), (procedure,) = listed(api, "stem/subject"), listed(api, "modules/procedure")
    assert procedure["subject"] == subject["id"]
    assert subject["procedures"] == [procedure["id"]]


def test_records_are_called_by_key_label_or_several_values(api: Api) -> None:
    api.database.seed({**BASE, "setups": [{"name": "Room", "setup_type": "Maze"}]})
    region = {"name": "Field CA1", "acronym": "CA1", "atlas": "AIA"}
    equipment = {"type": "Camera", "coordinates_system": "External_XYZ_Absolute"}
    data = {
        "brain_regions": [region],
        "equipment": [
            {**equipment, "setup": "Room", "name": "Left"},
            {**equipment, "setup": "Room", "key": "right"},
        ],
        "subjects": [
            {
                **RAT,
                "procedures": [
                    {**PROCEDURE, "brain_region": "AIA/CA1", "equipment": ["Left", "right"]},
                    {**PROCEDURE, "key": "b", "brain_region": "Field CA1"},
                ],
            }
        ],
        "procedure_logs": [
            {"procedure": "rat/b", "type": "Tetrodes4"},
            {"procedure": "b", "type": "Tetrodes8"},
        ],
    }
    assert api.database.seed(data) == 8
    (ca1,) = listed(api, "taxonomies/brainregion")
    first, second = listed(api, "modules/procedure")
    assert first["equipment"] == [found["id"] for found in listed(api, "modules/equipment")]
    assert first["brain_region"] == second["brain_region"] == ca1["id"]
    logs = listed(api, "modules/procedurelog")
    assert {found["procedure"] for found in logs} == {second["id"]}
    # The same names mean records that are there.
    more = {"subjects": [{**RAT, "procedures": [{**PROCEDURE, "brain_region": "AIA/Field CA1"}]}]}
    more["brain_regions"] = [region]
    assert api.database.seed(more) == 1


def test_a_whole_lab_is_seeded_once(api: Api) -> None:
    named = {
        key: records
        for key, records in LAB.items()
        if key in ("users", "groups", "projects", "setups", "brain_regions", "laboratories")
    }
    assert api.database.seed(LAB) == 42
    before = listed(api, "stem/cohort")
    # Children without a name of their own would be added once more.
    named["setups"] = []
    assert api.database.seed(named) == 0
    assert listed(api, "stem/cohort") == before


def test_sections_may_be_spelt_as_in_manifests_or_as_the_service_does(api: Api) -> None:
    api.database.seed({"inventories": [{"name": "Freezer"}]})
    stock = {"type": "SiliconProbe", "inventory": "Freezer"}
    assert api.database.seed({"consumable_stocks": [stock], "consumable stocks": [stock]}) == 2
    assert len(listed(api, "modules/consumablestock")) == 2


def test_numbers_may_be_given(api: Api) -> None:
    groups = [{"name": "A"}, {"id": 70, "name": "B"}, {"name": "C"}]
    assert api.database.seed({"groups": groups}) == 3
    ids = {group["name"]: group["id"] for group in listed(api, "users/group")}
    assert ids == {"A": 71, "B": 70, "C": 72}
    fails(api, {"groups": [{"id": NOBODY, "name": "D"}]}, "groups[1] (D)", "not a number")


def test_what_is_wrong_is_told_with_its_place(api: Api) -> None:
    fails(api, {"entries": []}, "unknown list key: 'entries'")
    fails(api, {"subjects": [{**RAT, "procedure": []}]}, "subjects[1] (rat)", "'procedure'")
    fails(api, {**BASE, "subjects": [{**RAT, "procedures": [3]}]}, "subjects[1].procedures[1]")
    fails(api, {**BASE, "subjects": [{**RAT, "procedures": {}}]}, "under 'subjects[1].procedures'")
    twice = {"setups": [{"name": "Room", "setup_type": "Maze"}] * 2}
    equipment = {"setup": "Room", "type": "Camera"}
    fails(
        api,
        {**TYPE, **twice, "equipment": [equipment]},
        "equipment[1] of the seed, setup: 2 setups have the name 'Room'.",
        "`key`",
    )
    fails(api, {"equipment": [{**equipment, "setup": "No"}]}, "no setup has the name 'No'")
    members = {"users": {"nobody@lab.example": {}}}
    fails(api, {"projects": [{"name": "P", **members}]}, "There is no user 'nobody@lab.example'.")
    groups = {"groups": {"Nobody": {}}}
    fails(api, {"projects": [{"name": "P", **groups}]}, "There is no group 'Nobody'.")


def test_entries_are_checked(api: Api) -> None:
    def log(*entries: dict[str, Any]) -> dict[str, Any]:
        logs = [{"type": "Housing", "entries": list(entries)}]
        return {**BASE, "subjects": [{**RAT, "subject_logs": logs}]}

    stay = {"start_date_time": "2024-03-12T08:00:00Z"}
    place = "subjects[1].subject_logs[1] of the seed cannot be added."
    fails(api, log(stay, stay), place, "start_date_time: There is an entry")
    fails(api, log({}), place, "start_date_time: This field is required.")
    fails(api, log({"date_time": "2024-03-12"}), place, "date_time: Entries of this type")
    entry = "subjects[1].subject_logs[1].entries[2]"
    fails(api, log(stay, {"comment": "x"}), f"{entry} of the seed has unknown fields: 'comment'.")
    # An entry that is a text is what is tested; the types say that it is an object.
    fails(api, log(stay, "x"), f"{entry} of the seed is not an entry.")  # type: ignore[arg-type]


def test_hidden_owners_may_be_given(api: Api) -> None:
    other = {"other@elsewhere.example": {"is_owner": True}}
    setups = [
        {"name": "Ours", "setup_type": "Maze"},
        {"name": "Theirs", "setup_type": "Maze", "owners": other},
        {"name": "Shared", "setup_type": "Maze", "owners": other, "groups": {"Theta Lab": {}}},
    ]
    api.database.seed({**TYPE, "groups": [{"name": "Theta Lab"}], "setups": setups})
    for user, names in (("user", ["Ours", "Shared"]), ("other", ["Theirs", "Shared"])):
        found = listed(api.by(user), "personal_attributes/setup")
        assert [setup["name"] for setup in found] == names


def test_the_users_of_the_sandbox_are_there_and_may_be_seeded_again(api: Api) -> None:
    assert [user["id"] for user in listed(api, "users/user")] == [1, 2, 3, 4]
    known = {"email": "user@lab.example"}
    assert api.database.seed({"users": [known, {"email": "new@lab.example"}]}) == 1
    assert [user["id"] for user in listed(api, "users/user")] == [1, 2, 3, 4, 5]


def test_a_database_with_nothing_but_users_is_new(tmp_path: Any) -> None:
    path, catalog = tmp_path / "sandbox.db", load_catalog("2026")
    for _ in range(2):
        database = Database(path, catalog)
        assert database.is_new
        database.add_accounts()
        database.close()
    database = Database(path, catalog)
    database.seed(TYPE)
    database.close()
    database = Database(path, catalog)
    assert not database.is_new
    database.close()


MANIFEST = """\
setups:
  - {name: Our room, setup_type: Open field}
sessions:
  - name: s1
    projects: [Theta]
    datastorage: [Lab server]
    behaviors:
      - {subjects: [rat1], setup: Maze room, behavioralassay: Forced}
      - {key: b, subjects: [rat1], setup: Our room, behavioralassay: Forced}
subjects:
  - name: rat1
    projects: [Theta]
    strain: Long Evans
    sex: M
    procedures:
      - key: probe
        type: SiliconProbeImplant
        details: {}
        coordinates_system: External_XYZ_Absolute
        coordinates_details: {}
        brain_region: AIA/CA1
laboratories:
  - {key: lab, group: Theta Lab, principal_investigators: [me@lab.example], institution: U}
"""


def test_what_manifests_refer_to_is_seeded_with_what_it_needs(lab: Lab) -> None:
    lab.write("records/all.yaml", MANIFEST)
    servers = 'sandbox: {url: "sandbox:", edition: 2026}'
    lab.write("stemctl.yaml", f"manifests: [records]\nservers:\n  {servers}\n")
    assert lab.run("plan").code == 1
    # A strain needs a species, a setup and an assay a type and a paradigm: examples of the tables.
    assert "Added 12 records" in lab.run("sandbox", "seed").out
    assert "Added 0 records" in lab.run("sandbox", "seed").out
    assert len(lab.plan()["changes"]) == 7
    setups = [setup["name"] for setup in lab.run("get", "setup", "-o", "json").json]
    assert setups == ["Maze room"]
    lab.apply()
    assert lab.plan()["changes"] == []


def test_the_seed_of_the_documentation(lab: Lab) -> None:
    text = (PROJECT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lab.write("seed.yaml", block)
    lab.write("stemctl.yaml", CONFIG.replace("seed: seed", "edition: 2026, seed: seed"))
    (epoch,) = lab.run("get", "epoch", "-o", "json").json
    (acquisition,) = lab.run("get", "dataacquisition", "-o", "json").json
    assert epoch["dataacquisition"] == acquisition["id"]
    users = re.findall(r"^\| `(sandbox-\w+)` \| `([^`]+)` \|", text, re.MULTILINE)
    assert dict(users) == {token: user.email for token, user in USERS.items()}
