"""Style sheets without what no page can match, made small.

A rule stays when each class, id and element that its selector needs is on one element of a page, or is a
word of a script that stays (scripts set classes). What stands in :not(), :is(), :where() or :has() never
drops a rule, so the purge errs on the side of keeping.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

WORD = re.compile(r"[A-Za-z_][\w-]*")
QUOTED = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
# A data address may hold any brace or semicolon: quoted strings and url() are passed over as a whole.
TOKEN = re.compile(rf"{QUOTED}|url\((?:\\.|[^)\\\"'])*\)|\\.|[{{}};]|[^{{}};\"'\\u]+|.", re.S)
NESTED = ("@media", "@supports", "@layer", "@container")


class Seen(NamedTuple):
    """What stands on the pages."""

    words: set[str]  # names of elements, classes, ids, attributes
    elements: set[tuple[str, str, frozenset[str]]]  # (name, id, classes) of each element
    dynamic: set[str]  # words in the strings of scripts


def without_comments(text: str) -> str:
    """Return a sheet without comments."""
    return re.sub(rf"({QUOTED})|/\*.*?\*/", lambda found: found[1] or "", text, flags=re.S)


def blocks(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield (what stands before a brace, what stands within), or (a declaration, None).

    >>> list(blocks("@charset 'a;b'; p { color: red }"))
    [("@charset 'a;b'", None), ('p', ' color: red ')]
    """
    depth, start, head = 0, 0, ""
    for match in TOKEN.finditer(text):
        token = match[0]
        if token == "{":
            if depth == 0:
                head, start = text[start : match.start()].strip(), match.end()
            depth += 1
        elif token == "}":
            depth -= 1
            if depth == 0:
                if head:
                    yield head, text[start : match.start()]
                start = match.end()
        elif token == ";" and depth == 0:
            if text[start : match.start()].strip():
                yield text[start : match.start()].strip(), None
            start = match.end()
    if depth:
        raise ValueError(f"a brace is not closed after {head[:60]!r}")
    if text[start:].strip():
        yield text[start:].strip(), None


def selectors(text: str) -> list[str]:
    """Split a list at its own commas, not at those in brackets or strings.

    >>> selectors("a, p:is(.b, .c)")
    ['a', 'p:is(.b, .c)']
    """
    parts, depth, last = [], 0, 0
    for match in re.finditer(rf"{QUOTED}|\\.|[()\[\],]", text, re.S):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth -= 1
        elif match[0] == "," and depth == 0:
            parts.append(text[last : match.start()])
            last = match.end()
    return [part.strip() for part in (*parts, text[last:])]


def can_match(selector: str, seen: Seen) -> bool:
    """Tell whether each compound of a selector has an element that could be it."""
    before = None
    while before != selector:  # inner brackets first
        before, selector = selector, re.sub(r":[\w-]+\([^()]*\)|\[[^\[\]]*\]", "", selector)
    selector = re.sub(r"::?[\w-]+", "", selector)
    if not set(WORD.findall(re.sub(r"[^\w.#-]+", " ", selector.replace("\\", "")))) <= seen.words:
        return False
    if "\\" in selector:
        return True
    for compound in re.split(r"[\s>+~]+", selector.strip()):
        tag = re.match(r"[A-Za-z][\w-]*", compound)
        classes = set(re.findall(r"\.([\w-]+)", compound)) - seen.dynamic
        ids = set(re.findall(r"#([\w-]+)", compound)) - seen.dynamic
        if (classes or ids) and not any(
            classes <= has and ids <= {key} and (not tag or tag[0] == name)
            for name, key, has in seen.elements
        ):
            return False
    return True


def purge(text: str, seen: Seen) -> str:
    """Return a sheet without the rules that no page can match."""
    out = []
    for head, body in blocks(text):
        if body is None:
            out += [f"{head};"] if not head.startswith("@charset") else []
        elif head.startswith(NESTED):
            inner = purge(body, seen)
            out += [f"{head}{{{inner}}}"] if inner else []
        elif head.startswith("@"):
            out.append(f"{head}{{{body}}}")
        else:
            kept = [selector for selector in selectors(head) if can_match(selector, seen)]
            out += [f"{','.join(kept)}{{{body}}}"] if kept and body.strip() else []
    return "".join(out)


def unused(text: str, elsewhere: str) -> str:
    """Return a sheet without properties that nothing reads, and keyframes and fonts that nothing names."""
    before = None
    while before != text:  # a property may have been read by another one alone
        read = set(re.findall(r"var\(\s*(--[\w-]+)", text)) | set(re.findall(r"--[\w-]+", elsewhere))
        before, text = text, _without_properties(text, read)
    played = " ".join(re.findall(r"animation(?:-name)?\s*:([^;}]*)", text))
    named = "".join(body for head, body in _rules(text) if not head.startswith("@font-face")).replace(
        "\\", ""
    )

    def needed(head: str, body: str) -> bool:
        if head.startswith("@keyframes"):
            return head.split()[1] in played
        if head.startswith("@font-face"):
            name = re.search(r"font-family\s*:\s*([^;]+)", body)[1].strip().strip("\"'").replace("\\", "")
            return name in named
        return bool(body.strip())

    return "".join(
        f"{head};" if body is None else f"{head}{{{body}}}"
        for head, body in blocks(text)
        if body is None or needed(head, body)
    )


def _rules(text: str) -> Iterator[tuple[str, str]]:
    return ((head, body) for head, body in blocks(text) if body is not None)


def _without_properties(text: str, read: set[str]) -> str:
    out = []
    for head, body in blocks(text):
        if body is not None:
            out.append(f"{head}{{{_without_properties(body, read)}}}")
        elif not head.startswith("--") or head.split(":")[0].strip() in read:
            out.append(f"{head};")
    return "".join(out)


def small(text: str) -> str:
    """Return a sheet without white space that means nothing."""
    held: list[str] = []

    def hold(match: re.Match) -> str:
        held.append(match[0])
        return f"\0{len(held) - 1}\0"

    text = re.sub(rf"{QUOTED}|url\([^)]*\)", hold, text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s*([{};,])\s*", r"\1", text)
    text = re.sub(r"([{;][\w-]+)\s*:\s*", r"\1:", text).replace(";}", "}")
    return re.sub(r"\0(\d+)\0", lambda match: held[int(match[1])], text).strip()


def rebase(text: str, folder: str) -> str:
    """Write the addresses of a sheet in ``folder`` as seen from the folder that holds that one.

    >>> rebase("url(../vendor/f.woff2) url(data:x)", "styles")
    'url(vendor/f.woff2) url(data:x)'
    """

    def move(match: re.Match) -> str:
        address = match[1].strip("\"' ")
        if re.match(r"[a-z]+:|/|#", address):
            return match[0]
        return f"url({os.path.normpath(f'{folder}/{address}')})"

    return re.sub(r"url\(\s*(\"[^\"]*\"|'[^']*'|[^)\"']*)\s*\)", move, text)


def follow_imports(text: str, read: Callable[[str], str]) -> str:
    """Put what ``read`` returns for its address in the place of each @import."""
    imports = r"@import\s+(?:url\()?[\"']?([^\"');]+)[\"']?\)?\s*;"
    return re.sub(imports, lambda match: read(match[1]), text)
