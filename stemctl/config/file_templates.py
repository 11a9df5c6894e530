"""Templates of file names: `records/{model}/{date_time:%Y-%m}.yaml`.

A template is checked as far as that is possible without the models of an edition. Names of files
are made of it in `takeover/record_files`.
"""

from __future__ import annotations

import functools
import re

from msgspec import Struct

from stemctl.errors import ConfigError
from stemctl.util.late_pattern import late_pattern
from stemctl.util.plural import joined
from stemctl.util.safe_text import cut, visible
from stemctl.util.suggest import nearest

WORDS = ("model", "app", "name", "prefix")
"""What a template may say in braces, beside dates."""

ENDING = ".yaml"
EXAMPLE = "records/{model}/{date_time:%Y-%m}.yaml"

_BRACES = late_pattern(r"\{([^{}]*)\}|([{}])")
_FIELD = late_pattern("[a-z][a-z0-9_]*", re.ASCII)
_DIRECTIVES = "YymdHjGV"
_FORMAT = late_pattern(rf"(?:%[{_DIRECTIVES}]|[A-Za-z0-9_-])+", re.ASCII)
_LITERAL = late_pattern(r"[\w .+=@-]*")
_LONGEST = 200
_RESERVED = late_pattern(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)


class Word(Struct, frozen=True):
    """`{name}`, or `{date_time:%Y-%m}`: a date has a format."""

    name: str
    format: str = ""


Part = tuple[str | Word, ...]
"""A folder or the file: literal texts and words."""


class FileTemplate(Struct, frozen=True):
    """A template that was checked, by the folders and the file that its names have."""

    text: str
    parts: tuple[Part, ...]

    @property
    def dates(self) -> tuple[str, ...]:
        """The fields whose dates it uses."""
        words = [word for part in self.parts for word in part if isinstance(word, Word)]
        return tuple(dict.fromkeys(word.name for word in words if word.format))


class InvalidTemplate(ValueError):
    """A template that cannot be used: what is wrong, and what to write."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def option_template(text: str) -> FileTemplate:
    """The template of an option.

    Raises:
        ConfigError: it cannot be used.
    """
    try:
        return file_template(text)
    except InvalidTemplate as error:
        raise ConfigError(f"--layout: {error.what}.", error.remedy) from error


@functools.cache
def file_template(text: str) -> FileTemplate:
    """The template with this text.

    Raises:
        InvalidTemplate: a word or a date that is none, or a name that not every system takes.
    """
    if len(text) > _LONGEST:
        raise InvalidTemplate(
            f"{_shown(text)} is too long", f"Write at most {_LONGEST} characters."
        )
    if text.startswith(("/", "~")) or re.match("[A-Za-z]:", text):
        raise InvalidTemplate(
            f"{_shown(text)} is not below stemctl.yaml",
            f"Write a relative path, as in `{EXAMPLE}`.",
        )
    if not text.endswith(ENDING):
        right = f"{text.removesuffix('.yml').rstrip('/')}{ENDING}"
        raise InvalidTemplate(f"{_shown(text)} does not end in {ENDING}", f"Write `{right}`.")
    return FileTemplate(text, tuple(_part(part) for part in _split(text)))


def _split(text: str) -> list[str]:
    """The parts between slashes, those in braces excepted: an error shows these as they are."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == "/" and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _part(text: str) -> Part:
    found: list[str | Word] = []
    at = 0
    for match in _BRACES.finditer(text):
        if match[2]:
            raise InvalidTemplate(
                f"{_shown(text)} has a `{match[2]}` without its other half",
                f"Write a word between braces, as in `{EXAMPLE}`.",
            )
        found += [text[at : match.start()], _word(match[1])]
        at = match.end()
    found.append(text[at:])
    part = tuple(piece for piece in found if piece)
    _check_name(text, part)
    return part


def _word(text: str) -> Word:
    name, colon, form = text.partition(":")
    if not colon and name in WORDS:
        return Word(name)
    if colon and name in WORDS:
        raise InvalidTemplate(f"`{{{name}}}` takes no format", f"Write `{{{name}}}`.")
    if not _FIELD.fullmatch(name) or not colon:
        near = nearest(name.strip().lower(), WORDS, 1)
        known = joined([f"`{{{word}}}`" for word in WORDS], "or")
        raise InvalidTemplate(
            f"unknown word {_shown(f'{{{text}}}')}",
            f"Write `{{{near[0]}}}`."
            if near
            else f"Write {known}, or a date with its format, as in `{{date_time:%Y-%m}}`.",
        )
    if not _FORMAT.fullmatch(form) or "%" not in form:
        known = joined([f"`%{letter}`" for letter in _DIRECTIVES[:5]], "and")
        raise InvalidTemplate(
            f"{_shown(f'{{{text}}}')} is not the format of a date",
            f"Use {known} with - or _ between them, as in `{{{name}:%Y-%m}}`.",
        )
    return Word(name, form)


def _check_name(text: str, part: Part) -> None:
    """Refuse a name of a folder or file that git or some file system does not take."""
    literal = "".join(piece for piece in part if isinstance(piece, str))
    if not part or text in (".", ".."):
        raise InvalidTemplate(
            "a folder has no name" if not part else f"`{text}` is not the name of a folder",
            f"Write a path as in `{EXAMPLE}`.",
        )
    if isinstance(part[0], str) and part[0].startswith("."):
        raise InvalidTemplate(f"{_shown(text)} is hidden, so it is not read", "Remove the dot.")
    if not _LITERAL.fullmatch(literal):
        raise InvalidTemplate(
            f"{_shown(text)} has characters that some systems refuse in file names",
            "Use letters, digits and `_ - . + = @`.",
        )
    last = part[-1]
    if text[:1] == " " or (isinstance(last, str) and last.endswith((" ", "."))):
        raise InvalidTemplate(
            f"{_shown(text)} begins or ends with a space or dot", "Remove it: Windows refuses it."
        )
    if is_reserved(text):
        raise InvalidTemplate(f"{_shown(text)} is reserved", "Choose another name for it.")


def is_reserved(name: str) -> bool:
    """Whether a folder or file cannot be called so: devices of Windows, and folder defaults."""
    stem = name.partition(".")[0].rstrip()
    return bool(_RESERVED.fullmatch(stem)) or name.lower() in ("_defaults.yaml", "_defaults.yml")


def _shown(text: str) -> str:
    return f"`{cut(visible(text), 60)}`"
