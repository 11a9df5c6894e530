"""In which file a new record goes."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stemctl.config.config import Config, load_config
from stemctl.config.file_templates import InvalidTemplate, file_template, option_template
from stemctl.errors import ConfigError
from stemctl.manifests.discovery import find_manifests
from stemctl.manifests.globs import covers
from stemctl.schema.catalog import load_catalog
from stemctl.takeover.record_files import RecordFiles, file_of

CATALOG = load_catalog("2026")
MODELS = CATALOG.models
CONFIG = Config(Path("/nowhere"))


def files(**config) -> RecordFiles:
    layout = config.pop("layout", None)
    return RecordFiles(
        replace(CONFIG, **config), CATALOG, option_template(layout) if layout else None
    )


def test_by_default_a_file_holds_a_month_or_all_records_of_a_model():
    defaults = files()
    session = {"name": "rat12_2024-03-12", "date_time": "2024-03-12T09:00:00Z"}
    assert defaults.file_of(MODELS["session"], session) == "records/sessions/2024-03.yaml"
    assert defaults.file_of(MODELS["session"], {"name": "a"}) == "records/sessions/undated.yaml"
    born = {"name": "rat12", "birth_date": "2023-11-02"}
    assert defaults.file_of(MODELS["subject"], born) == "records/subjects.yaml"
    assert defaults.file_of(MODELS["project"], {"name": "Theta"}) == "records/projects.yaml"


@pytest.mark.parametrize(
    ("entries", "file"),
    [
        (["metadata"], "metadata/projects.yaml"),
        (["lab/a.yaml", "lab/more"], "lab/more/projects.yaml"),
        (["a/**/*.yaml"], "a/projects.yaml"),
        (["."], "records/projects.yaml"),
        (["other", "records"], "records/projects.yaml"),
    ],
)
def test_the_default_is_where_manifests_are(entries, file):
    assert files(manifests=tuple(entries)).file_of(MODELS["project"], {"name": "Theta"}) == file


def test_a_template_has_words_and_dates():
    by_animal = "records/{app}/{model}/{prefix}/{date_time:%Y}.yaml"
    session = {"name": "rat12_maze", "date_time": "2024-03-12T09:00:00+01:00"}
    assert files(layout=by_animal).file_of(MODELS["session"], session) == (
        "records/stem/sessions/rat12/2024.yaml"
    )
    # A model without such a date has no such part; a record without the date has a word for it.
    assert files(layout=by_animal).file_of(MODELS["project"], {"name": "Theta maze"}) == (
        "records/stem/projects/Theta.yaml"
    )
    assert files(layout=by_animal).file_of(MODELS["session"], {"key": "x-1"}) == (
        "records/stem/sessions/x/undated.yaml"
    )


def test_names_that_differ_in_case_are_one_file():
    named = RecordFiles(
        replace(CONFIG, layout=file_template("records/{name}.yaml")),
        CATALOG,
        known=["records/Theta.yaml"],
    )
    project = MODELS["project"]
    assert named.file_of(project, {"name": "THETA"}) == "records/Theta.yaml"
    assert named.file_of(project, {"name": "Straße"}) == "records/Straße.yaml"
    assert named.file_of(project, {"name": "STRASSE"}) == "records/Straße.yaml"


def test_a_file_that_would_not_be_read_is_an_error():
    with pytest.raises(ConfigError) as caught:
        files(layout="other/{model}.yaml").file_of(MODELS["project"], {"name": "Theta"})
    assert "other/projects.yaml would not be read" in caught.value.what
    assert "--layout other/{model}.yaml" in caught.value.why


def test_a_date_that_no_model_has_is_an_error():
    with pytest.raises(ConfigError) as caught:
        files(layout="records/{model}/{datetime:%Y}.yaml")
    assert "no model of edition 2026 has the date `datetime`" in caught.value.what
    assert "`date_time`" in caught.value.why


HOSTILE = {
    "/etc/passwd": "what",
    "../../x.yaml": "what",
    "records/../x.yaml": "`..`",
    "~/x.yaml": "below",
    "C:/x.yaml": "below",
    "records\\x.yaml": "characters",
    "records/{model}": "does not end in .yaml",
    "records/{model}.yml": "records/{model}.yaml",
    "records//{model}.yaml": "no name",
    ".git/{model}.yaml": "hidden",
    "records/con.yaml": "reserved",
    "records/_defaults.yaml": "reserved",
    "records/{nmae}.yaml": "Write `{name}`",
    "records/{model.yaml": "other half",
    "records/{name:%Y}.yaml": "takes no format",
    "records/{date_time:%c}.yaml": "format of a date",
    "records/{date_time:%Y/%m}.yaml": "format of a date",
    "records/{date_time}.yaml": "its format",
    "records/a\x07.yaml": "characters",
    "records/x /{name}.yaml": "space",
    "a" * 300 + ".yaml": "too long",
}


@pytest.mark.parametrize(("template", "said"), HOSTILE.items(), ids=[t[:30] for t in HOSTILE])
def test_a_template_that_some_system_refuses_is_an_error(template, said):
    with pytest.raises(InvalidTemplate) as caught:
        file_template(template)
    text = f"{caught.value.what}. {caught.value.remedy}"
    assert said == "what" or said in text
    assert "\x07" not in text
    assert re.search("Write|Use|Remove|Choose", caught.value.remedy)


def test_the_file_of_the_configuration_has_a_place_and_a_remedy(tmp_path):
    (tmp_path / "stemctl.yaml").write_text(
        "default_server: sandbox\nlayout: records/{nmae}.yaml\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert caught.value.what == "stemctl.yaml:2:9: `layout`: unknown word `{nmae}`."
    assert caught.value.why == "Write `{name}`."


NAMES = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "..",
            ".git",
            "con",
            "NUL.x",
            "_defaults",
            "a" * 500,
            "é" * 300,
            "a/b",
            "x.",
            " ",
            "stemctl",
        ]
    ),
)
TEMPLATES = st.sampled_from(
    ["{name}.yaml", "{prefix}/{name}.yaml", "records/{name}/{model}.yaml", "a {name}b/{name}.yaml"]
)


@given(TEMPLATES, NAMES)
def test_any_name_makes_a_file_that_is_safe_and_read(tmp_path_factory, template, name):
    path = file_of(file_template(template), MODELS["project"], {"name": name})
    assert path.endswith(".yaml")
    assert path != "stemctl.yaml"
    for part in path.split("/"):
        assert part
        assert not part.startswith((".", " "))
        assert not part.endswith((".", " "))
        assert len(part.encode()) <= 210
        assert not re.search(r'[\x00-\x1f<>:"|?*\\~]', part)
        assert not re.fullmatch("(?i)con|nul", part.partition(".")[0])
    root = tmp_path_factory.mktemp("names")
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("", encoding="utf-8")
    found = find_manifests(root, ["."], ignore_gitignore=True)
    assert found.manifests == (path,)
    assert not found.problems


PARTS = st.sampled_from(["a", "b", "a*", "**", "?", "[ab]", "records"])


@given(
    st.lists(PARTS, min_size=1, max_size=4).map("/".join),
    st.lists(st.sampled_from(["a", "b", "ab", "records"]), min_size=1, max_size=4).map("/".join),
)
def test_a_path_is_covered_exactly_if_the_file_would_be_found(tmp_path_factory, entry, folder):
    root = tmp_path_factory.mktemp("covered")
    path = f"{folder}/c.yaml"
    os.makedirs(root / folder)
    (root / path).write_text("", encoding="utf-8")
    found = find_manifests(root, [entry], ignore_gitignore=True)
    assert (path in found.manifests) == covers(entry, path)
