"""Random edits of many manifests, each checked.

Files are written as careful people do it. Nothing may be wrong, and few edits may be refused.
`python -m tests.manifests.edit_many --edits 100000` takes an hour.
"""

from __future__ import annotations

import argparse
import copy
import difflib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from stemctl.manifests.editor.differences import differences
from stemctl.manifests.editor.edit import edit_text
from stemctl.manifests.editor.edits import Add, Edit, Put, Take, edited
from stemctl.manifests.editor.splices import CannotEdit
from stemctl.manifests.formatter.layout import format_text
from stemctl.manifests.reader import parse
from stemctl.util.json_equality import same_json
from tests.support.tidy import CHILDREN, FIELDS, SECTIONS, WORDS, manifest, record, value

BATCHES = 8
"""Times that one file is edited, one edit after the other."""


def value_of(text: str) -> Any:
    document = parse(text.encode(), "f.yaml")
    assert not document.problems, document.problems
    return document.root.value if document.root else {}


def random_edits(rng: random.Random, data: Any) -> list[Edit]:
    """Some edits, as commands make them."""
    found: list[Edit] = []
    touched: list[tuple[str | int, ...]] = []
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5, 15])):
        path, some = one_edit(rng, data)
        if any(overlap(path, other) for other in touched):
            continue
        touched.append(path)
        found += some
    return found


def overlap(one: Sequence[str | int], other: Sequence[str | int]) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def records_of(data: Any) -> Iterator[tuple[str | int, ...]]:
    for section in SECTIONS:
        for number, fields in enumerate(data.get(section) or ()):
            yield section, number
            for children in CHILDREN:
                for inner in range(len(fields.get(children) or ())):
                    yield section, number, children, inner


def at(data: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        data = data[step]
    return data


def one_edit(rng: random.Random, data: Any) -> tuple[tuple[str | int, ...], list[Edit]]:
    """One change below a path; some take several edits."""
    records = list(records_of(data))
    kinds = ["field", "field", "field", "list", "list", "unset", "record", "gone", "child"]
    kind = rng.choice(kinds)
    if kind == "record" or not records:
        section = rng.choice(SECTIONS)
        return (section, "new"), [Add((section,), record(rng, rng.randint(10, 99)))]
    path = rng.choice(records)
    fields = at(data, path)
    name = rng.choice(FIELDS)
    match kind:
        case "gone":
            return path, [Take(path)]
        case "child":
            order = (*FIELDS, *CHILDREN)
            below = (*path, rng.choice(CHILDREN))
            return (*below, "new"), [Add(below, record(rng, rng.randint(10, 99)), order)]
        case "unset" | "list":
            names = [one for one, part in fields.items() if part and one != "name"]
            name = rng.choice(names or ["name"])
            old = fields.get(name)
            below = (*path, name)
            if kind == "list" and old and isinstance(old, (list, dict)):
                return below, differences(below, old, changed(rng, old))
            return below, [Take(below)] if names else []
    return (*path, name), [Put((*path, name), value(rng), tuple(FIELDS))]


def changed(rng: random.Random, old: Any) -> Any:
    """A list or mapping that is a little different."""
    new = copy.deepcopy(old)
    if isinstance(new, list):
        for _ in range(rng.randint(1, 2)):
            if new and rng.random() < 0.5:
                new.pop(rng.randrange(len(new)))
            else:
                is_scalar = not isinstance(old[0], dict)
                extra: Any = rng.choice(WORDS) if is_scalar else {"name": "new", "n": 1}
                new.insert(rng.randint(0, len(new)) if rng.random() < 0.3 else len(new), extra)
        return new
    name = rng.choice([*new, "new"])
    if name in new and rng.random() < 0.4:
        del new[name]
    else:
        new[name] = value(rng, 1)
    return new


def check(text: str, new: str, edits: Sequence[Edit]) -> None:
    """Everything that an edit promises."""
    data = value_of(text)
    assert same_json(value_of(new), edited(data, edits)), "another value"
    before, after = format_text(plain(text)), format_text(plain(new))
    left = iter(before.comments)
    assert all(comment in left for comment in after.comments), "another order of comments"
    if before.text == plain(text):
        difference = difflib.unified_diff(
            after.text.split("\n"), plain(new).split("\n"), "formatted", "edited", n=1
        )
        assert after.text == plain(new), "no longer formatted:\n" + "\n".join(difference)
    assert ("\r\n" in text) == ("\r\n" in new) or "\n" not in new or "\n" not in text
    assert new.count("\n") == new.count("\r\n") or "\r\n" not in text, "mixed line ends"
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    if text.endswith("\n"):
        assert not new or new.endswith("\n")
    check_rest(text, new, edits)


def check_rest(text: str, new: str, edits: Sequence[Edit]) -> None:
    """Records that are not touched have the lines that they had."""
    for block in untouched(text, edits):
        assert block in new, f"changed though untouched:\n{block}"


def untouched(text: str, edits: Sequence[Edit]) -> Iterator[str]:
    document = parse(text.encode(), "f.yaml")
    lines = text.removeprefix("\ufeff").split("\n")
    paths = {edit.path[:2] for edit in edits}
    for section, node in document.root.members.items() if document.root else ():
        for number, item in enumerate(node.items):
            if (section, number) not in paths and (section,) not in paths and item.is_mapping:
                last = max(part.start_mark.line for part in item.keys.values())
                yield "\n".join(lines[item.event.start_mark.line : last])


def told(text: str, new: str, edits: Sequence[Edit]) -> str:
    """What was edited, and what became of it."""
    lines = difflib.unified_diff(text.split("\n"), new.split("\n"), "old", "new", n=4, lineterm="")
    return "\n".join([*map(str, edits), *lines])


def plain(text: str) -> str:
    """As the formatter sees it."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def run(edits: int, seed: int = 0) -> tuple[int, Counter[str]]:
    """Edit so many times. Returns how many edits were made, and the reasons of refusals.

    Raises:
        AssertionError: an edit is wrong; with all that is needed to see it again.
    """
    made, refused = 0, Counter[str]()
    while made + refused.total() < edits:
        seed += 1
        rng = random.Random(-seed)
        text = manifest(seed)
        for _ in range(BATCHES):
            wanted = random_edits(rng, value_of(text))
            if not wanted:
                continue
            try:
                new = edit_text(text, wanted)
            except CannotEdit as error:
                refused[error.why] += 1
                continue
            try:
                check(text, new, wanted)
            except AssertionError as error:
                raise AssertionError(f"{error}\nseed {seed}\n{told(text, new, wanted)}") from None
            made += 1
            text = new
    return made, refused


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made, refused = run(options.edits, options.seed)
    print(f"{made:,} made, {refused.total():,} refused")
    for why, count in refused.most_common():
        print(f"{count:8,} {count / options.edits:7.3%}  {why}")


if __name__ == "__main__":
    main()
