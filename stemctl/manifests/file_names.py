"""The names of manifests, and files that were meant to be manifests but are called otherwise.

The records of such a file would be missing without a word: as if they had never been written, or
had been deleted.
"""

from __future__ import annotations

import os
import posixpath
import re

from stemctl.core.diagnostics import Diagnostic, Severity
from stemctl.core.records import Location
from stemctl.manifests.document import code_span
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import visible

SUFFIXES = (".yaml", ".yml")
DEFAULTS = "_defaults.yaml"
CODE = "not-read"

_DEFAULTS = (DEFAULTS, "_defaults.yml")

_TYPED = late_pattern(r"(.*?)(\.ya?ml)(\.txt)?", re.IGNORECASE)
"""Another case, as some systems and programs write it, or the ending that some editors append."""
_SET_ASIDE = late_pattern(
    r"(.*\.ya?ml)(?:~|[._ -](?:bak|backup|old|orig|save|copy|disabled|off|[0-9]+)|_)", re.IGNORECASE
)
"""Something after the ending, as in `a.yaml.bak` and `a.yaml~`."""
_MISSPELLED = late_pattern(r"(.*)\.(?:yam|ymal|yalm|ylm|yamll|ymll)", re.IGNORECASE)


def corrected(name: str) -> str | None:
    """What a file has to be called in order to be read; None if it is read, or no manifest."""
    if name.endswith(SUFFIXES):
        folded = name.lower()
        return DEFAULTS if folded in _DEFAULTS and name != DEFAULTS else None
    if ".y" not in name.lower():
        return None
    if match := _TYPED.fullmatch(name):
        right = match[1] + match[2].lower()
        return DEFAULTS if right.lower() in _DEFAULTS else right
    if match := _SET_ASIDE.fullmatch(name):
        stem, ending = posixpath.splitext(match[1])
        return stem + ending.lower()
    match = _MISSPELLED.fullmatch(name)
    return f"{match[1]}.yaml" if match else None


def finding(root: os.PathLike[str] | str, path: str) -> Diagnostic | None:
    """What to do about a file with such a name; None for a copy beside the file that is read."""
    folder, _, name = path.rpartition("/")
    right = corrected(name)
    if right is None:
        return None
    set_aside = _SET_ASIDE.fullmatch(name) is not None
    if right == DEFAULTS and not set_aside:
        message, remedy = f"{code_span(name)} is not used", f"rename the file to `{DEFAULTS}`"
        return Diagnostic(Severity.ERROR, "not-defaults", message, Location(path, 1, 1), remedy)
    if os.path.lexists(os.path.join(root, folder, right)) and not _same(root, path, right):
        return None
    typed = _TYPED.fullmatch(name) is not None
    message = f"{code_span(visible(name))} is not read: manifests end in `.yaml` or `.yml`"
    remedy = f"rename the file to {code_span(visible(right))}"
    if not typed:
        remedy += ", or move it out of the folders that `manifests:` names"
    severity = Severity.ERROR if typed else Severity.WARNING
    return Diagnostic(severity, CODE, message, Location(path, 1, 1), remedy)


def _same(root: os.PathLike[str] | str, path: str, right: str) -> bool:
    """Whether both names are the same file, on systems that do not tell their cases apart."""
    full = os.path.join(root, path)
    return os.path.samefile(full, os.path.join(os.path.dirname(full), right))
