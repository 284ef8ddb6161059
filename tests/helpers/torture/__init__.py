"""Bad days by the hundred: `python -m torture` is `make torture`, and tests have its shortened form.

Studies whose processes are killed, whose disk is full, whose clocks jump and which two processes do at once
(`studies`), files with flipped bits (`damage`), and inputs that no one should give (`inputs`). What may come
of it: the same records as without, and otherwise one sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: What no sentence of the product holds: Python's own words.
PYTHONS_WORDS = re.compile(
    r"Traceback|\b(?!LRLIB)[A-Z]\w*(?:Error|Exception|Warning)\b"
    r"|object has no attribute|'NoneType'|not subscriptable"
    r"|unsupported operand|not supported between|object is not|invalid literal|has no len|positional argument"
    r"|LRLIB_TRACEBACK|codec can't"
)


@dataclass
class Row:
    """A kind of bad day: how often it was had, what came of it, and what should not have."""

    kind: str
    times: int = 0
    came: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def had(self, came: str, times: int = 1) -> None:
        """Count one that ended as it may."""
        self.times += times
        self.came[came] = self.came.get(came, 0) + times

    def fault(self, sentence: str) -> None:
        """Note one that did not."""
        self.wrong.append(sentence)


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table.

    >>> row = Row("disk full")
    >>> row.had("one sentence", 3)
    >>> print(table([row]))
    | what | times | what came of it | wrong |
    |---|--:|---|--:|
    | disk full | 3 | one sentence 3 | 0 |
    """
    lines = ["| what | times | what came of it | wrong |", "|---|--:|---|--:|"]
    for row in rows:
        came = ", ".join(f"{what} {times:,}" for what, times in row.came.items())
        lines.append(f"| {row.kind} | {row.times:,} | {came} | {len(row.wrong)} |")
    return "\n".join(lines)
