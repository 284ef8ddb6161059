"""Tables as HTML, in the class that the book's style makes fit a phone; and words in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Entry", "Table", "cell", "listed", "results_table"]


class Entry(NamedTuple):
    """A cell of a table: its text, a small second line, and the number of columns that it spans.

    Examples
    --------
    >>> Entry("no run yet", columns=5)
    Entry(text='no run yet', spread='', columns=5)
    """

    text: str
    spread: str = ""
    columns: int = 1


class Table(NamedTuple):
    """A table in HTML that shows itself in a notebook.

    Examples
    --------
    >>> Table(results_table(["run"], [["linear"]])).html.count("<tr>")
    2
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html


def cell(entry: Entry) -> str:
    """Return a cell as HTML.

    Examples
    --------
    >>> cell(Entry("5 < 6", "n = 1"))
    '<td>5 &lt; 6<br><small>n = 1</small></td>'
    """
    wide = f' colspan="{entry.columns}"' if entry.columns > 1 else ""
    spread = f"<br><small>{escape(entry.spread)}</small>" if entry.spread else ""
    return f"<td{wide}>{escape(entry.text)}{spread}</td>"


def results_table(head: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]]) -> str:
    """Return a table as HTML: the first cell of a row names it; numbers stand at the right.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences
        Each as long as the head. A cell is a text, or a pair: the text, and a small line below it.
        ``**text**`` is bold.

    Examples
    --------
    >>> html = results_table(["run", "loss"], [["a < b", ("**0.5**", "n = 2")]])
    >>> '<th scope="row">a &lt; b</th><td><strong>0.5</strong><br><small>n = 2</small></td>' in html
    True
    """
    lines = []
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"a row must have {len(head)} cells as the head has, got {list(row)}")
        name, *cells = map(_content, row)
        lines.append(f'<tr><th scope="row">{name}</th>{"".join(f"<td>{each}</td>" for each in cells)}</tr>')
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f'<div class="results"><table class="results"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def listed(words: Iterable[str]) -> str:
    """Return words as English lists them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _content(content: str | tuple[str, str]) -> str:
    text, small = content if isinstance(content, tuple) else (content, "")
    bold = len(text) > 4 and text.startswith("**") and text.endswith("**")
    text = f"<strong>{escape(text[2:-2])}</strong>" if bold else escape(text)
    return f"{text}<br><small>{escape(small)}</small>" if small else text
