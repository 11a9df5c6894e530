"""The scripts of shells, and the words that they send and take.

A script calls stemctl with `_STEMCTL_COMPLETE` set to the name of the shell. zsh and fish send the
words, without quotes. bash sends the line itself: it splits words at characters such as `:` and
`=`, and replaces only what is behind the last of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from stemctl.cli.completion.next_words import Proposal, Proposals
from stemctl.util.late_pattern import late_pattern

SHELLS = ("bash", "zsh", "fish")

_SCRIPTS = Path(__file__).with_name("scripts")


def script(shell: str) -> str:
    """The script that a shell is to run when it starts."""
    return (_SCRIPTS / f"stemctl.{shell}").read_text(encoding="utf-8")


def words_of(shell: str, sent: Sequence[str]) -> list[str]:
    """The words after `stemctl` that a shell sent, the last one being typed."""
    if shell == "bash":
        line = sent[0] if sent else ""
        words = [unquoted(word) for word in split(line)]
        return words[_program(words) + 1 :]
    if shell == "fish":  # the last word as it was typed
        return [*sent[:-1], *map(unquoted, sent[-1:])]
    return list(sent)


def _program(words: Sequence[str]) -> int:
    """Where the program is: variables may be set before it."""
    return next((at for at, word in enumerate(words) if not _VARIABLE.match(word)), 0)


_VARIABLE = late_pattern(r"[A-Za-z_]\w*\+?=")


def answer(shell: str, sent: Sequence[str], found: Proposals) -> str:
    """The lines that the script of a shell reads: how to complete, then the words."""
    if found.paths:
        return f"{found.paths}\n"
    is_open = any(each.open for each in found.words)
    if shell == "bash":
        how = "open" if is_open else "words"
        return "\n".join([how, *_for_bash(sent, found.words)]) + "\n"
    lines = [
        "\t".join(["open" if each.open else "word", each.text, each.help.replace("\t", " ")])
        for each in found.words
    ]
    if shell == "fish":
        lines = [line.partition("\t")[2].rstrip("\t") for line in lines]
    return "\n".join(["words", *lines]) + "\n"


def _for_bash(sent: Sequence[str], proposals: Sequence[Proposal]) -> list[str]:
    """What replaces the part of the word that bash replaces, quoted as that part is."""
    line, part = (*sent, "", "")[:2]
    raw = split(line)[-1]
    kept = raw[: len(raw) - len(part)] if raw.endswith(part) else ""
    before, quote = unquoted(kept), _open_quote(kept)
    return [
        _quoted(each.text[len(before) :], quote)
        for each in proposals
        if each.text.startswith(before)
    ]


def split(line: str) -> list[str]:
    """The words of a line as they are typed, with their quotes; the last one may be empty."""
    words, word, quote, escaped = [], "", "", False
    for character in line:
        if character.isspace() and not quote and not escaped:
            if word:
                words.append(word)
            word = ""
            continue
        word += character
        quote, escaped = _next(character, quote, escaped)
    return [*words, word]


def _next(character: str, quote: str, escaped: bool) -> tuple[str, bool]:
    """The open quote, and whether the next character is escaped, after a character."""
    if escaped:
        return quote, False
    if character == "\\" and quote != "'":
        return quote, True
    if character == quote:
        return "", False
    return (character if not quote and character in "'\"" else quote), False


def _open_quote(raw: str) -> str:
    quote, escaped = "", False
    for character in raw:
        quote, escaped = _next(character, quote, escaped)
    return quote


def unquoted(raw: str) -> str:
    """The text that a typed word means; a quote may still be open."""
    text, quote, escaped = "", "", False
    for character in raw:
        before, was_escaped = quote, escaped
        quote, escaped = _next(character, quote, escaped)
        if was_escaped and before == '"' and character not in '$`"\\':
            text += "\\"
        if was_escaped or (quote == before and not escaped):
            text += character
    return text


_PLAIN = late_pattern(r"[\w./:=@%+,-]*")


def _quoted(text: str, quote: str) -> str:
    """A text as it is typed, outside of quotes or inside of those that are open."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        return re.sub(r'([$`"\\])', r"\\\1", text)
    if _PLAIN.fullmatch(text):
        return text
    return re.sub(r"([^\w./:=@%+,-])", r"\\\1", text)
