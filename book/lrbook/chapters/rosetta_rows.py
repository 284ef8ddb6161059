"""What a row of the table of six frameworks holds."""

from __future__ import annotations

from typing import NamedTuple


class Spelling(NamedTuple):
    """An expression; whether it needs a function of your own; what to know about its arguments."""

    code: str
    own: bool = False
    note: str = ""


class Row(NamedTuple):
    """A schedule: its name, lrlib's expression in T, and its spellings; a framework without one lacks it."""

    title: str
    lrlib: str
    spellings: dict[str, Spelling]
