"""What a command did to files: the difference, a document, or a line for each record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stemctl.cli.screen import Screen
from stemctl.commands.rewrite import Written, write
from stemctl.config.config import Config
from stemctl.core.diagnostics import InvalidFiles
from stemctl.core.documents import files_document
from stemctl.core.rewrite import Rewrite
from stemctl.errors import Hint, Untouched
from stemctl.render.text.diff_text import unified_diff
from stemctl.render.text.files_text import files_text, refused_text
from stemctl.util.plural import counted, inflected

PLAN: Hint = ("stemctl plan", "shows what apply would do")


def finish(
    screen: Screen,
    config: Config,
    rewrite: Rewrite,
    *,
    dry_run: bool,
    output_format: str,
    partly: bool = False,
    after: Callable[[Written], None] = lambda written: None,
    about: Callable[[Written], tuple[str, dict[str, Any]]] = lambda written: ("", {}),
    is_left: bool = False,
    hints: Sequence[Hint] = (PLAN,),
) -> int:
    """Write the files, and say what was done: 0, or 3 if something was left.

    If a file cannot be edited, nothing is written, or with `partly` the other files are. `after`
    is called when they are written, and then `about`, for what else is to be said: as text, and as
    further keys of the document. `is_left` says that something else was left.

    Raises:
        InvalidFiles: the files would have errors.
    """
    if rewrite.problems:
        summary = f"The files would have these errors. {Untouched.NOTHING_WRITTEN}"
        raise InvalidFiles(rewrite.problems, summary)
    stops = bool(rewrite.refused) and not partly
    written = Written() if dry_run or stops else write(config, rewrite)
    if written.files:
        number = len(written.files)
        verb = inflected(number, "was", "were")
        screen.did = f"{counted(number, 'file')} {verb} written."
    after(written)
    left = is_left or bool(rewrite.refused or written.left)
    text, more = about(written)
    if output_format == "json":
        document = files_document(rewrite, written.files, written.left, dry_run=dry_run)
        screen.document({**document, **more, "exit_code": 3 if left else 0})
        return 3 if left else 0
    style = screen.style()
    if dry_run:
        for change in rewrite.files:
            old = None if change.old is None else change.old.decode()
            screen.out(unified_diff(change.file, old, change.new.decode(), style))
    elif not stops:
        screen.out(files_text(rewrite, written.files, style, is_left=left))
    if rewrite.refused or written.left:
        screen.note(refused_text(rewrite.refused, written.left, style, nothing=stops))
    if text and dry_run:
        screen.note(text)  # stdout has the difference alone, for `git apply`
    elif text:
        screen.out(text)
    if written.files:
        screen.suggest(*hints)
    return 3 if left else 0
