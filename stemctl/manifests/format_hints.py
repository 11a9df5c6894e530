"""What to type in place of a text that is not in the form its field wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

from stemctl.schema.patterns import FORMATS

UUID = "an id looks like 01234567-89ab-cdef-0123-456789abcdef"

_WORDS = {
    "uuid": ("not a UUID", UUID),
    "uri": (
        "not an address on the web",
        "begin it with https://, http:// or ftp://, and write spaces as %20",
    ),
    "email": ("not an e-mail address", "write NAME@DOMAIN"),
}


def explain(name: str, text: str) -> tuple[str, str]:
    """Message and remedy for a text that is not in the format `name`."""
    message, remedy = _WORDS[name]
    better = next(
        (guess for guess in _guesses(name, text) if re.search(FORMATS[name], guess)), None
    )
    return message, f"write {better}" if better else remedy


def _guesses(name: str, text: str) -> Iterator[str]:
    """What may be meant, to be judged by the format itself."""
    if name == "uuid" and len(digits := re.sub("[^0-9A-Fa-f]", "", text)) == 32:
        yield "-".join(digits[start:end] for start, end in pairwise((0, 8, 12, 16, 20, 32)))
    if name == "uri":
        encoded = quote(text.strip(), safe="/:?#[]@!$&'()*+,;=%~")
        yield encoded
        if re.match(r"[\w-]+(\.[\w-]+)+(/|$)", text, re.ASCII):
            yield f"https://{encoded}"
