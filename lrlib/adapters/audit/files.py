"""Rates out of a file that somebody's logger wrote."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

from lrlib._files import TextError, read_text

#: A log of ten million updates.
MOST_BYTES = 500_000_000

#: Names of a column with rates, as loggers write them; the first that is there is taken.
COLUMNS = (
    "lr",
    "learning_rate",
    "learning rate",
    "rate",
    "train/learning_rate",
    "train/lr",
    "lr-sgd",
    "lr-adam",
)


def read_rates(path: Path | str, column: str | None = None) -> list[float]:
    """Return the rates in a text file: one a line, or a column of a CSV file (commas, semicolons or tabs).

    Lines whose rate is empty are left out, as loggers write some for other values.

    Parameters
    ----------
    path : path
        Text in UTF-8 or, with its mark in front, UTF-16.
    column : str, optional
        Name of the column. By default one of `COLUMNS`, or the only one that there is.

    Raises
    ------
    ValueError
        If there is no such column, or a rate is no finite number; with the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "log.csv")
    ...     _ = file.write_text("step,loss,lr\\n0,2.3,0.1\\n1,2.2,0.05\\n")
    ...     read_rates(file)
    [0.1, 0.05]
    """
    try:
        lines = read_text(Path(path), most=MOST_BYTES).splitlines()
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except TextError as error:
        raise ValueError(f"{path} {error}") from None
    if lines and re.fullmatch("sep=.", lines[0].strip(), re.IGNORECASE):
        lines[0] = ""  # a spreadsheet's own line, left empty so that the others keep their numbers
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    try:
        rows = [(number, row) for number, row in enumerate(csv.reader(lines, delimiter=delimiter), start=1)]
    except csv.Error as error:
        raise ValueError(f"{path} is not a table of cells ({error})") from None
    rows = [(number, [cell.strip() for cell in row]) for number, row in rows if any(map(str.strip, row))]
    if not rows:
        raise ValueError(f"{path} holds no rates")
    names = rows[0][1]
    if any(_number(name) is not None for name in names):  # no names
        if column is not None:
            raise ValueError(f"the first line of {path} has no names of columns, so there is no {column!r}")
        place = 0
        if len(names) > 1:
            raise ValueError(f"{path} has {len(names)} columns and no names; name them in a first line")
    else:
        place = _place(names, column, path)
        rows = rows[1:]
    rates = []
    for number, row in rows:
        cell = row[place] if place < len(row) else ""
        if not cell:
            continue
        value = _number(cell)
        if value is None or not math.isfinite(value):
            raise ValueError(f"line {number} of {path}: the rate must be a finite number, got {cell!r}")
        rates.append(value)
    return rates


def _place(names: list[str], column: str | None, path: Path | str) -> int:
    if column is not None:
        if column not in names:
            raise ValueError(f"{path} has no column {column!r}; it has {', '.join(names)}")
        return names.index(column)
    small = [name.lower() for name in names]
    known = next((small.index(name) for name in COLUMNS if name in small), None)
    if known is None and len(names) > 1:
        raise ValueError(f"say which column of {path} has the rates; it has {', '.join(names)}")
    return known or 0


def _number(cell: str) -> float | None:
    try:
        # A spreadsheet in a country with decimal commas writes 0,1.
        return float(
            cell.replace(",", ".") if re.fullmatch(r"[-+]?\d*,\d+(e[-+]?\d+)?", cell, re.I) else cell
        )
    except ValueError:
        return None
