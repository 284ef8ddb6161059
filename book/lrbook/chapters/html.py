"""Small tables as HTML, in the class that the book's style makes fit a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def results_table(head: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]]) -> str:
    """Return a table as HTML: the first cell of a row names it; numbers stand at the right.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences
        A cell is a text, or two: what stands large, and what stands small below it. ``**text**`` is bold.

    Raises
    ------
    ValueError
        If a row has not as many cells as the head.

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
        name, *cells = map(_cell, row)
        lines.append(f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return (
        f'<div class="results"><table class="results"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(content: str | tuple[str, str]) -> str:
    text, small = content if isinstance(content, tuple) else (content, "")
    bold = len(text) > 4 and text.startswith("**") and text.endswith("**")
    text = f"<strong>{escape(text[2:-2])}</strong>" if bold else escape(text)
    return f"{text}<br><small>{escape(small)}</small>" if small else text
