"""Answers from anything that listens: a message or a result, never a bug, and nothing hangs or
grows without end.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chaos import HOSTILE_TEXT, MUTATIONS, Mutation, as_text, mutated
from tests.support.effort import examples
from tests.support.lab import Lab

Spoil = Callable[[httpx.Response], httpx.Response]

COMMANDS = [
    ["plan"],
    ["plan", "-o", "json"],
    ["plan", "-o", "html"],
    ["plan", "-o", "markdown"],
    ["plan", "-o", "github"],
    ["plan", "--allow", "delete", "--allow", "revert", "--allow", "replace", "--resubmit"],
    ["apply", "-y"],
    ["apply", "-y", "--allow", "delete", "--allow", "revert", "--allow", "replace", "--resubmit"],
    ["apply", "-y", "-o", "json", "--allow", "delete"],
    ["apply", "-y", "-o", "github", "--allow", "revert"],
    ["get", "session"],
    ["get", "session", "edited"],
    ["get", "session", "-o", "yaml"],
    ["get", "session", "-o", "json"],
    ["get", "sensorystimulustype", "-o", "yaml"],
    ["get", "project"],
    ["show", "session/edited"],
    ["show", "session/edited", "-o", "json"],
    ["approvals", "list"],
    ["approvals", "show", "sensorystimulustype/Air puff"],
    ["approvals", "accept", "sensorystimulustype/Air puff"],
    ["drift"],
    ["drift", "-o", "json"],
    ["resolve", "session/conflict"],
    ["pull", "--all", "--dry-run"],
    ["pull", "session", "--dry-run", "-o", "json", "--all-fields"],
    ["validate", "--online"],
    ["doctor"],
]


class Applied:
    """A lab with changes of every kind to apply, restored before each command."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(self, command: list[str], which: int, every: int, spoil: Spoil) -> None:
        """A command while one answer, or each so many, is spoiled."""
        shutil.rmtree(self.lab.root / ".stemctl")
        shutil.copytree(self.lab.root / "kept", self.lab.root / ".stemctl")
        count = 0

        def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
            nonlocal count
            count += 1
            assert count < 500, "requests without end"
            return spoil(response) if count % every == which % every else response

        self.lab.after = after
        result = self.lab.run(*command, token="sandbox-admin" if "accept" in command else None)
        assert result.code in (0, 1, 3), (command, result.said)
        if result.code == 1 and "-o" not in command:
            assert result.said.strip(), command
        if command[-1:] == ["json"]:
            json.loads(result.out)


@pytest.fixture
def applied(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Applied:
    """Adoptions, edits, conflicts, drift, a proposal that waits and one that is to be sent."""
    monkeypatch.setattr("stemctl.client.retry.backoff", lambda attempt: 0.0)
    types = "sensory_stimulus_types:\n  - {name: Air puff, description: Puff}\n"
    lab.write("records/s.yaml", types)
    lab.sessions(
        "{name: edited, description: One., date_time: 2024-03-12T14:00:00Z}",
        "{name: conflict, description: One.}",
        "{name: drifted, tags: [a, b], extra_fields: {room: B115}}",
        "{name: left, description: Going.}",
    )
    lab.apply()
    with lab.database() as database:
        database.seed(
            {"sessions": [{"name": "found", "projects": ["Theta Maze Study"], "tags": ["theirs"]}]}
        )
    lab.edit("session", "conflict", description="Theirs.")
    lab.edit("session", "drifted", tags=["a"], extra_fields={"room": "B116"})
    lab.sessions(
        "{name: edited, description: Two., extra_fields: {room: B115}, tags: [x],"
        " date_time: 2024-03-12}",
        "{name: conflict, description: Two.}",
        "{name: drifted, tags: [a, b, c], extra_fields: {room: B117}}",
        "{name: found, tags: [ours], description: Filled in.}",
        "{name: new, download_links: [{Repository: DANDI, URL: 'https://dandiarchive.org/1'}]}",
    )
    lab.write("records/s.yaml", f"{types}  - {{name: Auditory, description: Sound}}\n")
    shutil.copytree(lab.root / ".stemctl", lab.root / "kept")
    return Applied(lab)


WHICH = st.integers(0, 20)
EVERY = st.sampled_from([1, 2, 3, 5, 30])


@dataclass(frozen=True)
class Spoiled:
    """The same answer, but for what is given."""

    content: bytes | None = None
    status: int | None = None
    headers: tuple[tuple[str, str | bytes], ...] = ()

    def __call__(self, response: httpx.Response) -> httpx.Response:
        headers = [(k.encode(), v.encode() if isinstance(v, str) else v) for k, v in self.headers]
        content = response.content if self.content is None else self.content
        kept = [] if headers else [(b"Content-Type", b"application/json")]
        return httpx.Response(
            self.status or response.status_code, headers=[*kept, *headers], content=content
        )


STATUSES = st.sampled_from(
    [
        *(
            200,
            201,
            204,
            206,
            300,
            301,
            302,
            304,
            307,
            400,
            401,
            403,
            404,
            405,
            409,
            410,
            418,
            422,
            429,
        ),
        *(500, 501, 502, 503, 504, 599),
    ]
)
BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b" ",
            b"[" * 100_000,
            b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
            b'{"sessions": NaN}',
            b'{"sessions": [], "count": 1e999}',
            b'{"detail": "\\ud800"}',
            b'{"sessions": [{"id": "a", "name": "\\udfff"}]}',
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            b"9" * 10_000,
            b"<html>" + b"<title" * 20_000,
            b"<title>\x1b[31m</title>",
            b'{"detail": "' + b"x" * 100_000 + b'"}',
            b"[[[[]]]]",
            b'[{"a": [{"b": ["c"]}]}, null, 1]',
            b"{" + b",".join(b'"k%d": ["x"]' % i for i in range(2_000)) + b"}",
        ]
    ),
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(
            st.just("Location"),
            st.sampled_from([*HOSTILE_TEXT[3:8], "//elsewhere.example", "file:///etc/passwd"]),
        ),
        st.tuples(
            st.just("Retry-After"),
            st.sampled_from(["0", "-1", "x", "", "1.5", "\u00b2", "Wed, 21 Oct 2015 07:28:00 GMT"]),
        ),
        st.tuples(
            st.just("Content-Type"),
            st.sampled_from(
                [
                    "",
                    "text/html",
                    "application/json; charset=hex",
                    "x; charset=utf-16",
                    "image/png",
                    ";;",
                ]
            ),
        ),
        st.tuples(
            st.just("Content-Encoding"), st.sampled_from(["gzip", "deflate", "br", "nonsense", ""])
        ),
        st.tuples(
            st.just("Set-Cookie"),
            st.sampled_from(["a=b", "=", "a=b; Expires=x; Domain=..", "\x9b"]),
        ),
        st.tuples(st.just("Link"), st.sampled_from(HOSTILE_TEXT[:6])),
    ).filter(lambda pair: "\n" not in pair[1] and "\x00" not in pair[1]),
    max_size=3,
).map(tuple)


@examples(50)
@given(
    command=st.sampled_from(COMMANDS),
    content=st.none() | BODIES,
    status=st.none() | STATUSES,
    headers=HEADERS,
    which=WHICH,
    every=EVERY,
)
def test_a_broken_answer(
    applied: Applied,
    command: list[str],
    content: bytes | None,
    status: int | None,
    headers: tuple[tuple[str, str], ...],
    which: int,
    every: int,
) -> None:
    applied.run(command, which, every, Spoiled(content, status, headers))


@examples(50)
@given(
    command=st.sampled_from(COMMANDS),
    mutations=st.lists(MUTATIONS, min_size=1, max_size=2),
    which=WHICH,
    every=EVERY,
)
def test_a_sound_answer_with_something_wrong_in_it(
    applied: Applied, command: list[str], mutations: list[Mutation], which: int, every: int
) -> None:
    def spoil(response: httpx.Response) -> httpx.Response:
        if not response.content:
            return response
        text = as_text(mutated(response.json(), mutations))
        return httpx.Response(
            response.status_code, text=text, headers={"Content-Type": "application/json"}
        )

    applied.run(command, which, every, spoil)


def test_a_server_that_includes_related_records_unasked(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b}")
    lab.apply()
    lab.sessions("{name: a, description: Two.}")

    def included(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        document = json.loads(response.content)
        for record in document.get("sessions", []):
            record["projects"] = [
                {"id": id_, "name": "Theta Maze Study"} for id_ in record["projects"]
            ]
        return httpx.Response(response.status_code, json=document)

    lab.after = included
    result = lab.run("plan", "--allow", "delete")
    assert result.code == 0, result.said
    assert "1 to delete" in result.out


def test_a_server_that_says_more_than_it_has_is_not_asked_for_all_of_it(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()

    def boasting(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        document = json.loads(response.content)
        document["meta"] = {"total_results": 20_000}
        return httpx.Response(response.status_code, json={**document, "count": 20_000})

    lab.after = boasting
    result = lab.run("get", "session")
    assert result.code == 1
    assert "the server counts 20,000 records, but listed 1" in result.err
    assert len(lab.requests) < 300
