"""Who runs what in a class study: the assignment, and its list as a CSV file."""

from __future__ import annotations

import csv
import io
import numbers
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lrbook.classroom.inbox import shown
from lrlib._checks import check_int
from lrlib._errors import LrlibError
from lrlib._files import write_atomically
from lrlib.schedules.recipes import get_recipe

#: Three of the five schedules in the survey's table 1.1: thirty students give each of them ten seeds. With
#: all five there are six, and a class mostly ends at "not decidable".
SCHEDULES = ("constant", "drop", "linear")


class ClassError(LrlibError, ValueError):
    """A class study that cannot be set up or merged; the message is one sentence.

    Examples
    --------
    >>> assignment(0)
    Traceback (most recent call last):
        ...
    lrbook.classroom.assignment.ClassError: students must be at least one, got none
    """


class Assigned(NamedTuple):
    """What one student runs: a number from 1, a name (or ""), a schedule and a seed.

    Examples
    --------
    >>> assignment(["Ada", "Emmy"])[1]
    Assigned(number=2, student='Emmy', schedule='drop', seed=11)
    """

    number: int
    student: str
    schedule: str
    seed: int

    def __str__(self) -> str:
        student = f" ({shown(self.student)})" if self.student else ""
        return f"number {self.number}{student}: {self.schedule} with seed {self.seed}"


def assignment(
    students: int | Sequence[str], *, schedules: Sequence[str] = SCHEDULES, first_seed: int = 11
) -> list[Assigned]:
    """Return who runs what: schedules come equally often, and seeds are shared.

    Student i runs schedule i mod k of the k schedules, with seed first_seed + floor(i / k): each seed goes
    through all schedules before the next begins. If the last student would be alone with a seed and there are
    more than two schedules, the student before runs the last schedule with that seed, so that the two runs
    can be compared.

    Parameters
    ----------
    students : int, >= 1, or list of names
    schedules : list of names, see `RECIPES`
        With three, thirty students give ten seeds of each.
    first_seed : int, >= 0
        The book's own runs have seeds below 11, so that a class makes new ones.

    Examples
    --------
    >>> [(a.schedule, a.seed) for a in assignment(4, schedules=["constant", "linear"])]
    [('constant', 11), ('linear', 11), ('constant', 12), ('linear', 12)]
    >>> [a.seed for a in assignment(4)]
    [11, 11, 12, 12]
    """
    if isinstance(students, Sequence) and not isinstance(students, str):
        names = list(students)
        for name in names:
            if not isinstance(name, str):
                raise ClassError(f"students must be a number or a list of names, got {name!r} in the list")
    elif isinstance(students, numbers.Integral):
        names = [""] * check_int("students", students, least=0)
    else:
        raise ClassError(f"students must be a number or a list of names, got {students!r}")
    seed = check_int("first_seed", first_seed, least=0)
    schedules = [get_recipe(name).label for name in schedules]
    if not names:
        raise ClassError("students must be at least one, got none")
    if not schedules or len(set(schedules)) < len(schedules):
        raise ClassError(f"schedules must be at least one, none twice, got {schedules}")
    k = len(schedules)
    cells = [(schedules[i % k], seed + i // k) for i in range(len(names))]
    if len(cells) > k > 2 and len(cells) % k == 1:
        cells[-2] = (schedules[-1], cells[-1][1])
    return [Assigned(i + 1, name.strip(), *cells[i]) for i, name in enumerate(names)]


def write_list(assigned: Sequence[Assigned], path: str | Path) -> Path:
    """Write who runs what as CSV, for a spreadsheet, and return the path; an existing file is replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_list(assignment(2), f"{folder}/class.csv").name
    'class.csv'
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(Assigned._fields)
    rows.writerows(assigned)
    # With a byte order mark: without it spreadsheets take UTF-8 for another encoding.
    write_atomically(Path(path), lambda file: file.write(text.getvalue().encode("utf-8-sig")))
    return Path(path)


def read_list(path: str | Path) -> list[Assigned]:
    """Return who runs what from a CSV file, as `lrlib class assign --out` or a spreadsheet wrote it.

    Columns are found by their names, between commas or semicolons. A line that cannot be read is a
    ClassError, which names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_list(write_list(assignment(["Ada"]), f"{folder}/class.csv"))
    [Assigned(number=1, student='Ada', schedule='constant', seed=11)]
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ClassError(f"{path}: the list cannot be read ({error}); save it as CSV in UTF-8") from None
    # A spreadsheet in a country with decimal commas writes semicolons.
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if not {"number", "schedule", "seed"} <= set(rows.fieldnames or ()):
        raise ClassError(f"{path}: its first line must name {', '.join(Assigned._fields)}")
    found = []
    try:  # all lines first: csv.Error comes while rows are read
        lines = [(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise ClassError(f"{path}, line {rows.line_num + 1}: not a line of a list ({error})") from None
    for number, row in lines:
        try:
            schedule = get_recipe((row["schedule"] or "").strip()).label
            name = (row.get("student") or "").strip()
            found.append(Assigned(int(row["number"]), name, schedule, int(row["seed"])))
        except (TypeError, ValueError) as error:
            raise ClassError(f"{path}, line {number}: {error}") from None
    if not found:
        raise ClassError(f"{path}: the list is empty")
    return found
