"""Work in parts, some of which a copy of this process does on a second core.

The copy (`os.fork`) has everything that was loaded here. It does some of the parts, hands them back
through a pipe, writes nowhere else, and ends. Whatever becomes of it: what it has not handed back
is done here, so that its failures are those of the plain way, or none.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NoReturn, TypeVar

from stemctl.util.steps import Steps

MAX_PARTS = 256
"""The number of a part is one byte."""

_LENGTH = 8
"""Bytes of the length in front of each answer."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Part = TypeVar("Part")
Result = TypeVar("Result")


def is_there() -> bool:
    """Whether a copy can be made, and has a core of its own.

    Only on Linux: elsewhere, libraries of the system may not survive it. And only while there is
    one thread: what other threads have locked would stay locked in the copy.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def shared(work: Callable[[Part], Result], parts: Sequence[Part]) -> Steps[list[Result]]:
    """What `work` makes of each part, in their order. The copy is made in the first step.

    `work` changes nothing, and what it returns can be pickled. Both processes take the number of
    their next part from one pipe, so that the faster one does more of them.
    """
    done: dict[int, Result] = {}
    # Without room for pipes or another process, nothing is done yet. What `work` raises, it will
    # raise once more below.
    with (
        contextlib.suppress(OSError),
        _queue(len(parts)) as queue,
        _copy(work, parts, queue) as answers,
    ):
        yield
        for number in _taken(queue):
            done[number] = work(parts[number])
            yield
        for answer in _received(answers):
            number, result = pickle.loads(answer)  # it comes from ourselves
            done[number] = result
            yield
    return [done[at] if at in done else work(part) for at, part in enumerate(parts)]


@contextlib.contextmanager
def _queue(length: int) -> Iterator[BinaryIO]:
    """A pipe with the number of each part, to be read one by one."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb", buffering=0) as queue:
        with open(write_end, "wb", buffering=0) as stream:
            assert length <= MAX_PARTS
            stream.write(bytes(range(length)))  # a pipe holds more than that
        yield queue


def _taken(queue: BinaryIO) -> Iterator[int]:
    while number := queue.read(1):
        yield number[0]


@contextlib.contextmanager
def _copy(
    work: Callable[[Part], Result], parts: Sequence[Part], queue: BinaryIO
) -> Iterator[BinaryIO]:
    """Make a copy of this process that works; yields the pipe of its answers. It ends here."""
    read_end, write_end = os.pipe()
    parent, copy = os.getpid(), 0
    with open(read_end, "rb") as answers, open(write_end, "wb") as stream:
        # The copy must have let go of the handlers of this process before a signal reaches it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            copy = os.fork()
            if copy == 0:
                answers.close()  # else the copy waits for itself once its parent is killed
                _answer_and_exit(work, parts, queue, stream, parent)
            stream.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            yield answers
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if copy:
                # There is none to end where the parent of this process ignores the end of children.
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(copy, signal.SIGKILL)
                    os.waitpid(copy, 0)


def _answer_and_exit(
    work: Callable[[Part], Result],
    parts: Sequence[Part],
    queue: BinaryIO,
    stream: BinaryIO,
    parent: int,
) -> NoReturn:
    """What the copy does. It answers at the end, so that it never waits for its parent, and it
    says nothing of what went wrong.
    """
    try:
        signal.set_wakeup_fd(-1)
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        answers = []
        for number in _taken(queue):
            if os.getppid() != parent:  # it was killed, and nobody waits for answers
                break
            answers.append(pickle.dumps((number, work(parts[number]))))
        for answer in answers:
            stream.write(len(answer).to_bytes(_LENGTH, "big"))
            stream.write(answer)
        stream.flush()
    finally:
        os._exit(0)


def _received(answers: BinaryIO) -> Iterator[bytes]:
    """The whole answers; the last one may be cut off."""
    while len(header := answers.read(_LENGTH)) == _LENGTH:
        length = int.from_bytes(header, "big")
        answer = answers.read(length)
        if len(answer) < length:
            return
        yield answer
