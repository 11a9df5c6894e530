"""What the script of the page of a repository reads: one JSON document, in which each text is
there once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from stemctl.core.plan import Target
from stemctl.render.lab_groups import STATUS, Group
from stemctl.render.lab_view import LabView, ModelView
from stemctl.util.json_types import Value, is_id
from stemctl.util.safe_text import visible

_HARMLESS = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def lab_json(view: LabView, server: Target) -> str:
    """The document, without a character that could end the element it is in."""
    text = json.dumps(_document(view, server), ensure_ascii=False, separators=(",", ":"))
    for character, escape in _HARMLESS.items():
        text = text.replace(character, escape)
    return text


def address_of(server: Target) -> str:
    """The address below which a server has its records; empty if it is no server of the web."""
    is_web = urlsplit(server.url).scheme in ("https", "http")
    return f"{server.url}api/{server.portal}/" if is_web else ""


def _document(view: LabView, server: Target) -> Value:
    """`lab_page.js` names the places of each list."""
    texts = _Texts()
    shown = [*view.all_groups]
    for each in view.models:
        shown += [*each.groups, *([each.by] if each.by else [])]
    groups = {group: position for position, group in enumerate(dict.fromkeys(shown))}
    models = {one.model.name: position for position, one in enumerate(view.models)}
    positions = {row.address: position for position, row in enumerate(view.rows)}
    records = [
        [
            models[row.address.model],
            texts.at(row.name),
            positions.get(row.parent, -1) if row.parent else -1,
            texts.at(row.place),
            texts.at(row.id),
            texts.at(row.when),
            [texts.at(text) for pair in row.fields for text in pair],
            [
                part
                for group, said in all_said.items()
                if group in groups
                for part in (groups[group], [texts.at(text) for text in said])
            ],
            [texts.at(text) for text in row.changes],
            int(is_id(row.id) and view.models[models[row.address.model]].model.embedded is None),
        ]
        for row, all_said in zip(view.rows, view.groups, strict=True)
    ]
    return {
        "base": address_of(server),
        "first": -1 if view.first is None else view.first,
        "counted": [visible(group.title) for group in groups],
        "all": [groups[group] for group in view.all_groups],
        "models": [_model(model, groups) for model in view.models],
        "records": records,
        "status": groups[STATUS],
        "texts": texts.all,
    }


def _model(view: ModelView, groups: dict[Group, int]) -> Value:
    model = view.model
    return [
        model.title,
        model.count(2).partition(" ")[2],
        f"{model.app}/{model.name}/",
        [groups[group] for group in view.groups],
        -1 if view.by is None else groups[view.by],
        _words(view.moments),
        model.words,
    ]


def _words(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


class _Texts:
    """Texts, each once, by their position."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def at(self, text: str) -> int:
        return self._positions.setdefault(text, len(self._positions))

    @property
    def all(self) -> list[str]:
        return list(self._positions)
