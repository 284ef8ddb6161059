"""What others printed: the survey's table, and the logs of the tutorial that the table was taken from."""

from __future__ import annotations

import json
import math
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lrlib._checks import no_such
from lrlib._errors import LrlibError
from lrlib._files import TextError, read_text
from lrlib.runs.config import sentence
from lrlib.schedules.recipes import SOURCE

__all__ = [
    "Citation",
    "Column",
    "Published",
    "PublishedError",
    "SourceRow",
    "SurveyRow",
    "Table",
    "published",
]


class PublishedError(LrlibError, ValueError):
    """A file of published numbers that cannot be trusted; the message is one sentence that names the file.

    Examples
    --------
    >>> published("no-such-file.json")
    Traceback (most recent call last):
        ...
    lrlib.runs.published.PublishedError: no-such-file.json: there is no such file
    """


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Citation(_Model):
    """Where numbers were printed; None for what the print does not say.

    Examples
    --------
    >>> print(published().source.citation)
    Adrian Rosebrock, Keras learning rate schedules and decay, 2019-07-22 (updated 2020-06-11), \
https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/
    """

    title: str
    author: str | None
    published: Annotated[date | None, Field(strict=False)]
    updated: Annotated[date | None, Field(strict=False)]
    url: Annotated[str, Field(pattern="^https://")] | None
    note: str

    def __str__(self) -> str:
        updated = f" (updated {self.updated})" if self.updated else ""
        day = f"{self.published}{updated}" if self.published else None
        return ", ".join(part for part in (self.author, self.title, day, self.url) if part)


class Column(_Model):
    """What the numbers of a column are: as headed in print, in our words, unit, decimals printed.

    Examples
    --------
    >>> published().survey.columns["loss"].printed_as
    'Loss'
    """

    printed_as: str
    meaning: str
    unit: Literal["nats", "fraction of the images"]
    decimals: Annotated[int, Field(ge=1)]


class _Row(_Model):
    schedule: str
    printed_as: str


class SurveyRow(_Row):
    """One schedule of the survey's table 1.1, which prints a schedule a column.

    Examples
    --------
    >>> published().survey.row("drop")
    SurveyRow(schedule='drop', printed_as='Drop based decay', accuracy=0.87, loss=0.1821)
    """

    accuracy: float
    loss: float


class SourceRow(_Row):
    """The end of one training log of the source.

    Examples
    --------
    >>> row = published().source.row("drop")
    >>> row.train_loss, row.test_loss, row.test_accuracy
    (0.1821, 0.722, 0.868)
    """

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    report_accuracy: float


Row = TypeVar("Row", bound=_Row)


class Table(_Model, Generic[Row]):
    """Printed numbers, a row a schedule, with their citation and what each column is.

    Examples
    --------
    >>> table = published().source
    >>> table.column("test_accuracy")["linear"] - table.column("test_accuracy")["constant"] > 0.03
    True
    """

    citation: Citation
    columns: dict[str, Column]
    rows: Annotated[tuple[Row, ...], Field(strict=False)]

    def row(self, schedule: str) -> Row:
        """Return the row of a schedule, by the name of its recipe."""
        for row in self.rows:
            if row.schedule == schedule:
                return row
        raise ValueError(no_such("schedule", schedule, [row.schedule for row in self.rows]))

    def column(self, name: str) -> dict[str, float]:
        """Return one column, from schedule to number."""
        if name not in self.columns:
            raise ValueError(no_such("column", name, self.columns))
        return {row.schedule: getattr(row, name) for row in self.rows}


class Published(_Model):
    """The survey's table 1.1, and the logs of its source.

    Examples
    --------
    >>> both = published()
    >>> both.survey.column("loss") == both.source.column("train_loss")
    True
    """

    schema_version: Literal[1]
    survey: Table[SurveyRow]
    source: Table[SourceRow]


def published(path: str | Path | None = None) -> Published:
    """Return the published numbers that come with the package.

    Set beside our own records, mind what they are: the survey's Loss is a *training* loss with the L2 penalty
    in it (`train_loss` plus `penalty` of a record), printed beside a *test* accuracy; and each is one run
    without a seed.

    Parameters
    ----------
    path : path or None
        Another file of this form; None takes the package's.

    Raises
    ------
    PublishedError
        If the file is missing, or its numbers do not have the decimals, units and schedules it says.

    Examples
    --------
    >>> published().survey.column("accuracy")
    {'constant': 0.84, 'time': 0.82, 'drop': 0.87, 'linear': 0.87, 'poly5': 0.86}
    """
    file = files("lrlib") / "recorded" / "published.json" if path is None else Path(path)
    try:
        both = Published.model_validate(json.loads(read_text(Path(str(file)))))
    except FileNotFoundError:
        raise PublishedError(f"{file}: there is no such file") from None
    except TextError as error:
        raise PublishedError(f"{file}: {error}") from None
    except ValidationError as error:
        raise PublishedError(f"{file}: {sentence(error)}") from None
    except ValueError as error:
        raise PublishedError(f"{file}: not whole JSON ({error})") from None
    problem = _disagreement(both.survey) or _disagreement(both.source)
    if problem:
        raise PublishedError(f"{file}: {problem}")
    return both


def _disagreement(table: Table[Row]) -> str:
    """Return what does not fit together in a table, or nothing."""
    title, names = table.citation.title, [row.schedule for row in table.rows]
    if sorted(names) != sorted(SOURCE):
        return f"the schedules of {title!r} must be {', '.join(SOURCE)}, got {', '.join(names)}"
    for row in table.rows:
        numbers = {name: value for name, value in row if name not in _Row.model_fields}
        if numbers.keys() != table.columns.keys():
            return f"the columns of {title!r} must be {', '.join(numbers)}, got {', '.join(table.columns)}"
        for name, value in numbers.items():
            decimals, unit = table.columns[name].decimals, table.columns[name].unit
            if round(value, decimals) != value:
                return f"{name} of {row.schedule!r} must have {decimals} decimals, got {value}"
            if not (0 < value < math.inf and (unit == "nats" or value <= 1)):
                return f"{name} of {row.schedule!r} must be a number of {unit!r}, got {value}"
    return ""
