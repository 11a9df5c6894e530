"""The terminal of one run: what goes to stdout and to stderr, and how it looks."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stemctl.cli import streams
from stemctl.errors import InvalidFiles, StemctlError
from stemctl.render.model_words import model_words
from stemctl.render.terminal import LONGEST_LINE, TerminalStyle
from stemctl.util.redact import masked
from stemctl.util.safe_text import cut, harmless, json_text, visible

if TYPE_CHECKING:
    from stemctl.commands.workspace import Workspace
    from stemctl.core.diagnostics import Diagnostic
    from stemctl.schema.catalog import Catalog

DEFAULT_WIDTH = 100
WIDEST = 500
"""A COLUMNS of millions would fill the memory with spaces."""


@dataclass(slots=True)
class Screen:
    """The global options, and where output goes: the answer to stdout, everything else to stderr."""

    directory: Path | None = None
    server: str | None = None
    colour: bool = False
    quiet: bool = False
    verbose: int = 0
    json: bool = False
    github: bool = False
    did: str = ""
    """What this run has written, if anything: from then on no failure of the output ends it, and 1
    is no exit code.
    """
    mute: bool = False
    """Whether stderr takes nothing: no question can be seen."""
    lost: OSError | None = None
    """Why the answer, or a part of it, could not be written."""
    _ending: bool = False

    @property
    def root(self) -> Path:
        """The folder to work in."""
        return (self.directory or Path()).resolve()

    @property
    def program(self) -> str:
        """How this run was called, for commands that can be typed as they stand."""
        words = ["stemctl"]
        if self.directory is not None:
            words += ["-C", shlex.quote(str(self.directory))]
        if self.server is not None:
            words += ["--server", shlex.quote(self.server)]
        return " ".join(words)

    def style(self, catalog: Catalog | None = None) -> TerminalStyle:
        """What the terminal can show."""
        width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
        return TerminalStyle(
            min(max(60, width), WIDEST),
            self.colour,
            _encoding(sys.stdout).startswith("utf"),
            self.verbose,
            self.program,
            "" if self.directory is None else shlex.quote(str(self.directory)),
            words=model_words(catalog),
        )

    def open(self) -> Workspace:
        """The workspace that the options name."""
        from dataclasses import replace

        from stemctl.commands.workspace import open_workspace

        workspace = open_workspace(self.root, self.server)
        return replace(
            workspace,
            on_pause=lambda seconds: self.note(f"Paused {seconds:.0f} s: the server asks for it."),
        )

    def announce(self, workspace: Workspace) -> None:
        """Say that a run broke off, or is on at this moment: what is shown takes it into account."""
        from stemctl.render.text.run_text import broken_text, elsewhere_text, going_on_text

        recovery = workspace.store.recovery
        run, lease = recovery.unfinished(), recovery.elsewhere()
        if lease is not None:
            self.note(elsewhere_text(lease, workspace.store.where) + "\n")
        elif run is not None:
            self.note(
                (going_on_text if workspace.store.lock.is_held() else broken_text)(run) + "\n"
            )

    def out(self, text: str) -> None:
        """Part of the answer."""
        self._echo(text.rstrip("\n"))

    def document(self, document: Any) -> None:
        """The answer as one JSON document."""
        self._echo(json_text(document, ascii_only=not _encoding(sys.stdout).startswith("utf")))

    def _echo(self, text: str) -> None:
        """Write to stdout. A reader that has left, as `| head` does, ends nothing; a full disk ends
        what has written nothing yet.
        """
        try:
            click.echo(self._clean(text, sys.stdout), color=self.colour)
        except OSError as error:
            streams.silence("stdout")
            if isinstance(error, BrokenPipeError):
                return
            self.lost = error
            if not (self.did or self._ending):
                raise

    def _clean(self, text: str, stream: Any) -> str:
        """The last look at every text: no token in it, nothing that a terminal obeys, no character
        it lacks.
        """
        encoding = _encoding(stream)
        text = harmless(masked(text), self.colour)
        return (
            text
            if encoding.startswith("utf")
            else text.encode(encoding, "backslashreplace").decode(encoding)
        )

    def note(self, text: str) -> None:
        """A remark about the run."""
        if not self.quiet:
            self.ask(text)

    def ask(self, text: str) -> None:
        """What must be read, on stderr; where that takes nothing, there is nobody to tell."""
        try:
            click.echo(self._clean(text, sys.stderr), err=True)
        except OSError:
            self.mute = True
            streams.silence("stderr")

    def findings(self, diagnostics: Sequence[Diagnostic], summary: str = "") -> None:
        """Findings about the files, as part of the answer."""
        from stemctl.render.text.findings_text import findings_text

        self.out(
            "\n".join(text for text in (findings_text(diagnostics, self.style()), summary) if text)
        )

    def annotate(self, render: Callable[[str], str]) -> None:
        """Workflow commands as part of the answer; `render` is told where the metadata is in its
        git repository.
        """
        from stemctl.git.ci_job import path_in_repository

        text = render(path_in_repository(self.root, os.environ))
        if text:
            self.out(text)

    def summarize(self, render: Callable[[int], str]) -> None:
        """Add Markdown of at most so many bytes to the summary of the CI job, if this runs in one
        that has any.
        """
        from stemctl.git.ci_job import add_to_summary

        remark = add_to_summary(
            os.environ, lambda most: harmless(masked(render(most)), colour=False)
        )
        if remark:
            self.note(remark)

    def invalid(self, error: InvalidFiles) -> int:
        """The files have errors: the findings are the answer."""
        from stemctl.render.text.findings_text import findings_markdown

        self._end_with(error)
        self.summarize(lambda most: findings_markdown(error.diagnostics, error.what, most))
        if self.json:
            from stemctl.core.documents import error_document

            self.document(error_document(error, error.diagnostics))
        elif self.github:
            from stemctl.render.github import findings_github

            self.annotate(lambda folder: findings_github(error.diagnostics, folder))
            self.out(error.what)
        else:
            self.findings(error.diagnostics, error.what)
        return error.exit_code

    def failed(self, error: StemctlError) -> int:
        """What happened, where or why, and what to type."""
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
        """The exit code of the run, once all is said. An answer that could not be written is an error."""
        if self.lost is None:
            return code
        error = StemctlError(f"The output could not be written: {self.lost.strerror or self.lost}.")
        self._end_with(error)
        self._tell(error)
        return error.exit_code if code in (0, 1, 2) else code

    def _end_with(self, error: StemctlError) -> None:
        """From here on the output ends nothing any more; what was written is part of the error."""
        self._ending = True
        if self.did:
            error.why = f"{error.why}\nDone before: {self.did}".lstrip("\n")
            error.exit_code = 3 if error.exit_code == 1 else error.exit_code

    def _tell(self, error: StemctlError) -> None:
        style = self.style()
        lines = [f"{style.paint('red', 'Error:')} {cut(visible(error.what), LONGEST_LINE)}"]
        lines += [
            f"       {cut(visible(line), LONGEST_LINE)}"
            for line in error.explanation.split("\n")
            if error.explanation
        ]
        self.ask(style.finish([*lines, *style.next(error.hints)]).rstrip("\n"))


def _encoding(stream: Any) -> str:
    return (getattr(stream, "encoding", None) or "ascii").lower()
