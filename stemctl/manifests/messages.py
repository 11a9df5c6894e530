"""Schema errors of a manifest, in the words of its author: code, message and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from stemctl.core.diagnostics import Diagnostic
from stemctl.manifests import (
    detail_hints,
    name_hints,
    nesting_hints,
    type_hints,
)
from stemctl.manifests.document import Document, Node, code_span
from stemctl.manifests.field_context import FieldContext, Message, field_context
from stemctl.manifests.rule_messages import control_character, no_value_remedy, rule_message
from stemctl.manifests.scalars import quoted
from stemctl.manifests.schema_errors import SchemaError
from stemctl.schema.catalog import Catalog
from stemctl.schema.fields import DetailType
from stemctl.schema.manifest_schema import DIRECTIVES
from stemctl.schema.patterns import CONTROL, KEY
from stemctl.util.json_types import Path
from stemctl.util.suggest import nearest


class Translator:
    """Turns the schema errors of one document into diagnostics."""

    def __init__(
        self, document: Document, catalog: Catalog, type_: DetailType | None = None
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.type_ = type_
        """The type of the details that the errors are about, if it does not stand beside them."""

    def _context(self, path: Path) -> FieldContext:
        return field_context(path, self.document, self.catalog, self.type_)

    def findings(self, error: SchemaError) -> Iterator[Diagnostic]:
        """The diagnostics of one error: an object with three unknown keys has three."""
        context = self._context(error.path)
        if name_hints.is_short_move(error):
            if error.keyword == "required":
                yield self._at_value(context, error, name_hints.move(error))
        elif error.keyword == "additionalProperties":
            for name in error.found.keys() - set(error.properties):
                message = self._unknown(context, name, error)
                yield self._at_key((*error.path, name), error, message)
        elif error.keyword == "required" and context.detail_type:
            known = tuple(map(str, error.properties))
            meant = {name_hints.meant(name, known) for name in error.found.keys() - set(known)}
            for name in error.expected:
                if name not in error.found and name not in meant:
                    message = detail_hints.missing_part(context, error, name)
                    yield self._at_value(context, error, message)
        elif error.keyword == "required":
            known = tuple(context.model.fields if context.model else ()) or error.properties
            known = tuple(context.field.members) if context.field else known
            unknown = error.found.keys() - set(known)
            meant = {name_hints.meant(name, known) for name in unknown}
            for name in error.expected:
                if name not in error.found and name not in meant:
                    yield self._at_value(context, error, name_hints.missing(context, error, name))
        elif error.of_key:
            path = (*error.path, error.found)
            yield self._at_key(path, error, name_hints.bad_name(context, error))
        else:
            yield self._at_value(context, error, self._message(context, error))

    def no_value(self, path: Path, node: Node) -> Diagnostic:
        """A key or list item without a value."""
        finding = self._no_value(path, node)
        assert finding.location
        column = finding.location.column - 1
        if comment := re.match(r"[\w-]*:?[ \t]+(#\w.*)", finding.line[column:]):
            message = f"{finding.message}, since `#` begins a comment"
            remedy = f"write `{quoted(comment[1].rstrip())}` after it"
            finding = replace(finding, message=message, remedy=remedy)
        return finding

    def _no_value(self, path: Path, node: Node) -> Diagnostic:
        context = self._context(path)
        if path and isinstance(path[-1], str):
            message, event = f"{code_span(path[-1])} has no value", self._key(path)
            if remedy := self._not_indented(context, path):
                return self.document.finding(
                    event, "no-value", message, remedy, address=context.address
                )
        else:
            message, event = "this list item has no value", node.event
        return self.document.finding(
            event,
            "no-value",
            message,
            no_value_remedy(context),
            address=context.address,
            field=context.field_name,
        )

    def _not_indented(self, context: FieldContext, path: Path) -> str:
        """The remedy if what belongs to a key is below it, but not indented by more."""
        field, model = context.field, context.model
        if not field or not model or not context.is_field or field.kind not in ("map", "items"):
            return ""
        names = list(self._node(path[:-1]).members)
        below = names[names.index(str(path[-1])) + 1 :]
        strange = next((name for name in below[:1] if name not in model.fields), None)
        if strange and self.catalog.child(model, strange):
            return ""
        return f"indent {code_span(strange)} by 2 more spaces" if strange else ""

    def _node(self, path: Path) -> Node:
        assert self.document.root is not None
        return self.document.root.at(path)

    def _key(self, path: Path) -> Any:
        """The event of the key that `path` ends in."""
        return self._node(path[:-1]).keys[str(path[-1])]

    def _at_key(self, path: Path, error: SchemaError, message: Message) -> Diagnostic:
        context = self._context(path)
        return self.document.finding(self._key(path), *message, **_details(context, error))

    def _at_value(self, context: FieldContext, error: SchemaError, message: Message) -> Diagnostic:
        details = _details(context, error)
        node = self._node(context.path)
        if message[0] == "too-long":  # a line of carets under the whole text would not help
            details["length"] = 1
        elif node.text is None:
            details["length"] = type_hints.marked_length(self.document, node, message[2])
        return self.document.finding(node.event, *message, **details)

    def _message(self, context: FieldContext, error: SchemaError) -> Message:
        if error.keyword == "pattern" and context.path[0] in DIRECTIVES:
            return self._bad_address(error.found)
        node = self._node(error.path)
        about_details = detail_hints.message(context, error, node)
        return about_details or rule_message(context, error, node)

    def _unknown(self, context: FieldContext, name: str, error: SchemaError) -> Message:
        """A key that the schema does not have."""
        if not context.path or context.path == ("defaults",):
            node = self._node((*context.path, name))
            return name_hints.unknown_section(context, error, node, name=name, catalog=self.catalog)
        if context.detail_type or (context.field and context.field.details):
            return detail_hints.unknown_field(context, name)
        model = context.model if context.is_record else None
        if model is None:
            message = f"{code_span(context.label)} has no field {code_span(name)}"
            return name_hints.unknown("unknown-field", message, name, error.properties)
        nested = nesting_hints.misplaced_list(context, model, name, self.catalog)
        if found := nested or nesting_hints.no_handle(model, name):
            return found
        if name in model.fields and model.fields[name].read_only:
            remedy = nesting_hints.instead_of(model, model.fields[name], self.catalog)
            return name_hints.read_only(model, name, self.catalog, remedy)
        if context.in_defaults and (name in ("key", "id") or name in model.fields):
            message = f"defaults cannot set `{name}`"
            return "defaults-identity", message, f"write the {name} in each {model.words}"
        message = f"{model.name} has no field {code_span(name)}"
        otherwise = f"`stemctl explain {model.name}` lists its fields"
        if below := detail_hints.home_of(model, name):
            otherwise = f"write it below `{below}:`"
        return name_hints.unknown("unknown-field", message, name, error.properties, otherwise)

    def _bad_address(self, text: str) -> Message:
        word, slash, key = text.partition("/")
        if bad := re.search(CONTROL, key):
            return "bad-address", f"the key contains {control_character(bad[0])}", "remove it"
        if not word or not slash or not re.search(KEY, key):
            remedy = name_hints.address(text, self.catalog) or "write `MODEL/KEY`"
            return "bad-address", "this is not an address", remedy
        model = self.catalog.find(word)
        if model and not model.writable:
            return "bad-address", name_hints.cannot_be_written(model, self.catalog), "remove it"
        if model is None and (gone := name_hints.gone_address(word, self.catalog)):
            return gone
        names = [m.name for m in self.catalog.writable]
        near = [model.name] if model else nearest(word, names, 1)
        message = f"unknown model {code_span(word)}"
        if not near:
            return "bad-address", message, name_hints.one_of(names)
        return "bad-address", name_hints.did_you_mean(message, near[0]), f"write `{near[0]}/{key}`"


def _details(context: FieldContext, error: SchemaError) -> dict[str, Any]:
    return {
        "address": context.address,
        "field": context.field_name,
        "value": error.found,
        "rule": error.rule,
    }
