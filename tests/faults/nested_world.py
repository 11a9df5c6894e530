"""A random lab of edition 2026: sessions and subjects with what is nested in them, most of it
without a unique name.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.bench.nested_labs import PROJECT, SEED

CONFIG = "servers: {sandbox: {url: 'sandbox:', edition: 2026, seed: seed.yaml}}\n"
DEFAULTS = {
    "sessions": {"projects": [PROJECT]},
    "subjects": {"projects": [PROJECT], "strain": "Long Evans", "sex": "U"},
    "behaviors": {"setup": "Maze room", "behavioralassay": "Alternation"},
    "data_acquisitions": {"type": "ExtracellularEphys"},
    "procedures": {
        "type": "SiliconProbeImplant",
        "coordinates_system": "Stereotaxic_BregmaAbsolute",
    },
    "subject_logs": {"type": "Weighing"},
}
_MODULES = {
    "behavior": "behaviors",
    "dataacquisition": "data_acquisitions",
    "procedure": "procedures",
    "subjectlog": "subject_logs",
}
"""Models without a name, and the keys of their lists in answers."""

_FOREIGN = "not yours"

_SHARED = {"s00", "s01"}
"""Sessions in which a colleague works, too: the deletion of one would be held."""

Records = list[dict[str, Any]]


class NestedWorld:
    """A repository and a server, both random; what may be on the server in the end is known.

    Every record of ours has notes, or weights, that no other has: so the check can tell them apart
    though the server cannot.
    """

    config = CONFIG
    seed = SEED
    kills = 0.6

    def __init__(self, seed: int, root: Path, url: str) -> None:
        self.chance = random.Random(seed)
        self.url = url
        self.root = root
        self.number = 0
        (root / "records").mkdir(parents=True)
        (root / "stemctl.yaml").write_text(
            f"default_server: lab\nservers:\n  lab: {{url: '{url}', edition: 2026}}\n"
        )
        self.subjects = {f"rat{number}": self._subject() for number in range(4)}
        self.sessions = {f"s{number:02}": self._session() for number in range(10)}
        self.moved: list[dict[str, str]] = []
        self.deleted: list[str] = []
        self.foreign: dict[str, list[str]] = {}

    def _note(self) -> str:
        self.number += 1
        return f"Note {self.number}."

    def _subject(self) -> dict[str, Any]:
        chance = self.chance
        procedures = [
            {"key": f"p{number}", "notes": self._note(), "details": {"probeId": f"A{number}"}}
            for number in range(chance.randrange(3))
        ]
        entries = [self._entry(day) for day in range(1, 1 + chance.randrange(3))]
        return {
            "procedures": procedures,
            "subject_logs": [{"key": "weight", "description": self._note(), "entries": entries}],
        }

    def _entry(self, day: int) -> dict[str, Any]:
        moment = f"2024-03-{day:02}T08:00:00Z"
        self.number += 1
        return {"date_time": moment, "details": {"weight": f"{300 + self.number} g"}}

    def _session(self) -> dict[str, Any]:
        acquisitions = [self._acquisition(f"a{n}") for n in range(self.chance.randrange(3))]
        session: dict[str, Any] = {"data_acquisitions": acquisitions}
        if self.chance.random() < 0.7:
            subjects = self.chance.sample(sorted(self.subjects), 1)
            session["behaviors"] = [{"notes": self._note(), "subjects": subjects}]
        return session

    def _acquisition(self, key: str) -> dict[str, Any]:
        details = {"sr": self.chance.choice(["20 kHz", "30 kHz"]), "nChannels": 64}
        return {"key": key, "notes": self._note(), "details": details}

    def write(self) -> None:
        """Write the files: one for sessions, one for subjects, one for the rest."""
        files = {
            "sessions": {"sessions": _named(self.sessions)},
            "subjects": {"subjects": _named(self.subjects)},
            "rest": {"moved": self.moved, "deleted": self.deleted},
        }
        for name, part in files.items():
            data = part if name == "rest" else {"defaults": DEFAULTS, **part}
            (self.root / "records" / f"{name}.yaml").write_text(yaml.safe_dump(data))

    def edit(self) -> None:
        """Edit, delete, create, rename and move some of everything."""
        chance = self.chance
        free = sorted(self.sessions.keys() - _SHARED)
        gone = chance.sample(free, 2)
        for name in gone:
            del self.sessions[name]
            self.deleted.append(f"session/{name}")
        for name in chance.sample(sorted(set(free) - set(gone)), 2):  # a new key, under the same id
            self.sessions[f"new {name}"] = self.sessions.pop(name)
            self.moved.append({"from": f"session/{name}", "to": f"session/new {name}"})
        for session in self.sessions.values():
            self._edit_session(session)
        for number in range(10, 16):
            self.sessions[f"s{number}"] = self._session()
        for name, subject in self.subjects.items():
            self._edit_subject(name, subject)
        self.subjects["rat9"] = self._subject()

    def _edit_session(self, session: dict[str, Any]) -> None:
        chance = self.chance
        for record in session.get("behaviors", []):
            if chance.random() < 0.3:
                record["notes"] = self._note()
        for record in session["data_acquisitions"]:
            if chance.random() < 0.3:
                record["notes"] = self._note()
            if chance.random() < 0.3:
                record["details"] = {"sr": "25 kHz"}
        if chance.random() < 0.4:
            session["data_acquisitions"].append(self._acquisition("more"))

    def _edit_subject(self, name: str, subject: dict[str, Any]) -> None:
        log = subject["subject_logs"][0]
        if log["entries"] and self.chance.random() < 0.5:
            moment = log["entries"].pop(0)["date_time"]
            self.deleted.append(f"subjectlogentry/{name}/weight/{moment}")
        for entry in log["entries"]:
            if self.chance.random() < 0.5:
                self.number += 1
                entry["details"] = {"weight": f"{300 + self.number} g"}
        log["entries"].append(self._entry(20 + self.chance.randrange(5)))

    def api(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": "Bearer sandbox-admin"}
        answer = httpx.request(method, f"{self.url}api/private/{path}", json=body, headers=headers)
        assert answer.status_code < 400, answer.text
        return answer.json() if answer.content else None

    def live(self, model: str) -> Records:
        app = "modules" if model in _MODULES else "stem"
        key = _MODULES.get(model, f"{model}s")
        return list(self.api("GET", f"{app}/{model}/?limit=100")[key])

    def colleague(self) -> None:
        """Someone else adds modules and entries to our records."""
        setup = self.api("GET", "personal_attributes/setup/")["setups"][0]["id"]
        assay = self.api("GET", "personal_attributes/behavioralassay/")["behavioralassays"][0]["id"]
        subject = self.live("subject")[0]["id"]
        kept = [r for r in self.live("session") if r["name"] in _SHARED]
        for session in kept:
            body = {"session": session["id"], "notes": _FOREIGN, "subjects": [subject]}
            self.api(
                "POST", "modules/behavior/", {**body, "setup": setup, "behavioralassay": assay}
            )
        log = self.live("subjectlog")[0]["id"]
        entry = {"date_time": "2024-05-01T08:00:00Z", "notes": _FOREIGN}
        details = {"weight": {"value": 1, "unit": "g"}}
        self.api("PATCH", f"modules/subjectlog/{log}/add_entry/", {**entry, "details": details})

    def check(self) -> None:
        """Each intended record once, nothing foreign touched, state and server agree."""
        state = json.loads((self.root / "lab.state.json").read_text())["records"]
        expected = dict(self._expected())
        assert set(state) == set(expected)
        sessions = {record["id"]: record["name"] for record in self.live("session")}
        subjects = {record["id"]: record["name"] for record in self.live("subject")}
        assert sorted(sessions.values()) == sorted(self.sessions)
        assert sorted(subjects.values()) == sorted(self.subjects)
        for model in ("behavior", "dataacquisition", "procedure"):
            parents = subjects if model == "procedure" else sessions
            self._check_modules(model, parents, state, expected)
        self._check_entries(subjects)

    def _check_modules(
        self,
        model: str,
        parents: dict[str, str],
        state: dict[str, Any],
        expected: dict[str, dict[str, Any]],
    ) -> None:
        found = {}
        for record in self.live(model):
            if record["notes"] == _FOREIGN:
                continue
            assert record["notes"] not in found, f"twice: {record}"
            found[record["notes"]] = record
        ours = {a: r for a, r in expected.items() if a.startswith(f"{model}/")}
        assert sorted(found) == sorted(record["notes"] for record in ours.values())
        for address, declared in ours.items():
            record = found[declared["notes"]]
            assert state[address]["id"] == record["id"]
            parent = parents[record["subject" if model == "procedure" else "session"]]
            assert address.split("/")[1] == parent
            for name, value in (declared.get("details") or {}).items():
                assert record["details"][name] == _as_stored(value)

    def _check_entries(self, subjects: dict[str, str]) -> None:
        logs = {subjects[log["subject"]]: log for log in self.live("subjectlog")}
        assert sorted(logs) == sorted(self.subjects)
        for name, subject in self.subjects.items():
            (declared,) = subject["subject_logs"]
            entries = [e for e in logs[name]["entries"] if e["notes"] != _FOREIGN]
            assert sorted((e["date_time"], e["details"]["weight"]["value"]) for e in entries) == (
                sorted(
                    (e["date_time"], _as_stored(e["details"]["weight"])["value"])
                    for e in declared["entries"]
                )
            )

    def _expected(self) -> Any:
        """Every address that is declared, with what is written there."""
        for name, session in self.sessions.items():
            yield f"session/{name}", session
            for record in session.get("behaviors", []):
                yield f"behavior/{name}", record
            for record in session["data_acquisitions"]:
                yield f"dataacquisition/{name}/{record['key']}", record
        for name, subject in self.subjects.items():
            yield f"subject/{name}", subject
            for record in subject["procedures"]:
                yield f"procedure/{name}/{record['key']}", record
            for log in subject["subject_logs"]:
                yield f"subjectlog/{name}/{log['key']}", log
                for entry in log["entries"]:
                    yield f"subjectlogentry/{name}/{log['key']}/{entry['date_time']}", entry


def _named(records: dict[str, dict[str, Any]]) -> Records:
    return [{"name": name, **record} for name, record in records.items()]


def _as_stored(value: Any) -> Any:
    if not isinstance(value, str) or " " not in value:
        return value
    number, unit = value.split(" ")
    return {"value": int(number), "unit": unit}
