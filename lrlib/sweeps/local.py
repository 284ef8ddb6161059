"""Do what is missing of a study on this machine, in processes that do one run after another."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any, cast

from lrlib._checks import check_float, check_int
from lrlib.runs.config import RunConfig
from lrlib.runs.record import Run
from lrlib.sweeps.one_run import do
from lrlib.sweeps.study import Planned, Study, StudyError
from lrlib.sweeps.timing import Tally
from lrlib.training.machine import check_path, resolve

__all__ = ["run_study"]


def run_study(
    study: Study,
    *,
    jobs: int | None = None,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    hours: float | None = None,
    command: str | Sequence[str] = "lrlib.sweeps.local.run_study",
    say: Callable[[str], None] = print,
) -> bool:
    """Do what is missing of a study in `jobs` processes, each of which does one run after another.

    Recorded runs are skipped, cut ones go on from their checkpoint, and those that another process holds are
    left to it. Ending this one, by Ctrl-C, by `hours` or by a kill, costs at most the epochs in progress. A
    run that fails ends its process, and the next run gets a new one.

    Parameters
    ----------
    study : Study
    jobs : int or None
        >= 1; None is 1.
    threads : int or None
        Threads a run. None leaves it to `lrlib.training.run.train`; several jobs share the cores.
    path : {"auto", "plain", "fast", "compiled", "graph"}
        How the runs compute; see `lrlib.training.run.train`.
    deterministic : bool
        See `lrlib.training.run.train`.
    hours : float or None
        Stop after so many, > 0.
    command : str or list of str
        What the records say they were started by.
    say : callable
        Takes the lines that report what is going on.

    Returns
    -------
    bool
        True if nothing failed; what is left for want of time is no failure.

    Examples
    --------
    >>> nothing = Study("nothing", "A study without runs", ())
    >>> run_study(nothing, say=print)
    nothing: 0 of 0 runs are recorded.
    True
    """
    jobs = 1 if jobs is None else check_int("jobs", jobs, least=1)
    end = monotonic() + seconds_of(hours)
    check_path(path)
    # Without this each worker would take all cores, and they would wait for one another.
    if threads is None and jobs > 1:
        threads = max(1, (os.cpu_count() or 1) // jobs)
    tally = Tally(study)
    waiting = missing(study, path=path, tally=tally)
    how = {"threads": threads, "path": path, "deterministic": deterministic, "command": command}
    working: dict[Planned, _Worker] = {}
    idle: list[_Worker] = []
    failed = 0
    try:
        while (waiting or working) and monotonic() < end:
            while waiting and len(working) < jobs:
                planned = waiting.pop(0)
                if planned.state() == "running":
                    say(f"{planned.name}: left to another process")
                else:
                    # Starting Python and torch takes longer than a small run: who did one does the next.
                    working[planned] = idle.pop() if idle else _Worker()
                    working[planned].begin(planned, how)
            sleep(0.05)  # a run takes seconds at least: looking 20 times a second costs nothing
            for planned in [one for one, worker in working.items() if worker.idle()]:
                worker = working.pop(planned)
                failed += _report(study, planned, worker, tally=tally, jobs=jobs, say=say)
                if worker.alive():
                    idle.append(worker)
    finally:
        # Also on Ctrl-C and SIGTERM: workers that went on unseen would hold their locks and the cores.
        for worker in (*working.values(), *idle):
            worker.end()
    sum_up(study, say)
    return failed == 0


def missing(study: Study, *, path: str = "auto", tally: Tally | None = None) -> list[Planned]:
    """Return the runs of a study that are not recorded; remove what recorded ones have left over.

    Raises
    ------
    StudyError
        As `check_alike` does, for this machine.
    """
    tally = tally or Tally(study)
    if tally.waiting and tally.ways:
        target = resolve(tally.waiting[0].config, path=path)
        check_alike(study, tally.ways, (target.device.type, target.path))
    return tidied(study, tally)


def tidied(study: Study, tally: Tally) -> list[Planned]:
    """Remove what recorded runs have left over, and return those that wait."""
    waiting = {planned.record for planned in tally.waiting}
    for planned in study.runs:
        if planned.record not in waiting:
            planned.tidy()
    return list(tally.waiting)


def check_alike(study: Study, then: set[tuple[str, str]], now: tuple[str, str]) -> None:
    """Refuse to go on with a study on another device than it was recorded on, or on a GPU by another path.

    Its runs would no longer be compared like with like. `then` and `now` are pairs of device and path.

    Raises
    ------
    StudyError
    """
    if then and "cuda" in {now[0], *(device for device, _ in then)} and then != {now}:
        was, would = (", ".join(f"{d} by path {p}" for d, p in sorted(ways)) for ways in (then, {now}))
        raise StudyError(
            f"{study.name} was recorded on {was}, and would go on on {would}; choose the same device and "
            "path, or give the records another folder (--out)"
        )


def sum_up(study: Study, say: Callable[[str], None]) -> None:
    """Report how much of a study is recorded."""
    recorded = sum(planned.recorded() is not None for planned in study.runs)
    say(f"{study.name}: {recorded} of {len(study.runs)} runs are recorded.")


def module_path() -> list[str]:
    """Return where workers find modules: as this process does, but in the current folder last.

    A student's random.py in it would be taken for Python's.
    """
    # In a notebook the current folder is first, as "": here it is last, for who has lrlib in it.
    return [folder for folder in sys.path if folder] + [os.getcwd()] * ("" in sys.path)


def worker_code() -> str:
    """Return what a worker's Python is told to do: find modules by `module_path`, and be a worker.

    By ``python -m`` the current folder would come first.
    """
    lines = ["import sys", f"sys.path[:] = {module_path()!a}", "sys.argv = ['lrlib', 'study', 'work']"]
    return "\n".join([*lines, "from lrlib.cli import main", "main()"])


class _Worker:
    """A process that does the runs it is told, one at a time.

    It is told a run by a line on its standard input, and says that it is done by a byte in a file. What it
    complains of goes into another. Files and no pipes: a worker that says more than a pipe holds would wait
    for ever, and the size of a file can be read without waiting, on any system.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="lrlib-")
        self.done = Path(self.folder.name, "done")
        self.done.touch()
        self.complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.told = 0
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", worker_code()],
            stdin=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
            # The file above is read as UTF-8, whatever this system writes into files.
            env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
        )

    def begin(self, planned: Planned, how: dict[str, Any]) -> None:
        config = planned.config.model_dump(mode="json")
        task = {"config": config, "record": str(planned.record), "how": how, "done": str(self.done)}
        stdin = cast(
            IO[str], self.process.stdin
        )  # as PIPE was asked for; `communicate` would wait for its end
        self.told += 1
        with contextlib.suppress(BrokenPipeError):  # it has ended already; `_report` says why
            stdin.write(json.dumps(task) + "\n")
            stdin.flush()

    def alive(self) -> bool:
        return self.process.poll() is None

    def idle(self) -> bool:
        """Return whether it did what it was told, or ended."""
        return self._is_done() or not self.alive()

    def _is_done(self) -> bool:
        return self.done.stat().st_size >= self.told

    def complaint(self) -> str | None:
        """Return why it ended before it was done, in its own last line; None if it did what it was told."""
        if self._is_done():
            return None
        self.complaints.seek(0)
        lines = self.complaints.read().strip().splitlines()
        return lines[-1].removeprefix("lrlib: ") if lines else f"ended with {self.process.returncode}"

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            cast(IO[str], self.process.stdin).close()
        self.complaints.close()
        self.folder.cleanup()


def _report(study: Study, planned: Planned, worker: _Worker, *, tally: Tally, jobs: int, say) -> bool:
    """Report how a worker's run ended; return True if it failed."""
    complaint = worker.complaint()
    if complaint is not None:
        worker.end()
        say(f"{planned.name}: failed: {complaint}")
        return True
    run = planned.recorded()
    if run is None:
        say(f"{planned.name}: left to another process")
        return False
    tally.add(run)
    say(with_hours(ended(study, planned.name, run, tally), tally.hours(jobs=jobs)))
    return False


def seconds_of(hours: float | None) -> float:
    """Return how many seconds so many hours have; infinity for None.

    Raises
    ------
    TypeError, ValueError
        If `hours` is neither None nor a finite number > 0.
    """
    if hours is None:
        return float("inf")
    return 3600 * check_float("hours", hours, allowed="> 0 and finite", ok=lambda x: x > 0)


def with_hours(line: str, left: float | None) -> str:
    """Return a line with the hours left behind it, if they are known."""
    return line if left is None else f"{line}; {left:.1f} h left"


def ended(study: Study, name: str, run: Run, tally: Tally | None = None) -> str:
    """Return what is said of a run that was just recorded; with a tally, at less cost for a large study."""
    recorded = tally.there() if tally else sum(each.record.exists() for each in study.runs)
    return (
        f"[{recorded}/{len(study.runs)}] {name}: {run.status} after {len(run.epochs)} epochs, "
        f"test accuracy {run.epochs[-1].test_accuracy:.2%}, {run.provenance.seconds / 60:.1f} min"
    )


def work() -> None:
    """Do the runs that `run_study` writes to this process's standard input, a line each, until it ends.

    A byte more in the file that a line names says that its run is done. The first run that fails ends the
    process.
    """
    for line in sys.stdin:
        task = json.loads(line)
        planned = Planned(RunConfig(**task["config"]), Path(task["record"]))
        do(planned, **task["how"])
        with Path(task["done"]).open("ab") as file:
            file.write(b".")
