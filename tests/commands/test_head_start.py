"""A plan of many files asks for what it surely reads while they are loaded, and says the same."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from stemctl.core.snapshot import Snapshot
from stemctl.manifests import load
from stemctl.manifests.file_loader import FileLoader
from stemctl.planning.matching import identify
from stemctl.state.store import Store
from stemctl.util.timestamps import utc_now
from tests.bench import nested_labs
from tests.security.wire import ADDRESS, CANARY, CONFIG, Wire, tapped
from tests.support.lab import Lab, Result

MANY, PER_FILE = 250, 5


@dataclass
class Both:
    """A lab on a server, and each plan of it made with a head start and without."""

    lab: Lab
    wire: Wire
    monkeypatch: pytest.MonkeyPatch

    def plan(self, *arguments: str) -> tuple[Result, list[str]]:
        """What a plan says, and what was requested, in any order."""
        self.wire.requests.clear()
        said = self.lab.run("plan", *arguments, token=CANARY)
        return said, sorted(f"{sent.method} {sent.url}" for sent in self.wire.requests)

    def plans(self, *arguments: str) -> list[tuple[Result, list[str]]]:
        """The same with a head start, and without."""
        with self.monkeypatch.context() as patch:
            patch.setattr(load, "MANY_FILES", 2)
            ahead = self.plan(*arguments)
        return [ahead, self.plan(*arguments)]


@pytest.fixture
def both(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """A lab of files whose records were applied: three pages on the server."""
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    lab.write("stemctl.yaml", CONFIG)
    declare(lab)
    with tapped(monkeypatch) as wire:
        assert lab.run("apply", "-y", token=CANARY).code == 0
        yield Both(lab, wire, monkeypatch)


def declare(lab: Lab, text: str = "Day {}.", number: int = MANY) -> None:
    """Write sessions, a few in each file."""
    for start in range(0, MANY, PER_FILE):
        numbers = range(start, min(start + PER_FILE, max(number, start)))
        records = [f"{{name: s{n}, description: {text.format(n)!r}}}" for n in numbers]
        lab.sessions(*records, name=f"records/s{start}.yaml")


def edit_file(both: Both) -> None:
    declare(both.lab, "Another day {}.")


def take_from_files(both: Both) -> None:
    declare(both.lab, number=MANY - 20)


def forget(both: Both) -> None:
    take_from_files(both)
    both.lab.write("records/forget.yaml", "forget: [session/s249]")


def answer_pages(both: Both, answer: Any) -> None:
    """Answer every page of the sessions but the first."""
    both.wire.fault = lambda sent: (
        answer(sent) if "session/?" in str(sent.url) and "offset=0" not in str(sent.url) else None
    )


def lose_pages(both: Both) -> None:
    answer_pages(both, lambda sent: httpx.Response(502))


def show_pages_of_a_site(both: Both) -> None:
    answer_pages(both, lambda sent: httpx.Response(200, html="<html>Sign in</html>"))


def cut_pages(both: Both) -> None:
    answer_pages(both, lambda sent: httpx.Response(200, content=b'{"sessions": [{"id'))


def say_no(both: Both) -> None:
    both.wire.fault = lambda sent: httpx.Response(401, json={"detail": "Invalid token."})


def forbid_lists(both: Both) -> None:
    both.wire.fault = lambda sent: (
        httpx.Response(403, json={"detail": "No."}) if "session/?" in str(sent.url) else None
    )


def be_away(both: Both) -> None:
    def refuse(sent: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed")

    both.wire.fault = refuse


def damage_state(both: Both) -> None:
    (path,) = both.lab.root.glob("*.state.json")
    path.write_text(path.read_text().replace("Day 3.", "Day 4."), encoding="utf-8")


def forget_most(both: Both) -> None:
    """The state knows few records of a long list."""
    for path in (both.lab.root / "records").glob("*.yaml"):
        path.unlink()
    both.lab.sessions("{name: s0, description: Day 0.}", name="records/a.yaml")
    both.lab.sessions("{name: s249, description: Day 249.}", name="records/b.yaml")
    words = [f"session/s{n}" for n in range(1, 249)]
    assert both.lab.run("state", "rm", *words).code == 0


def nothing(both: Both) -> None:
    pass


CASES = [
    (nothing, 0),
    (edit_file, 0),
    (take_from_files, 0),
    (forget, 0),
    (forget_most, 0),
    (lose_pages, None),
    (show_pages_of_a_site, None),
    (cut_pages, None),
    (say_no, 1),
    (forbid_lists, None),
    (be_away, 1),
    (damage_state, 1),
]


IN_VAIN = (say_no, forbid_lists, be_away)
"""Cases where the first page says that no other one is needed."""

TWICE = (lose_pages, show_pages_of_a_site, cut_pages)
"""Cases where a list fails while files are loaded, and once more."""


@pytest.mark.parametrize("happen, code", CASES, ids=[case[0].__name__ for case in CASES])
def test_it_says_and_requests_the_same(both: Both, happen: Any, code: int | None) -> None:
    happen(both)
    (ahead, requests), (plain, plain_requests) = both.plans("-o", "json")
    assert (ahead.code, ahead.out, ahead.err) == (plain.code, plain.out, plain.err)
    assert code in (None, ahead.code)
    if happen in IN_VAIN:
        assert set(plain_requests) < set(requests)
        assert len(set(requests) - set(plain_requests)) == 2
    elif happen in TWICE:
        assert set(requests) == set(plain_requests)
    else:
        assert requests == plain_requests


@pytest.mark.parametrize(
    "old, new",
    [
        ("", ""),
        ("Forced alternation", "Free alternation"),  # sessions
        ("30 kHz", "25 kHz"),  # data acquisitions in them
        ("302 g", "300 g"),  # entries in logs
        ("      - key: b\n        procedures", "      - key: c\n        procedures"),  # renamed
    ],
)
def test_nested_records_and_entries_too(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    nested_labs.write_lab(lab.root, 30, ADDRESS, per_file=5)
    with tapped(monkeypatch, "2026", nested_labs.SEED) as wire:
        assert lab.run("apply", "-y", token=CANARY).code == 0
        for path in (lab.root / "records").glob("*.yaml"):
            path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        (ahead, requests), plain = Both(lab, wire, monkeypatch).plans("-o", "json")
    assert ahead.code == 0, ahead.said
    assert (ahead, requests) == plain


@pytest.mark.parametrize("late", ["offset=", "offset=200"])
def test_a_list_that_failed_while_files_were_loaded_is_read_again(
    both: Both, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that takes longer than a request waits looks like a server that does not answer. Of a
    list, a page may be what is missing.
    """

    def be_late(sent: httpx.Request) -> httpx.Response | None:
        if late not in str(sent.url) or (both.lab.root / "loaded").exists():
            return None
        if late == "offset=":
            raise httpx.ReadTimeout("too late")
        return httpx.Response(502)

    real = load.loading_repository

    def loading(*arguments: Any, **options: Any) -> Any:
        found = yield from real(*arguments, **options)
        (both.lab.root / "loaded").touch()
        return found

    monkeypatch.setattr("stemctl.commands.loading.loading_repository", loading)
    monkeypatch.setattr(load, "MANY_FILES", 2)
    both.wire.fault = be_late
    ahead, requests = both.plan("-o", "json")
    assert ahead.code == 0, ahead.said
    assert len(requests) > len(set(requests))


@pytest.mark.parametrize("words", [["s3"], ["session/s1*"], ["--exclude", "s7"]])
def test_a_part_is_read_alone(both: Both, words: list[str]) -> None:
    (ahead, requests), (plain, plain_requests) = both.plans("-o", "json", *words)
    assert ahead.out == plain.out
    assert requests == plain_requests


def test_pages_are_requested_before_all_files_are_loaded(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[int] = []
    real = FileLoader.manifests

    def manifests(self: FileLoader, files: Any) -> Any:
        loaded.append(len(both.wire.requests))
        return real(self, files)

    monkeypatch.setattr(FileLoader, "manifests", manifests)
    monkeypatch.setattr("stemctl.manifests.second_core.is_there", lambda: False)
    both.plans()
    *ahead, plain = loaded
    assert (len(ahead), plain) == (MANY // PER_FILE, 0)
    assert ahead[-1] == 3  # of the sandbox in this process, all pages


def test_the_reading_began_before_its_first_request_and_after_the_state_was_read(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in doubt is settled by a reading that began long enough after it was sent; what
    another run applies after the state was read must not look like a change of a colleague.
    """
    read: list[datetime.datetime] = []
    real = Store.read

    def noting_state(self: Store) -> Any:
        state = real(self)
        read.append(utc_now())
        return state

    monkeypatch.setattr(Store, "read", noting_state)
    sent: list[datetime.datetime] = []
    began: list[datetime.datetime] = []
    both.wire.fault = lambda request: sent.append(utc_now())

    def noting(repository: Any, state: Any, snapshot: Snapshot, catalog: Any) -> Any:
        assert snapshot.began is not None
        began.append(snapshot.began)
        return identify(repository, state, snapshot, catalog)

    monkeypatch.setattr("stemctl.commands.plan.identify", noting)
    monkeypatch.setattr(load, "MANY_FILES", 2)
    both.plan()
    assert read[0] <= began[0] <= sent[0]
    assert len(read) == 1


@pytest.mark.parametrize("happen", [nothing, be_away, say_no, damage_state])
@pytest.mark.parametrize("text", ["sessions: [{nam: x}]", "sessions: ["])
def test_errors_of_the_files_come_first(both: Both, happen: Any, text: str) -> None:
    happen(both)
    both.lab.write("records/z.yaml", text)
    (ahead, requests), (plain, plain_requests) = both.plans()
    assert ahead.code == plain.code == 1
    assert plain_requests == []
    assert all(sent.startswith("GET") for sent in requests)
    assert ahead.said == plain.said.replace("Nothing was read or sent.", "Nothing was sent.")
    assert "z.yaml:1" in ahead.said


def test_what_is_given_up_is_not_heard_of_again(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    be_away(both)
    both.lab.write("records/z.yaml", "sessions: [{nam: x}]")
    both.plans()
    assert caplog.records == []
