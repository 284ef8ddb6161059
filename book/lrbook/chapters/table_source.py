"""Where the survey's table comes from: its source's columns that hold a number, and pairs at odds."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from lrbook.chapters._write import results_table
from lrlib._checks import no_such
from lrlib.runs.published import Published, published

__all__ = ["at_odds", "origin", "origin_table"]


def at_odds(loss: Mapping[str, float], accuracy: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the pairs of schedules in which the one with the lower loss has the lower accuracy, too.

    Examples
    --------
    >>> at_odds({"time": 0.25, "drop": 0.5, "linear": 0.1}, {"time": 0.5, "drop": 0.75, "linear": 0.75})
    [('time', 'drop')]
    """
    pairs = combinations((name for name in loss if name in accuracy), 2)
    return [(a, b) for a, b in pairs if (loss[a] - loss[b]) * (accuracy[a] - accuracy[b]) > 0]


def origin(column: str, both: Published | None = None) -> dict[str, tuple[str, ...]]:
    """Return, for each number of a column of the survey's table, the source's columns that hold it.

    A column holds it if its number, rounded half up to the decimals that the survey prints, is equal. Only
    columns of the same unit are compared.

    Parameters
    ----------
    column : {"accuracy", "loss"}
    both : Published or None
        None takes the package's.

    Examples
    --------
    >>> origin("loss")["drop"]
    ('train_loss',)
    """
    both = both or published()
    if column not in both.survey.columns:
        raise ValueError(no_such("column", column, both.survey.columns))
    about = both.survey.columns[column]
    found = {}
    for schedule, printed in both.survey.column(column).items():
        row = both.source.row(schedule)
        same = [
            name
            for name in _candidates(column, both)
            if _round(getattr(row, name), about.decimals) == printed
        ]
        found[schedule] = tuple(same)
    return found


def origin_table(column: str, both: Published | None = None) -> str:
    """Return a table as HTML: the survey's numbers, and the source's columns, with equal ones in bold.

    Examples
    --------
    >>> "<td>0.5328</td><td><strong>0.5328</strong></td><td>0.9788</td>" in origin_table("loss")
    True
    """
    both = both or published()
    names = _candidates(column, both)
    heads = [both.source.columns[name].printed_as.partition(",")[0] for name in names]
    heads = ["report" if "report" in name else head for head, name in zip(heads, names, strict=True)]
    rows = []
    for schedule, same in origin(column, both).items():
        row, about = both.source.row(schedule), both.survey.columns[column]
        cells = [f"{getattr(row, name):.{both.source.columns[name].decimals}f}" for name in names]
        cells = [f"**{cell}**" if name in same else cell for cell, name in zip(cells, names, strict=True)]
        rows.append([schedule, f"{both.survey.column(column)[schedule]:.{about.decimals}f}", *cells])
    return results_table(["schedule", f"survey: {both.survey.columns[column].printed_as}", *heads], rows)


def _candidates(column: str, both: Published) -> list[str]:
    unit = both.survey.columns[column].unit
    return [name for name, about in both.source.columns.items() if about.unit == unit]


def _round(value: float, decimals: int) -> float:
    # Through the printed digits: 0.8650 is 0.86499... to a float, and would go the other way.
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
