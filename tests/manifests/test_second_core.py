"""Two processes that share the work make of it what one makes."""

import io
import os
import select
import signal
import time

import pytest
from msgspec.structs import asdict

from stemctl.manifests import load as loading
from stemctl.manifests import second_core
from stemctl.manifests.load import load_repository
from stemctl.schema.catalog import load_catalog
from stemctl.util.steps import at_once
from tests.support.paths import TESTS

shared = at_once(second_core.shared)

# The runner of the tests has threads of its own; they do nothing here.
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def has_no_child() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def told(root, edition, kept=None):
    """Everything that comes of a folder."""
    repository, findings = load_repository(
        root, ["."], load_catalog(edition), ignore_gitignore=True, kept=kept
    )
    records = [
        repr({**asdict(record), "locations": list(record.locations.items())})
        for record in repository.records.values()
    ]
    rest = repository.moved, repository.forget, repository.deleted, repository.files
    return repository, records, rest, list(repository.seen.items()), [repr(f) for f in findings]


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(second_core, "is_there", lambda: True)
    monkeypatch.setattr(loading, "MANY_FILES", 1)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """All files of the tests, right and wrong, in one folder."""
    root = tmp_path_factory.mktemp("everything")
    for folder in (TESTS / "invalid", TESTS / "valid"):
        for path in folder.rglob("*.yaml"):
            (to := root / path.relative_to(TESTS)).parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
    return root


@pytest.mark.parametrize("edition", ["2024", "2026"])
def test_two_cores_find_in_files_what_one_finds(everything, edition, two_cores, monkeypatch):
    kept, kept_alone = {}, {}
    both = told(everything, edition, kept)
    monkeypatch.setattr(second_core, "is_there", lambda: False)
    assert both == told(everything, edition, kept_alone)
    assert list(kept.items()) == list(kept_alone.items())
    monkeypatch.setattr(loading, "_are_many", lambda root, files: False)
    assert both == told(everything, edition, {})
    assert len(kept) > 100
    assert len(both[-1]) > 100
    assert has_no_child()


def test_both_processes_work():
    def work(part):
        time.sleep(0.002)
        return part, os.getpid()

    made = shared(work, range(50))
    assert [part for part, _ in made] == list(range(50))
    assert len({process for _, process in made}) == 2


def kill(part):
    os.kill(os.getpid(), signal.SIGKILL)


def end(part):
    os._exit(0)


def fail(part):
    raise ValueError(part)


@pytest.mark.parametrize("trouble", [kill, end, fail, lambda part: lambda: part])
def test_what_the_copy_does_not_hand_back_is_done_here(trouble):
    here = os.getpid()

    def work(part):
        time.sleep(0.002)
        return trouble(part) if os.getpid() != here and part > 5 else part

    assert shared(work, range(20)) == list(range(20))
    assert has_no_child()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_here_ends_both(error):
    here = os.getpid()

    def work(part):
        if os.getpid() == here:
            raise error
        time.sleep(60)

    with pytest.raises(error):
        shared(work, range(20))
    assert has_no_child()


def test_whoever_gives_up_between_steps_ends_both():
    steps = second_core.shared(lambda part: time.sleep(0.01), range(50))
    next(steps)
    assert not has_no_child()
    steps.close()
    assert has_no_child()


def test_an_error_of_the_work_is_raised_in_this_process():
    def work(part):
        if part == 7:
            raise ValueError(part)
        return part

    with pytest.raises(ValueError, match="7"):
        shared(work, range(20))
    assert has_no_child()


@pytest.mark.parametrize("missing", ["fork", "pipe"])
def test_without_room_for_a_process_all_is_done_here(monkeypatch, missing):
    def no_room():
        raise OSError

    monkeypatch.setattr(os, missing, no_room)
    before = os.listdir("/proc/self/fd")
    assert shared(lambda part: part * 2, range(9)) == [part * 2 for part in range(9)]
    assert os.listdir("/proc/self/fd") == before


def be_killed_at_work():
    """The copy has answered by then, more than a pipe holds."""
    here = os.getpid()

    def work(part):
        if os.getpid() == here:
            time.sleep(0.2)
            kill(part)
        return bytes(1_000_000)

    shared(work, range(9))


def test_the_copy_does_not_outlive_a_process_that_is_killed():
    read_end, write_end = os.pipe()
    if (process := os.fork()) == 0:
        try:
            be_killed_at_work()
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    os.close(write_end)  # only the copy may still hold it
    assert select.select([read_end], [], [], 10)[0]
    os.close(read_end)


def test_signals_are_handled_as_before():
    before = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    shared(lambda part: part, range(9))
    assert before == (
        signal.getsignal(signal.SIGINT),
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
    )


@pytest.mark.parametrize("length", range(30))
def test_an_answer_that_is_cut_off_counts_for_nothing(length):
    def framed(answer):
        return len(answer).to_bytes(8, "big") + answer

    whole = framed(b"first") + framed(b"second")
    received = list(second_core._received(io.BytesIO(whole[:length])))
    assert received == [b"first", b"second"][: (length >= 13) + (length >= len(whole))]


def test_one_core_is_enough(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    assert not second_core.is_there()
