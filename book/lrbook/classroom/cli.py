"""The command line of the class study: who runs what, and the table of what was handed in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from lrbook.classroom.assignment import SCHEDULES, ClassError, assignment, read_list, write_list
from lrbook.classroom.merge import merge
from lrlib._files import TextError, read_text

class_app = typer.Typer(help="The class study: who runs what, and what came of it.", no_args_is_help=True)

EVERYONE = ",".join(SCHEDULES)
Schedules = Annotated[str, typer.Option(help="Names with commas between them.")]


@class_app.command()
def assign(
    students: Annotated[str, typer.Argument(help="How many, or a text file with a name a line.")],
    schedules: Schedules = EVERYONE,
    first_seed: Annotated[int, typer.Option(help="Another one makes another experiment.")] = 11,
    out: Annotated[Path | None, typer.Option(help="Write the list to this CSV file too.")] = None,
) -> None:
    """Print who runs which schedule with which seed."""
    # Of more than 12 digits, as many: a slip, whatever it is, and Python reads none of thousands.
    who = int(students[:12]) if students.isdecimal() else names_in(Path(students))
    assigned = assignment(who, schedules=split(schedules), first_seed=first_seed)
    # First the file, then the terminal: what cannot be shown must not cost what was to be written.
    written = None if out is None else write_list(assigned, out)
    width = max(len(a.student) for a in assigned)
    for a in assigned:
        typer.echo(f"{a.number:>4}  {a.student:{width}}  {a.schedule:10} seed {a.seed}")
    if written is not None:
        typer.echo(f"Written to {written}")


@class_app.command("merge")
def merge_folder(
    folder: Annotated[Path, typer.Argument(help="What was handed in: a folder, or one zip.")],
    list_: Annotated[
        Path | None, typer.Option("--list", help="The CSV file of `lrlib class assign --out`.")
    ] = None,
    students: Annotated[
        int | None, typer.Option(help="Without a list: the class's size, as for `lrlib class assign`.")
    ] = None,
    schedules: Schedules = EVERYONE,
    first_seed: Annotated[int, typer.Option(help="As for `lrlib class assign`.")] = 11,
) -> None:
    """Print the class's own table 1.1, and what is missing, doubled, changed or foreign."""
    if list_ is not None and students is not None:
        raise ValueError("take --list or --students, not both: the list says how many there are")
    assigned = read_list(list_) if list_ is not None else None
    if students is not None:
        assigned = assignment(students, schedules=split(schedules), first_seed=first_seed)
    study = merge(folder, assigned=assigned)
    typer.echo(study.report())
    if not study.runs:
        raise ValueError(f"{folder}: no record in it can be used")


def split(names: str) -> list[str]:
    """Return the names in a text such as "constant, linear"."""
    return [name.strip() for name in names.split(",") if name.strip()]


def names_in(path: Path) -> list[str]:
    """Return the names in a text file, one a line."""
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        raise ClassError(
            f"students must be a number or a text file, got {path}, and there is no such file"
        ) from None
    except TextError as error:
        raise ClassError(f"{path} {error}") from None
    # Of a spreadsheet with one column, empty cells may be left at the ends of lines, and quotes around names.
    names = [line.strip().rstrip(",;").strip().strip('"') for line in lines]
    if {"number", "schedule", "seed"} <= set(re.split("[,;\t]", "".join(names[:1]).lower())):
        raise ClassError(f"{path} is a list that was assigned already; give it to merge with --list")
    return [name for name in names if name]
