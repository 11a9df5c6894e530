"""report: a page of the repository, made from its files and its state. No server is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stemctl.commands.loading import load
from stemctl.commands.output_file import write_output
from stemctl.commands.workspace import Workspace
from stemctl.core.diagnostics import Diagnostic, InvalidFiles, has_errors, in_order
from stemctl.errors import Untouched
from stemctl.git.repository import head_commit
from stemctl.manifests import work_tree
from stemctl.manifests.load import with_lines
from stemctl.planning import offline
from stemctl.planning.planner import Options
from stemctl.planning.unsent_proposals import without_unsent_proposals
from stemctl.render.lab_page import MARK, LabFacts, lab_html
from stemctl.render.lab_view import view_lab
from stemctl.util import gc_pause

PAGE = "report.html"
"""The file that the page is written to, if no other is named."""


class Page(NamedTuple):
    """The page as HTML, how many records it shows, and whether the state that others share was ever
    fetched here.
    """

    html: str
    records: int
    state_is_known: bool


def report(workspace: Workspace) -> Page:
    """The page of a repository.

    Raises:
        InvalidFiles: the files have errors.
    """
    with gc_pause.paused():
        loaded = load(workspace.config, workspace.catalog)
        _check(loaded.diagnostics)
        repository, state = loaded.repository, workspace.store.last_known()
        workspace.store.state.refuse_foreign(state)
        plan = offline.plan_offline(
            repository,
            state,
            workspace.catalog,
            target=workspace.target,
            options=Options(workspace.config.allow),
            chosen=frozenset(repository.records),
        )
        root = workspace.config.root
        _check(with_lines(root, in_order([*loaded.diagnostics, *plan.diagnostics])))
        commit = head_commit(root)
        changed = work_tree.uncommitted(root, loaded.tracked) if commit and loaded.tracked else ()
        is_known = workspace.store.backend.lock is None or state.serial > 0
        facts = LabFacts(
            name=root.name,
            files=len(repository.files),
            server=workspace.target,
            commit=commit,
            uncommitted=bool(changed),
            applied=state.commit,
            state_is_known=is_known,
        )
        plan = without_unsent_proposals(plan)
        html = lab_html(view_lab(repository, state, plan, workspace.catalog), facts)
        return Page(html, len(repository.records), is_known)


def _check(findings: Iterable[Diagnostic]) -> None:
    """Refuse to show files with errors: the page would lack the records that have them."""
    found = tuple(finding for finding in findings if finding.location is not None)
    if has_errors(found):
        raise InvalidFiles(found, f"The files have errors. {Untouched.NOTHING_WRITTEN}")


def write_page(page: str, path: Path) -> None:
    """Write the page to a file. Only an older page is overwritten.

    Raises:
        ConfigError: the path is a link or another file, or cannot be written.
    """
    write_output(path, page, "page of stemctl report", _is_page)


def _is_page(path: Path) -> bool:
    """Whether a file is a page of this command."""
    if not path.is_file():
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return MARK in file.read(200)
