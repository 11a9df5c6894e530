"""Lists and mappings in brackets, in one line or several."""

from __future__ import annotations

from stemctl.manifests.editor.places import Part, Place
from stemctl.manifests.editor.splices import CannotEdit, Lines
from stemctl.util.late_pattern import late_pattern

_GAP = late_pattern(r"(?:[ \t\n]|#[^\n]*)*")


def replace(lines: Lines, place: Place, part: Part, text: str) -> None:
    """Replace a value in brackets."""
    old = part.value
    if place.is_mapping and part.after is None:
        raise CannotEdit("the key has no colon", part.head)
    if lines.has_comment(old.start, old.end):
        raise CannotEdit("a comment is inside the value", old.start)
    if old.is_blank:
        start = end = part.after or part.end
        while lines.text[end] == " " and lines.text[end + 1] != "#":
            end += 1
        lines.splice(start, end, f" {text}")
    else:
        close = " " if lines.text[old.start - 1] == ":" else ""  # as in {"a":1}
        lines.splice(old.start, old.end, close + text)


def change(lines: Lines, place: Place, gone: set[int], new: list[tuple[int | None, str]]) -> None:
    """Take parts out and add others, each behind the part with its number, or before all."""
    parts = place.parts
    kept = [number for number in range(len(parts)) if number not in gone]
    opening = lines.text.index("[" if place.is_list else "{", place.start) + 1
    if not kept and not lines.has_comment(opening, parts[0].head if parts else place.end):
        lines.splice(opening, opening, ", ".join(text for _, text in new))
        lines.take(opening, place.end - 1)
        return
    commas = [_comma(lines.text, part) for part in parts]
    for number in sorted(gone):
        _take(lines, place, number, commas, kept)
    texts: dict[int | None, list[str]] = {}
    for before, text in new:
        texts.setdefault(before, []).append(text)
    if kept and gone and kept[-1] not in texts and commas[-1] is None:
        _drop_comma(lines, commas[kept[-1]])
    if None in texts:
        _add_first(lines, parts[kept[0]].head if kept else opening, bool(kept), texts.pop(None))
    for before, some in texts.items():
        assert before is not None
        follows = before < kept[-1] or commas[-1] is not None
        _add(lines, place, before, commas[before], follows, some)


def _drop_comma(lines: Lines, comma: int | None) -> None:
    """Take the comma of what is now the last part, if it is still there."""
    if comma is not None and not any(start <= comma < end for start, end in lines.gone):
        lines.splice(comma, comma + 1, "")


def _comma(text: str, part: Part) -> int | None:
    """Where the comma behind a part is."""
    found = _GAP.match(text, part.end)
    end = found.end() if found else part.end
    return end if text[end : end + 1] == "," else None


def _take(
    lines: Lines, place: Place, number: int, commas: list[int | None], kept: list[int]
) -> None:
    """Take one part out with its comma: its lines, if it has them for itself."""
    parts, part = place.parts, place.parts[number]
    comma = commas[number]
    end = part.end if comma is None else comma + 1
    line_end = lines.end(end)
    rest = lines.comment_at(end, line_end)
    has_own_lines = lines.begins(part.head) and not lines.text[
        end : line_end if rest is None else rest
    ].strip(" \t")
    if has_own_lines:
        least = lines.next(parts[number - 1].end if number else place.start)
        lines.take(lines.above(part.head, least) - 1, line_end)
        return
    before = commas[number - 1] if number else None
    if before is not None and kept and kept[0] < number and _is_plain(lines, before, part.end):
        lines.take(before, part.end)
    elif number + 1 < len(parts) and not lines.has_comment(part.head, parts[number + 1].head):
        lines.take(part.head, parts[number + 1].head)
    else:
        lines.splice(part.head, part.end, "")
        if comma is not None:
            lines.splice(comma, comma + 1, "")


def _is_plain(lines: Lines, start: int, end: int) -> bool:
    return not lines.has_comment(start, end) and lines.is_same(start, end)


def _add_first(lines: Lines, start: int, is_followed: bool, texts: list[str]) -> None:
    """Add parts before all others, or in brackets that hold only comments."""
    text = ", ".join(texts)
    if not is_followed:
        lines.splice(start, start, f"{text} ")
        return
    space = f"\n{' ' * lines.column(start)}" if lines.begins(start) else " "
    lines.splice(start, start, f"{text},{space}")


def _add(
    lines: Lines, place: Place, before: int, comma: int | None, follows: bool, texts: list[str]
) -> None:
    """Add parts behind another one, on lines of their own if that is."""
    part = place.parts[before]
    end = part.end if comma is None else comma + 1
    line_end = lines.end(end)
    comment = lines.comment_at(end, line_end)
    is_alone = lines.begins(part.head) and line_end < place.end
    if not is_alone or lines.text[end : comment or line_end].strip(" \t"):
        lines.splice(part.end, part.end, "".join(f", {text}" for text in texts))
        return
    if comma is None:
        lines.splice(part.end, part.end, ",")
    margin = f"\n{' ' * lines.column(part.head)}"
    new = ",".join(margin + text for text in texts)
    lines.splice(line_end, line_end, new + ("," if follows else ""))
