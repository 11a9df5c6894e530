"""The output of one run: what goes to stdout and to stderr, and how it looks."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from stemctl.cli import streams
from stemctl.core.diagnostics import InvalidFiles
from stemctl.errors import Hint, StemctlError
from stemctl.render.model_words import model_words
from stemctl.render.terminal import LONGEST_LINE, TerminalStyle
from stemctl.render.text import run_text
from stemctl.render.width import broken
from stemctl.util.redact import masked
from stemctl.util.safe_text import cut, harmless, json_text, visible

if TYPE_CHECKING:
    from stemctl.commands.workspace import Workspace
    from stemctl.core.diagnostics import Diagnostic
    from stemctl.schema.catalog import Catalog

DEFAULT_WIDTH = 100
WIDEST = 500
"""A COLUMNS of millions would fill memory with spaces."""


class Screen(Struct):
    """The global options, and the output: the answer goes to stdout, everything else to stderr."""

    directory: Path | None = None
    server: str | None = None
    colour: bool = False
    quiet: bool = False
    verbose: int = 0
    json: bool = False
    github: bool = False
    did: str = ""
    """What this run has written, if anything. From then on a failure of the output does not end it,
    and the exit code of an error is 3.
    """
    mute: bool = False
    """Whether stderr cannot be written, so that no question can be seen."""
    lost: OSError | None = None
    """Why the answer, or a part of it, cannot be written."""
    _ending: bool = False
    _told: bool = False

    @property
    def start(self) -> Path:
        """The folder that the command was called in, or that of -C."""
        return (self.directory or Path()).resolve()

    @property
    def root(self) -> Path:
        """The folder to work in: the nearest one with a stemctl.yaml, from `start` upwards."""
        from stemctl.config.search import find_root

        return find_root(self.start, os.environ)

    def below_root(self, words: Sequence[str]) -> tuple[str, ...]:
        """Words of which some may be paths from `start`: those are put relative to the root."""
        start, root = self.start, self.root
        if start == root:
            return tuple(words)
        return tuple(_from_root(word, start, root) for word in words)

    def tell_root(self) -> None:
        """Say which folder is worked in, if it is not the one that the command was called in."""
        if not self._told and self.start != self.root:
            self.note(f"{self.root} has the nearest stemctl.yaml; paths are relative to it.\n")
        self._told = True

    @property
    def program(self) -> str:
        """How this run was called, for hints that can be typed as they are."""
        command = ["stemctl"]
        if folder := self._folder():
            command += ["-C", folder]
        if self.server is not None:
            command += ["--server", shlex.quote(self.server)]
        return " ".join(command)

    def style(self, catalog: Catalog | None = None) -> TerminalStyle:
        """How to format text for this terminal."""
        width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
        return TerminalStyle(
            min(max(60, width), WIDEST),
            self.colour,
            _encoding(sys.stdout).startswith("utf"),
            self.verbose,
            self.program,
            self._folder(),
            words=model_words(catalog),
            wraps=sys.stderr.isatty(),
            wraps_answer=sys.stdout.isatty(),
        )

    def _folder(self) -> str:
        """The root as a shell takes it, for commands of git; empty where they run in it anyway."""
        folder = "" if self.directory is None else str(self.directory)
        with contextlib.suppress(StemctlError, OSError):  # an error of the search is told with it
            if self.start != self.root:
                folder = os.path.relpath(self.root)
        return shlex.quote(folder) if folder else ""

    def open(self) -> Workspace:
        """The workspace that the options select."""
        from stemctl.commands.workspace import open_workspace

        workspace = open_workspace(self.root, self.server)
        self.tell_root()
        return replace(workspace, on_pause=lambda seconds: self.note(pause_text(seconds)))

    def announce(self, workspace: Workspace) -> None:
        """Say that a run was interrupted or is in progress: the output takes it into account."""
        store = workspace.store
        run, lease = store.recovery.unfinished(), store.recovery.elsewhere()
        if lease is not None:
            self.note(run_text.elsewhere_text(lease, store.where) + "\n")
        elif run is not None:
            is_on = store.lock.is_held()
            text = run_text.going_on_text(run) if is_on else run_text.broken_text(run)
            self.note(text + "\n")

    def out(self, text: str) -> None:
        """Part of the answer."""
        self._echo(text.rstrip("\n"))

    def sentences(self, text: str) -> None:
        """Part of the answer that is text, and no columns."""
        self.out("\n".join(self.style().prose(text.split("\n"))))

    def document(self, document: Any) -> None:
        """The answer as one JSON document."""
        self._echo(json_text(document, ascii_only=not _encoding(sys.stdout).startswith("utf")))

    def data(self, data: bytes) -> None:
        """The answer as the bytes of a file. A terminal gets text that it does not obey."""
        if sys.stdout.isatty():
            self.out(data.decode("utf-8", "replace"))
        else:
            self._write(lambda: click.echo(data, nl=False))

    def _echo(self, text: str) -> None:
        self._write(lambda: click.echo(self._clean(text, sys.stdout), color=self.colour))

    def _write(self, write: Callable[[], None]) -> None:
        """Write to stdout. A closed pipe, as after `| head`, is no error; a full disk ends the run
        unless it has written something already.
        """
        try:
            write()
        except OSError as error:
            streams.silence("stdout")
            if isinstance(error, BrokenPipeError):
                return
            self.lost = error
            if not (self.did or self._ending):
                raise

    def _clean(self, text: str, stream: Any) -> str:
        """Remove tokens, terminal escapes, and characters that the stream cannot encode."""
        encoding = _encoding(stream)
        text = harmless(masked(text), self.colour)
        if encoding.startswith("utf"):
            return text
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def note(self, text: str) -> None:
        """Print a remark to stderr, unless --quiet; at a terminal, broken between words."""
        if not self.quiet:
            style = self.style()
            self.ask(style.broken_lines(text) if style.wraps else text)

    def copied(self, text: str) -> None:
        """Print lines to stderr that are copied into a file, so never broken, unless --quiet."""
        if not self.quiet:
            self.ask(text.rstrip("\n"))

    def ask(self, text: str) -> None:
        """Print to stderr, even with --quiet."""
        try:
            click.echo(self._clean(text, sys.stderr), err=True)
        except OSError:
            self.mute = True
            streams.silence("stderr")

    def suggest(self, *hints: Hint) -> None:
        """Print commands that the user may want to type next."""
        if not self.quiet:
            self.ask("\n".join(self.style().next(hints)))

    def findings(self, diagnostics: Sequence[Diagnostic], summary: str = "") -> None:
        """Print findings about the files, and a summary below them, as part of the answer."""
        style = self.style()
        texts = style.prose(summary.split("\n")) if summary else []
        if diagnostics:
            from stemctl.render.text.findings_text import findings_text

            texts.insert(0, findings_text(diagnostics, style))
        self.out("\n".join(texts))

    def annotate(self, render: Callable[[str], str]) -> None:
        """Print workflow commands as part of the answer; `render` takes the path of the metadata
        in its git repository.
        """
        from stemctl.git.ci_job import path_in_repository

        text = render(path_in_repository(self.root, os.environ))
        if text:
            self.out(text)

    def summarize(self, render: Callable[[int], str]) -> None:
        """Add Markdown to the summary of the CI job, if there is one; `render` takes the most bytes
        that fit.
        """
        from stemctl.git.ci_job import add_to_summary

        remark = add_to_summary(
            os.environ, lambda max_bytes: harmless(masked(render(max_bytes)), colour=False)
        )
        if remark:
            self.note(remark)

    def invalid(self, error: InvalidFiles) -> int:
        """Print findings that end a command; they are its answer."""
        from stemctl.render.text.findings_text import findings_markdown

        self._end_with(error)
        self.summarize(
            lambda max_bytes: findings_markdown(error.diagnostics, error.what, max_bytes)
        )
        if self.json:
            from stemctl.core.documents import error_document

            self.document(error_document(error, error.diagnostics))
        elif self.github:
            from stemctl.render.github import findings_github

            self.annotate(lambda folder: findings_github(error.diagnostics, folder))
            self.out(error.what)
        else:
            self.findings(error.diagnostics, error.what)
            if error.hints:
                self.suggest(*error.hints)
        return error.exit_code

    def failed(self, error: StemctlError) -> int:
        """Print an error: what happened, why, and what to type next."""
        self._end_with(error)
        if self.json:
            from stemctl.core.documents import error_document

            self.document(error_document(error))
            if self.lost is None:
                return error.exit_code
        if self.github:
            from stemctl.render.github import error_github

            self.out(error_github(error))
        self._tell(error)
        return error.exit_code

    def end(self, code: int) -> int:
        """The exit code of the run. An answer that cannot be written is an error."""
        if self.lost is None:
            return code
        error = StemctlError(f"The output cannot be written: {self.lost.strerror or self.lost}.")
        self._end_with(error)
        self._tell(error)
        return error.exit_code if code in (0, 1, 2) else code

    def _end_with(self, error: StemctlError) -> None:
        """Ignore failures of the output from here on, and add what was written to the error."""
        self._ending = True
        if self.did:
            error.why = f"{error.why}\nAlready done: {self.did}".lstrip("\n")
            error.exit_code = 3 if error.exit_code == 1 else error.exit_code

    def _tell(self, error: StemctlError) -> None:
        style = self.style()
        texts = [error.what, *(error.explanation.split("\n") if error.explanation else [])]
        lines = []
        for text in texts:
            line = cut(visible(text), LONGEST_LINE)
            parts = broken(line, style.width - len(_ERROR)) if style.wraps else [line]
            lines += [" " * len(_ERROR) + part for part in parts]
        lines[0] = style.paint("red", _ERROR.rstrip()) + lines[0][len(_ERROR) - 1 :]
        self.ask(style.finish([*lines, *style.next(error.hints)]).rstrip("\n"))


def _from_root(word: str, start: Path, root: Path) -> str:
    try:
        is_path = bool(word) and os.path.lexists(start / word)
    except ValueError:  # a null character
        return word
    return os.path.relpath(start / word, root).replace(os.sep, "/") if is_path else word


def _encoding(stream: Any) -> str:
    return (getattr(stream, "encoding", None) or "ascii").lower()


_ERROR = "Error: "


def pause_text(seconds: float) -> str:
    """A pause that the server asked for."""
    return f"Paused for {seconds:.0f} s at the server's request."
