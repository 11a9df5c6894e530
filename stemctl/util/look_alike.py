"""Texts that look the same to people and are not: what they differ in."""

from __future__ import annotations

import unicodedata

from stemctl.util import characters
from stemctl.util.late_pattern import late_pattern
from stemctl.util.safe_text import visible

_TWINS = dict(
    zip(
        "аеорсухіјѕАВЕКМНОРСТХІЈЅαορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "aeopcyxijsABEKMHOPCTXIJSaopvABEZHIKMNOPTYX",
        strict=True,
    )
)
_UNIFIED = str.maketrans(
    {
        **_TWINS,
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("‘’‚′`´", "'"),
        **dict.fromkeys("“”„″«»", '"'),
        **dict.fromkeys("\xad\u200b\u200c\u200d\u2060\ufeff\u200e\u200f", None),
    }
)
_PLAIN_LETTER = late_pattern("[A-Za-z0-9]")


def folded(text: str) -> str:
    """The text as people see it: texts with the same one are easily taken for each other."""
    if text.isascii():
        return " ".join(text.casefold().split())
    unified = unicodedata.normalize("NFKC", text.translate(_UNIFIED)).translate(_UNIFIED)
    return " ".join(unified.casefold().split())


def look_alike(left: str, right: str) -> bool:
    """Whether two different texts look the same, but perhaps for upper and lower case."""
    return left != right and folded(left) == folded(right)


def difference(here: str, there: str, words: tuple[str, str] = ("here", "there")) -> str:
    """What two texts that look alike differ in: the first place, with the code points. `words` say
    which one is which.
    """
    if here.casefold() == there.casefold():
        return "upper and lower case"
    before = _common(here, there)
    after = _common(here[before:][::-1], there[before:][::-1])
    left, right = here[before : len(here) - after], there[before : len(there) - after]
    if not (left and right) or unicodedata.combining((left or right)[0]):
        # The letter before belongs to it: e and a combining accent are one character on screen.
        base = here[before - 1 : before]
        if base.isalpha() and any(map(unicodedata.combining, left + right)):
            left, right = base + left, base + right
    return f"{_points(left)} {words[0]}, {_points(right)} {words[1]}"


def _common(left: str, right: str) -> int:
    """The length of their common beginning."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))


def _points(text: str) -> str:
    if not text:
        return "nothing"
    shown = [char if _PLAIN_LETTER.fullmatch(char) else characters.named(char) for char in text[:4]]
    return " + ".join(shown) + (" …" if len(text) > 4 else "")


def twin_of(text: str, candidates: list[str]) -> str:
    """A sentence about a candidate that looks the same as a text; empty if there is none."""
    for candidate in candidates:
        if look_alike(text, candidate):
            differs = difference(text, candidate)
            return f"`{visible(candidate)}` looks the same, but differs in {differs}"
    return ""
