"""What to write in place of a value of another type: `[maze, sleep]` for `maze, sleep`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from stemctl.manifests import date_hints, value_hints
from stemctl.manifests.document import Document, Node
from stemctl.manifests.field_context import FieldContext, written
from stemctl.manifests.reader import parse
from stemctl.manifests.scalars import quoted
from stemctl.schema.fields import Field, Member
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.patterns import DATE, INSTANT
from stemctl.util.json_types import Value
from stemctl.util.late_pattern import late_pattern

MOMENTS = {"date", "instant"}
_TRUTHS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}
_PAIR = late_pattern(r"(?P<key>[A-Za-z_]\w*)\s*(?:=>|->|:=|==?|:|：)\s*(?P<value>\S.*)")
_NUMBER = late_pattern(r"(-?[0-9]+)(?:[.,]([0-9]+))?\s*[^0-9\s.,]*")
_MOVE = late_pattern(r"(\S.*?)\s*(?:->|=>|→)\s*(\S.*)")
_LONGEST = 80
"""A longer remedy would be harder to read than to work out."""


def type_remedy(context: FieldContext, wanted: str, node: Node) -> str:
    """How a value becomes what is wanted; nothing if that is not clear."""
    remedy = _from_scalar(context, wanted, node) if node.text is not None else ""
    if node.is_list:
        remedy = _from_list(context, wanted, node)
    elif node.is_mapping:
        remedy = _from_mapping(context, wanted, node)
    return remedy if len(remedy) <= _LONGEST or "`[" not in remedy else ""


def _write(value: Value) -> str:
    return f"write `{written(value)}`"


def is_block(node: Node) -> bool:
    """Whether a list or a mapping is written without brackets."""
    return not node.event.flow_style


def _from_scalar(context: FieldContext, wanted: str, node: Node) -> str:
    text, found = str(node.text), node.value
    field = context.field
    if context.is_field and field and field.kind in MOMENTS:
        return date_hints.date_remedy(text, field.kind == "instant")
    if wanted == "string":
        is_id = context.path[context.depth :] == ("id",)
        return value_hints.UUID if is_id else f"write `{quoted(text)}`"
    if wanted == "array":
        return _list_from_text(context, node, text)
    if wanted == "object":
        return _mapping_from_text(context, node, text)
    if wanted == "boolean":
        truth = _TRUTHS.get(str(found).strip().lower())
        return f"write `{truth}`" if truth else ""
    return _number_from_text(wanted, found, text)


def _number_from_text(wanted: str, found: Value, text: str) -> str:
    match = _NUMBER.fullmatch(text.strip())
    if not match or (wanted == "integer" and match[2]):
        return ""
    number = f"{match[1]}.{match[2]}" if match[2] else match[1]
    return f"write `{found}` without quotes" if number == text else f"write `{number}`"


def _list_from_text(context: FieldContext, node: Node, text: str) -> str:
    """The list that a text stands for."""
    field, model = context.field, context.model
    of_items = field is not None and field.kind == "items"
    if context.path[0] == "moved":
        move = _MOVE.fullmatch(text)
        return _write([{"from": move[1], "to": move[2]}]) if move else ""
    if field and of_items and context.is_field:
        item = _item_from_text(field, text)
        return item.replace("`{", "`[{").replace("}`", "}]`")
    if model and model.called and context.is_list:
        return _write([{model.called: name} for name in _separated(text)])
    is_list = context.is_field or context.path[0] in DIRECTIVES or "lifecycle" in context.path
    if not is_list or of_items:
        return ""
    if (inner := _parsed(text)) is not None and isinstance(inner, list):
        return _write([item if isinstance(item, str) else str(item) for item in inner])
    style = node.event.style
    if style in ("|", ">"):
        return f"write `[{', '.join(written(line.strip()) for line in text.splitlines())}]`"
    if node.event.implicit[0] and re.fullmatch(r"-\S+(?: -\S+)*", text):
        first = text.split(" -")[0][1:]
        return f"write `- {first}`, with a space after each dash"
    items = _separated(text)
    if len(items) < 2:
        return _write([text] if text.strip() else [])
    if node.event.implicit[0]:
        return _write(items)
    return f"{_write([text])}, or `{written(items)}` for {len(items):,} items"


def _separated(text: str) -> list[Value]:
    """The items between commas or semicolons."""
    items = re.split(r"[,;]", text)
    return [item.strip() for item in items if item.strip()]


def _parsed(text: str) -> Value:
    """The list or the mapping that is written in a text; None if there is none."""
    normal = unicodedata.normalize("NFKC", text).strip()
    if normal[:1] not in ("[", "{"):
        return None
    document = parse(normal.encode("utf-8", "surrogatepass"), "")
    if document.problems or document.blanks or not document.root:
        return None
    value = document.root.value
    inner = value.values() if isinstance(value, dict) else value
    is_flat = not any(isinstance(item, list | dict) for item in inner)
    return value if value and is_flat else None


def _mapping_from_text(context: FieldContext, node: Node, text: str) -> str:
    """The mapping that a text stands for."""
    field, model = context.field, context.model
    if context.is_record and model:
        # A text of several lines: what is behind a space and another key is on the next line.
        match = _PAIR.fullmatch(re.split(r"\s(?=\w+\s*[:=])", text, maxsplit=1)[0])
        if match:
            return f"write `{match['key']}: {match['value']}`"
        if model.called and node.event.start_mark.line == node.event.end_mark.line:
            return f"write `{model.called}: {written(text)}`"
    if field and field.kind == "map" and context.is_field:
        inner = _parsed(text)
        if isinstance(inner, dict):
            return _write(inner)
        pairs = [_PAIR.fullmatch(part.strip()) for part in re.split("[,;]", text)]
        if pairs and all(pairs):
            return _write({pair["key"]: pair["value"].strip() for pair in pairs if pair})
    if field and field.kind == "items":
        return _item_from_text(field, text)
    if context.path[0] == "moved":
        match = _MOVE.fullmatch(text)
        return _write({"from": match[1], "to": match[2]}) if match else ""
    if context.path[-1:] == ("lifecycle",) and text == "prevent_delete":
        return _write({text: True})
    return ""


def _item_from_text(field: Field, text: str) -> str:
    """An item with this text in the one member that has its format."""
    name = next((name for name, member in field.members.items() if _fits(member, text)), None)
    if name is None:
        return ""
    parts = [
        f"{other}: {written(text) if other == name else 'NAME'}"
        for other, member in field.members.items()
        if member.required or other == name
    ]
    return f"write `{{{', '.join(parts)}}}`"


def _fits(member: Member, text: str) -> bool:
    return member.format == "uri" and re.match(r"\w+://", text) is not None


def _text(context: FieldContext, text: str) -> str:
    """The remedy for a text inside a list or a mapping, where it is meant to be alone."""
    field = context.member or context.field
    if context.is_field and field and field.kind in MOMENTS:
        is_valid = re.search(INSTANT if field.kind == "instant" else DATE, text)
        hint = date_hints.date_remedy(text, field.kind == "instant")
        return f"write `{text}`" if is_valid else hint
    if field and (field.format or field.enum):
        return ""
    return _write(text)


def _from_list(context: FieldContext, wanted: str, node: Node) -> str:
    if wanted == "string" and len(node.items) == 1 and isinstance(node.items[0].value, str):
        return _text(context, node.items[0].value)
    if wanted == "string" and context.path and isinstance(context.path[-1], int):
        return "remove the inner brackets" if not is_block(node) else "remove one of the dashes"
    if wanted != "object":
        return ""
    if context.is_record or isinstance(context.path[-1], int):
        return "remove one of the dashes" if is_block(node) else ""
    merged = _merged(node.items)
    if merged and is_block(node):
        name, value = next(iter(merged.items()))
        return f"write `{name}: {written(value)}`, and so on, without the dashes"
    return _write(merged) if merged else ""


def _merged(items: Iterable[Node]) -> dict[str, Value]:
    """One mapping for a list of mappings with one entry each, or of names and values."""
    merged: dict[str, Value] = {}
    for item in items:
        if not item.is_mapping:
            return {}
        members = item.value
        if {key.lower() for key in members} in ({"name", "value"}, {"key", "value"}):
            name, value = members.values()
            members = {str(name): value}
        if len(members) != 1:
            return {}
        merged |= members
    return merged


def _from_mapping(context: FieldContext, wanted: str, node: Node) -> str:
    names = list(node.members)
    values = list(node.members.values())
    if wanted == "string" and len(names) == 1:
        return _text_from_pair(context, names[0], values[0])
    if wanted != "array" or not names:
        return ""
    if all(value.blank for value in values):
        return _write(names)
    first = names[0]
    if first.startswith("-"):
        return f"write `- {first.lstrip('-')}`, with a space after the dash"
    model = context.model
    if context.path == ("moved",) and first in ("from", "to") and not is_block(node):
        return f"write `[{written(node.value)}]`"
    if context.path[-1] in DIRECTIVES or not model:
        return ""
    field = context.field
    known: Collection[str] = field.members if field and field.kind == "items" else model.fields
    if field and field.details:  # one row of details that are a list
        known = names
    if (field is None or field.kind == "items" or field.details) and first in known:
        if not is_block(node):
            return f"write `[{written(node.value)}]`"
        others = ", and indent the keys below it by 2 more spaces" if len(names) > 1 else ""
        return f"write `- {first}`{others}"
    if field is None and model.called and all(value.is_mapping for value in values):
        return f"write `- {model.called}: {written(first)}`, without the colon behind it"
    return ""


def _text_from_pair(context: FieldContext, name: str, value: Node) -> str:
    if value.blank:
        return _text(context, name)
    if not isinstance(value.value, str):
        return ""
    is_moment = context.field is not None and context.field.kind in MOMENTS
    if name in ("name", "key", "id") or is_moment:
        return _text(context, value.value)
    return _text(context, f"{name}: {value.value}")


def narrowed(remedy: str, context: FieldContext) -> str:
    """A remedy for an ambiguous word, without the readings that the field does not take."""
    kind = context.field.kind if context.field else ""
    wanted = _KINDS.get(kind)
    if context.path[context.depth :] == ("lifecycle", "prevent_delete"):
        wanted = ("a boolean",)
    if wanted is None:
        return remedy
    choices = re.split(r", (?=`)", remedy.removeprefix("write "))
    kept = [choice for choice in choices if choice.endswith(tuple(f"for {w}" for w in wanted))]
    if len(kept) == 1 and " or `" not in kept[0]:
        return f"write {kept[0].rpartition(' for ')[0]}"
    return f"write {', '.join(kept)}" if kept else remedy


_KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("text", "list", "reference", "references", "items"), ("text",)),
    **dict.fromkeys(("number", "integer"), ("a number",)),
    **dict.fromkeys(("date", "instant"), ("no value",)),
    "boolean": ("a boolean",),
    "map": ("text", "a number"),
}
"""The readings of a word that make sense in a field of a kind."""


def marked_length(document: Document, node: Node, remedy: str) -> int:
    """How many characters of a list or a mapping a remedy replaces."""
    if not remedy.startswith("write `"):
        return 1
    location = document.location(node.event)
    rest = document.line(location.line)[location.column - 1 :]
    if remedy.startswith("write `- ") and node.is_mapping:  # replaces the first key alone
        return len(next(iter(node.members)))
    depth = 0
    for position, character in enumerate(rest):
        if depth == 0 and position and character in ",]}":
            return position
        depth += (character in "[{") - (character in "]}")
        if depth == 0 and character in "]}":
            return position + 1
    return 1 if depth else len(rest.rstrip())
