"""Who runs what in a class study: the assignment, and its list as a CSV file."""

from __future__ import annotations

import csv
import io
import numbers
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lrbook.classroom.inbox import shown
from lrlib._checks import check_int
from lrlib._checks import shown as checked
from lrlib._errors import LrlibError
from lrlib._files import TextError, read_text, write_atomically
from lrlib.schedules.recipes import get_recipe

#: Three of the five schedules in the survey's table 1.1: thirty students give each of them ten seeds. With
#: all five there are six, and a class mostly ends at "not decidable".
SCHEDULES = ("constant", "drop", "linear")


#: More would be a slip, and its list would fill the memory.
MOST_STUDENTS = 100_000


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
        if students > MOST_STUDENTS:
            raise ClassError(f"students must be at most {MOST_STUDENTS:,}, got {checked(students)}")
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


def mine(number: int, *, students: int, **how: Any) -> Assigned:
    """Return what the student of this number runs in a class of so many; `how` is as for `assignment`.

    Parameters
    ----------
    number : int, 1 to students
    students : int, >= 1

    Raises
    ------
    ClassError
        If there is no such number: another student's run would be trained.

    Examples
    --------
    >>> print(mine(4, students=30))
    number 4: constant with seed 12
    """
    assigned = assignment(students, **how)
    whole = isinstance(number, numbers.Integral) and not isinstance(number, bool)
    if not (whole and 1 <= number <= len(assigned)):
        raise ClassError(f"number must be a whole number from 1 to {len(assigned)}, got {number!r}")
    return assigned[int(number) - 1]


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
    rows.writerows(a._replace(student=_no_formula(a.student)) for a in assigned)
    # With a byte order mark: without it spreadsheets take UTF-8 for another encoding.
    write_atomically(Path(path), lambda file: file.write(text.getvalue().encode("utf-8-sig")))
    return Path(path)


def read_list(path: str | Path) -> list[Assigned]:
    """Return who runs what from a CSV file, as `lrlib class assign --out` or a spreadsheet wrote it.

    Columns are found by their names, in any order, between commas, semicolons or tabs; rows without content,
    as spreadsheets add them, are skipped. A cell that cannot be read is a ClassError, which names line,
    column and value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_list(write_list(assignment(["Ada"]), f"{folder}/class.csv"))
    [Assigned(number=1, student='Ada', schedule='constant', seed=11)]
    """
    path = Path(path)
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise ClassError(f"{path}: there is no such file") from None
    except TextError as error:
        raise ClassError(f"{path}: the list {error}") from None
    # A spreadsheet may say in a line of its own what stands between the cells ("sep=;").
    skipped = 1 if re.match(r"sep=.\r?\n", text, re.IGNORECASE) else 0
    text = text.split("\n", 1)[1] if skipped else text
    # Commas; semicolons in a country with decimal commas; tabs, if it was saved as "Text".
    head = text.splitlines()[0] if text.strip() else ""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    try:  # all lines first: csv.Error comes while rows are read
        lines = [(rows.line_num + skipped, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        where = f"line {rows.line_num + skipped}"
        raise ClassError(f"{path}, {where}: not a line of a list ({error})") from None
    lines = [(number, row) for number, row in lines if any(row)]
    columns = [name.lower() for name in lines[0][1]] if lines else []
    if not {"number", "schedule", "seed"} <= set(columns):
        raise ClassError(f"{path}: its first line must name {', '.join(Assigned._fields)}")
    found = []
    for number, row in lines[1:]:
        cells = dict(zip(columns, row, strict=False))  # a row may be short, or longer than the first line
        where = f"{path}, line {number}"
        try:
            schedule = get_recipe(cells.get("schedule", "")).label
        except ValueError as error:
            raise ClassError(f"{where}: {error}") from None
        student, seed = _whole(cells, "number", where, least=1), _whole(cells, "seed", where, least=0)
        found.append(Assigned(student, _name(cells.get("student", "")), schedule, seed))
    if not found:
        raise ClassError(f"{path}: the list is empty")
    return found


#: What a cell begins with that a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@")


def _no_formula(name: str) -> str:
    """Return a name as a spreadsheet shows it: with an apostrophe before what it would compute or fetch."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _name(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _whole(cells: dict[str, str], column: str, where: str, *, least: int) -> int:
    """Return the whole number of a cell; a spreadsheet may have written 7 as 7.0 or 7,0."""
    text = cells.get(column, "")
    if not re.fullmatch(r"[0-9]{1,9}([.,]0+)?", text) or int(re.split("[.,]", text)[0]) < least:
        raise ClassError(f"{where}: {column} must be a whole number >= {least}, got {text[:40]!r}")
    return int(re.split("[.,]", text)[0])
