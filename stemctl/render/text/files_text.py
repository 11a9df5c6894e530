"""What was done to files, record by record, and what could not be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from stemctl.core.rewrite import RecordChange, Refusal, Rewrite
from stemctl.render.terminal import TerminalStyle
from stemctl.util.plural import counted, joined
from stemctl.util.safe_text import visible

MOST_RECORDS = 10
"""Records that are told one by one; more are counted."""

_SIGNS = {"added": "+", "edited": "~", "renamed": "~", "removed": "-"}
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


def files_text(
    rewrite: Rewrite, files: Collection[str], style: TerminalStyle, *, is_left: bool = False
) -> str:
    """A line for each record, or their numbers if there are many, and the files. With `is_left`,
    something was left, so that files without a change do not say all that was asked for.
    """
    done = [record for record in rewrite.records if record.file in files]
    if not files:
        return (
            "Nothing was written." if is_left else "The files already say so. Nothing was written."
        )
    lines = list(_records(done, style)) if len(done) <= MOST_RECORDS else []
    names = [visible(file) for file in files]
    where = joined(names) if len(names) <= 3 else counted(len(names), "file")
    counts = [f"{number:,} {what}" for what, number in Counter(r.done for r in done).items()]
    return "\n".join([*lines, f"{joined(counts).capitalize() or 'Written'} in {where}."])


def _records(done: Sequence[RecordChange], style: TerminalStyle) -> Iterator[str]:
    width = max((len(visible(str(record.address))) for record in done), default=0)
    for record in done:
        sign = _SIGNS[record.done]
        address = visible(str(record.address))
        fields = ", ".join(record.fields) if record.done == "edited" else record.done
        line = f"{address:<{width}}  {fields}".rstrip()
        yield f"  {style.paint(_COLOURS[sign], sign)} {line}"


def refused_text(
    refused: Sequence[Refusal], left: Mapping[str, str], style: TerminalStyle, nothing: bool
) -> str:
    """The files that could not be edited, with the edits to make by hand."""
    lines = []
    for one in refused:
        lines.append(f"{visible(one.file)}:{one.line} cannot be edited: {one.why}.")
        lines += [f"    {visible(line)}" for line in one.by_hand]
    lines += [f"{visible(file)} was left: it {why}." for file, why in left.items()]
    if nothing:
        lines.append("Nothing was written.")
    elif refused:
        lines.append("Make these edits by hand, and type the command again.")
    return "\n".join(lines)
