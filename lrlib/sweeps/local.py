"""All runs of a study: what is recorded, and a scheduler that does the rest, each run in its own process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from time import monotonic, sleep
from typing import IO

import torch
from filelock import Timeout

from lrlib._checks import check_float, check_int
from lrlib.runs.config import RunConfig
from lrlib.runs.record import Run, write_run
from lrlib.sweeps.study import Planned, Study, StudyError, plan, read_study
from lrlib.training.machine import Target, check_path, hardware, resolve
from lrlib.training.run import take_turns, training

#: A worker, and the file that takes what it complains of.
Working = tuple[subprocess.Popen, IO[str]]

__all__ = [
    "Planned",
    "Study",
    "StudyError",
    "do",
    "hours_left",
    "plan",
    "read_study",
    "run_study",
    "status",
]


def status(study: Study) -> dict[str, list[Planned]]:
    """Return the runs by state: finished, diverged, running, cut, missing.

    Examples
    --------
    >>> from lrlib.sweeps.local import plan
    >>> study = plan("demo", {"preset": "digits", "recipes": ["linear"], "seeds": [1]}, Path("nowhere"))
    >>> {state: len(runs) for state, runs in status(study).items()}
    {'finished': 0, 'diverged': 0, 'running': 0, 'cut': 0, 'missing': 1}
    """
    states: dict[str, list[Planned]] = {
        state: [] for state in ("finished", "diverged", "running", "cut", "missing")
    }
    for planned in study.runs:
        states[planned.state()].append(planned)
    return states


def hours_left(study: Study, *, jobs: int = 1) -> float | None:
    """Return the hours that the rest of a study takes here, `jobs` at a time; None if nothing tells.

    It goes by the seconds an update took in the study's own records on a processor or GPU of this name.

    Raises
    ------
    TypeError, ValueError
        If `jobs` is not an integer >= 1.

    Examples
    --------
    >>> from lrlib.sweeps.local import plan
    >>> hours_left(plan("demo", {"preset": "digits", "recipes": ["linear"], "seeds": [1]}, Path("nowhere")))
    """
    jobs = check_int("jobs", jobs, least=1)
    runs = [(planned, planned.recorded()) for planned in study.runs]
    here = [run for _, run in runs if run is not None and run.provenance.hardware in _hardware()]
    updates = sum(epoch.updates for run in here for epoch in run.epochs)
    if not updates:
        return None
    # Seconds of a run in company are those of the whole company.
    a_update = sum(run.provenance.seconds / run.provenance.together for run in here) / updates
    return a_update * sum(planned.config.total_steps for planned, run in runs if run is None) / jobs / 3600


def _hardware() -> set[str]:
    """Return the names that records of this machine have: its processor's, and its GPU's."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return {hardware(torch.device(device)) for device in devices}


def do(
    planned: Planned,
    *,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    progress: bool | None = False,
    command: str = "lrlib.sweeps.local.do",
) -> Run | None:
    """Do one run, from its checkpoint if there is one, and record it; None if it is recorded, or another's.

    `threads`, `path`, `deterministic` and `progress` are those of `lrlib.training.run.train`.

    Raises
    ------
    CheckpointError, RecordError, StudyError, DataError
        If a file of the run is damaged or belongs to another one.

    Examples
    --------
    >>> import tempfile
    >>> from lrlib import preset
    >>> config = preset("digits", recipe="linear", seed=0, epochs=1, train_images=50)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     planned = Planned(config, Path(folder, "linear-seed0.json"))
    ...     planned.state(), do(planned).status, planned.state()
    ('missing', 'finished', 'finished')
    """
    target = resolve(planned.config, threads=threads, path=path, deterministic=deterministic)
    with target.own_settings():
        ((_, run),) = take_turns([doing(planned, target, progress=progress, command=command)])
    return run


def doing(planned: Planned, target: Target, **how) -> Generator[None, None, Run | None]:
    """Do one run as `do` does, an update with each `next`; `how` is for `lrlib.training.run.training`.

    Its result is None if it is recorded, another's, or was stopped.
    """
    planned.record.parent.mkdir(parents=True, exist_ok=True)
    try:
        with planned.held():
            if planned.recorded() is not None:
                return None
            run = yield from training(
                planned.config,
                target,
                checkpoint=planned.checkpoint,
                resume=planned.checkpoint.exists(),
                **how,
            )
            if run is None:
                return None
            write_run(run, planned.record)
    except Timeout:
        return None
    planned.tidy()
    return run


def run_study(
    study: Study,
    *,
    jobs: int = 1,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    hours: float | None = None,
    command: str = "lrlib.sweeps.local.run_study",
    say: Callable[[str], None] = print,
) -> bool:
    """Do what is missing of a study, `jobs` runs at a time, each in a process of its own.

    Recorded runs are skipped, cut ones go on from their checkpoint, and those that another process holds are
    left to it. Ending this one, by Ctrl-C, by `hours` or by a kill, costs at most the epochs in progress.

    Parameters
    ----------
    study : Study
    jobs : int
        >= 1.
    threads : int or None
        Threads a run. None leaves it to `lrlib.training.run.train`; several jobs share the cores.
    path : {"auto", "plain", "fast", "compiled", "graph"}
        How the runs compute; see `lrlib.training.run.train`.
    deterministic : bool
        See `lrlib.training.run.train`.
    hours : float or None
        Stop after so many, > 0.
    command : str
        What the records say they were started by.
    say : callable
        Takes the lines that report what is going on.

    Returns
    -------
    bool
        True if nothing failed; what is left for want of time is no failure.

    Examples
    --------
    >>> from lrlib.sweeps.local import plan
    >>> nothing = Study("nothing", "A study without runs", ())
    >>> run_study(nothing, say=print)
    nothing: 0 of 0 runs are recorded.
    True
    """
    jobs = check_int("jobs", jobs, least=1)
    if hours is not None:
        hours = check_float("hours", hours, allowed="> 0 and finite", ok=lambda x: x > 0)
    check_path(path)
    if threads is None and jobs > 1:
        threads = max(1, (os.cpu_count() or 1) // jobs)
    end = monotonic() + 3600 * hours if hours else float("inf")
    waiting = missing(study, path=path)
    working: dict[Planned, Working] = {}
    failed = 0
    try:
        while (waiting or working) and monotonic() < end:
            while waiting and len(working) < jobs:
                planned = waiting.pop(0)
                if planned.state() == "running":
                    say(f"{planned.name}: left to another process")
                else:
                    working[planned] = _start(
                        planned, threads=threads, path=path, deterministic=deterministic, command=command
                    )
            sleep(0.05)
            for planned in [one for one, (worker, _) in working.items() if worker.poll() is not None]:
                failed += _report(study, planned, working.pop(planned), jobs=jobs, say=say)
    finally:
        for worker, complaints in working.values():
            worker.terminate()
            worker.wait()
            complaints.close()
    sum_up(study, say)
    return failed == 0


def missing(study: Study, *, path: str = "auto") -> list[Planned]:
    """Return the runs of a study that are not recorded; remove what recorded ones have left over.

    Raises
    ------
    StudyError
        If the study was recorded on another device than this machine would go on with, or on a GPU by another
        path: its runs would no longer be compared like with like.
    """
    waiting, recorded = [], []
    for planned in study.runs:
        run = planned.recorded()
        if run is None:
            waiting.append(planned)
        else:
            planned.tidy()
            recorded.append(run.provenance)
    if waiting and recorded:
        target = resolve(waiting[0].config, path=path)
        then, now = {(p.device, p.path) for p in recorded}, (target.device.type, target.path)
        if "cuda" in {now[0], *(device for device, _ in then)} and then != {now}:
            was, would = (", ".join(f"{d} by path {p}" for d, p in sorted(ways)) for ways in (then, {now}))
            raise StudyError(
                f"{study.name} was recorded on {was}, and would go on on {would}; choose the same device and "
                "path, or give the records another folder (--out)"
            )
    return waiting


def sum_up(study: Study, say: Callable[[str], None]) -> None:
    """Report how much of a study is recorded."""
    recorded = sum(planned.recorded() is not None for planned in study.runs)
    say(f"{study.name}: {recorded} of {len(study.runs)} runs are recorded.")


def _start(planned: Planned, **how) -> Working:
    # A file, and no pipe: a worker that says more than a pipe holds would wait for ever.
    complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    task = {"config": planned.config.model_dump(mode="json"), "record": str(planned.record), "how": how}
    worker = subprocess.Popen(
        [sys.executable, "-m", "lrlib.cli", "study", "work"],
        stdin=subprocess.PIPE,
        stderr=complaints,
        text=True,
    )
    with contextlib.suppress(BrokenPipeError):  # it has ended already; `_report` says why
        worker.stdin.write(json.dumps(task))
        worker.stdin.close()
    return worker, complaints


def _report(study: Study, planned: Planned, working: Working, *, jobs: int, say) -> bool:
    """Report how a worker ended; return True if it failed."""
    worker, complaints = working
    with complaints:
        complaints.seek(0)
        complaint = complaints.read()
    if worker.returncode:
        last = complaint.strip().splitlines()[-1:] or [f"ended with {worker.returncode}"]
        say(f"{planned.name}: failed: {last[0].removeprefix('lrlib: ')}")
        return True
    run = planned.recorded()
    if run is None:
        say(f"{planned.name}: left to another process")
        return False
    left = hours_left(study, jobs=jobs)
    say(ended(study, planned.name, run) + ("" if left is None else f"; {left:.1f} h left"))
    return False


def ended(study: Study, name: str, run: Run) -> str:
    """Return what is said of a run that was just recorded."""
    recorded = sum(other.record.exists() for other in study.runs)
    return (
        f"[{recorded}/{len(study.runs)}] {name}: {run.status} after {len(run.epochs)} epochs, "
        f"test accuracy {run.epochs[-1].test_accuracy:.2%}, {run.provenance.seconds / 60:.1f} min"
    )


def work(text: str) -> None:
    """Do the run that `run_study` wrote to this process's standard input."""
    task = json.loads(text)
    planned = Planned(RunConfig(**task["config"]), Path(task["record"]))
    do(planned, **task["how"])
