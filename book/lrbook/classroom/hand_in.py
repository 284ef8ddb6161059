"""Write the record of a student's run under the student's number."""

from __future__ import annotations

from pathlib import Path

from lrlib._checks import check_int
from lrlib.runs.record import RecordError, Run, run_from
from lrlib.runs.store import run_name, write_run


def hand_in(run: Run, *, number: int, folder: str | Path = ".") -> Path:
    """Write the record of a student's run as class-<number>-<schedule>-seed<seed>.json, and return its path.

    Nothing is overwritten: if the file is there with the same result it stays as it is, and another result is
    written beside it, with -2, -3, ... at the end of its name.

    Parameters
    ----------
    run : Run
    number : int, >= 1
        The student's number on the list. No names are stored.
    folder : path

    Examples
    --------
    >>> import tempfile
    >>> from lrlib import load_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     hand_in(load_runs("pilot-laptop")[1], number=7, folder=folder).name
    'class-07-linear-seed0.json'
    """
    check_int("number", number, least=1)
    name, again = f"class-{number:02d}-{run_name(run.config, study=True)}", 1
    while (path := Path(folder, f"{name}{f'-{again}' if again > 1 else ''}.json")).exists():
        if _same_result(path, run):
            return path
        again += 1
    return write_run(run, path)


def _same_result(path: Path, run: Run) -> bool:
    # What was measured, without the provenance: a cell that is run again differs in its times.
    try:
        return run_from(path.read_bytes(), str(path)).measured() == run.measured()
    except (OSError, RecordError):
        return False
