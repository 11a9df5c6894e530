"""The records of past runs: compressed, listed without reading them whole, and pruned."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemctl.commands.runs import limit_of
from stemctl.errors import ConfigError
from stemctl.state import run_log
from stemctl.state.packed_run import ends_of_lines, ends_of_packed, pack, unpacked
from tests.support.lab import Lab

FOLDER = Path(".stemctl/runs/sandbox")


@pytest.fixture
def ran(lab: Lab) -> Lab:
    """A lab with two runs."""
    lab.sessions("{name: a}")
    lab.apply()
    lab.sessions("{name: a, description: Text.}")
    lab.apply()
    return lab


def records(lab: Lab) -> list[Path]:
    return sorted((lab.root / FOLDER).iterdir())


def copies(lab: Lab, number: int, first: datetime.datetime) -> None:
    """Records of older runs, one each day, with the content of the last one."""
    lines = gzip.decompress(records(lab)[-1].read_bytes()).splitlines(keepends=True)
    head = json.loads(lines[0])
    for day in range(number):
        run = f"{first + datetime.timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"
        text = json.dumps({**head, "run": run}).encode() + b"\n" + b"".join(lines[1:])
        path = lab.root / FOLDER / f"{run.replace(':', '')}.jsonl"
        path.write_bytes(text)
        pack(path, path.with_name(path.name + ".gz"))


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=6))
def test_what_is_packed_comes_out_and_its_ends_are_read_alone(lines: list[bytes]) -> None:
    content = b"".join(line + b"\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "a.jsonl", Path(folder) / "a.jsonl.gz"
        source.write_bytes(content)
        pack(source, target)
        assert not source.exists()
        assert unpacked(target.read_bytes(), "a") == content
        assert ends_of_packed(target) == ends_of_lines(io.BytesIO(content))
        assert gzip.decompress(target.read_bytes()) == content


def test_the_records_of_runs_are_compressed_and_shown_as_before(ran: Lab) -> None:
    assert [path.suffix for path in records(ran)] == [".gz", ".gz"]
    listed = ran.run("runs", "list", "-o", "json").json
    assert [run["numbers"] for run in listed] == [{"applied": 1}, {"applied": 1}]
    assert "session/a" in ran.run("runs", "show", listed[0]["run"]).out
    assert "name: a" in ran.run("runs", "show", listed[0]["run"], "-o", "yaml").out


def test_a_list_reads_the_ends_of_records_alone(ran: Lab) -> None:
    (path, _) = records(ran)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert len(ran.run("runs", "list", "-o", "json").json) == 2
    name = path.name.removesuffix(".jsonl.gz")
    run = f"{name[:13]}:{name[13:15]}:{name[15:]}"
    result = ran.run("runs", "show", run)
    assert result.code == 1
    assert f"{FOLDER}/{path.name} is damaged" in result.err
    assert f"rm {FOLDER}/{path.name}" in result.err


def test_a_record_that_was_not_compressed_is_compressed_after_the_next_run(ran: Lab) -> None:
    for path in records(ran):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    assert len(ran.run("runs", "list", "-o", "json").json) == 2, "each run once"
    for path in records(ran):
        if path.suffix == ".gz":
            path.unlink()
    assert len(ran.run("runs", "list", "-o", "json").json) == 2
    ran.sessions("{name: a, description: New.}")
    ran.apply()
    assert [path.suffix for path in records(ran)] == [".gz"] * 3


def test_a_run_ends_well_if_its_record_cannot_be_compressed(
    ran: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_log, "pack", full)
    ran.sessions("{name: a, description: New.}")
    ran.apply()
    assert len(ran.run("runs", "list", "-o", "json").json) == 3


def test_prune_keeps_the_latest(ran: Lab) -> None:
    copies(ran, 10, datetime.datetime(2024, 1, 1))
    result = ran.run("runs", "prune", "--keep", "3")
    assert result.code == 0
    assert result.out.startswith("Removed 9 run records (0.0 MB); 3 are left.")
    listed = [run["run"] for run in ran.run("runs", "list", "-o", "json").json]
    assert len(listed) == 3
    assert listed[-1] == "2024-01-10T00:00:00Z"
    assert ran.run("runs", "prune", "--keep", "3").out.startswith("Removed nothing: 3 are left.")
    assert ran.run("runs", "prune", "--keep", "1").out.startswith("Removed 2 run records")
    ran.apply()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--older-than", "2024-01-05"], 2 + 6),
        (["--older-than", "1d"], 2),
        (["--older-than", "9999y"], None),
        (["--older-than", "90y"], 2 + 10),
        (["--older-than", "1d", "--keep", "5"], 5),
        (["--older-than", "2024-01-05", "--keep", "1"], 2 + 6),
    ],
)
def test_prune_by_age(ran: Lab, options: list[str], left: int | None) -> None:
    copies(ran, 10, datetime.datetime(2024, 1, 1))
    result = ran.run("runs", "prune", *options)
    assert result.code == (1 if left is None else 0)
    assert len(records(ran)) == (12 if left is None else left)


def test_the_last_record_stays_even_if_it_is_old(lab: Lab) -> None:
    lab.sessions("{name: a}")
    lab.apply()
    tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    lab.run("runs", "prune", "--older-than", f"{tomorrow:%Y-%m-%d}")
    assert len(records(lab)) == 1
    assert lab.plan()["changes"] == []


@pytest.mark.parametrize("age", ["", "90", "d90", "-1d", "90 d", "1.5d", "yesterday", "2024-02-30"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    with pytest.raises(ConfigError, match="--older-than cannot be"):
        limit_of(age)


def test_prune_alone_asks_what_to_remove(ran: Lab) -> None:
    result = ran.run("runs", "prune")
    assert result.code == 1
    assert "Say which records of runs to remove." in result.err
    assert "runs prune --keep 100" in result.err
    assert len(records(ran)) == 2


def test_nothing_is_sent_by_prune(ran: Lab) -> None:
    ran.run("runs", "prune", "--keep", "1")
    assert ran.requests == []


def test_a_thousand_runs_take_less_than_twenty_megabytes(lab: Lab) -> None:
    lab.sessions(*(f"{{name: s{number:02}}}" for number in range(30)))
    lab.apply()
    lab.sessions(*(f"{{name: s{number:02}, tags: [maze]}}" for number in range(30)))
    lab.apply()
    per_run = max(path.stat().st_blocks * 512 for path in records(lab))
    assert per_run * 1000 < 20_000_000
    copies(lab, 1000, datetime.datetime(2020, 1, 1))
    assert sum(path.stat().st_blocks * 512 for path in records(lab)) < 20_000_000
    reads: list[int] = []
    original: Callable[[bytes, str], object] = run_log.read_run

    def counted(content: bytes, where: str) -> object:
        reads.append(1)
        return original(content, where)

    lab.monkeypatch.setattr(run_log, "read_run", counted)
    assert len(lab.run("runs", "list", "-o", "json").json) == 1002
    assert reads == [], "no record is read whole for a list"


def test_an_empty_record_is_named(ran: Lab) -> None:
    (path, _) = records(ran)
    path.write_bytes(b"")
    result = ran.run("runs", "list")
    assert result.code == 1
    assert f"{FOLDER}/{path.name} is damaged.\n       It is the record of a past run." in result.err


def test_a_folder_among_the_records_is_left_alone(ran: Lab) -> None:
    (ran.root / FOLDER / "2019-01-01T000000Z.jsonl").mkdir()
    assert ran.run("runs", "prune", "--keep", "1").code == 0
    assert len(ran.run("runs", "list", "-o", "json").json) == 1


def test_a_run_is_found_as_its_file_is_named(ran: Lab) -> None:
    name = records(ran)[0].name.removesuffix(".jsonl.gz")
    assert ran.run("runs", "show", name).code == 0
    result = ran.run("runs", "show", "")
    assert result.code == 1
    assert "a shell variable may not be set" in result.err
