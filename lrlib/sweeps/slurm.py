"""A study on a queue of Slurm, as an array job by submitit; or, for a rehearsal, as processes here.

Nodes of such a cluster share the study's folder: each task locks, trains and records its runs there, as a
worker on one machine does (`lrlib.sweeps.one_run`). This process submits, tells what is recorded, and gives
runs whose task was lost to a new one. It need not stay: killed, it leaves the tasks in the queue, and started
again it finds them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError, UncompletedJobError

from lrlib._checks import check_int
from lrlib._files import when_written, write_atomically
from lrlib.runs.config import RunConfig
from lrlib.sweeps.engines import Resources, environment
from lrlib.sweeps.local import check_alike, ended, module_path, seconds_of, sum_up, tidied, with_hours
from lrlib.sweeps.study import Planned, Study, StudyError
from lrlib.sweeps.timing import Tally
from lrlib.sweeps.together import asked_to_stop, run_together
from lrlib.training.machine import check_path, resolve

__all__ = ["Block", "run_on_slurm"]

#: Tasks of one array: Slurm takes 1,001, unless it is told otherwise (MaxArraySize).
ARRAY = 1000
#: Seconds between two looks at the folder and the queue.
LOOK, LOOK_HERE = 5.0, 0.2
#: What Slurm calls a task that will still come to its end.
ALIVE = {
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "COMPLETING",
    "REQUEUED",
    "REQUEUE_HOLD",
    "RESIZING",
    "SUSPENDED",
}


@dataclass
class Block:
    """What one task does: its runs, `together` at a time; called on the node.

    Attributes
    ----------
    runs : list of (dict, str)
        Each with its config, and the file of its record.
    ways : set of (str, str)
        Devices and paths that the study's records have.
    together : int
    how : dict
        For `lrlib.sweeps.together.run_together`.

    Examples
    --------
    >>> Block([], set(), 1, {})()
    []
    """

    runs: list[tuple[dict[str, Any], str]]
    ways: set[tuple[str, str]]
    together: int
    how: dict[str, Any]

    def __call__(self) -> list[str]:
        """Do the runs; return a line for each that failed."""
        study = Study(
            "block", "Runs of one task", tuple(Planned(RunConfig(**c), Path(f)) for c, f in self.runs)
        )
        if not study.runs:
            return []
        target = resolve(study.runs[0].config, path=self.how["path"])
        try:
            check_alike(study, self.ways, (target.device.type, target.path))
        except StudyError as error:
            return [f"failed: {error}"]
        lines: list[str] = []

        def say(line: str) -> None:
            print(line, flush=True)  # into the task's log
            lines.append(line)

        with asked_to_stop(say) as asked:  # scancel sends SIGTERM
            run_together(study, together=self.together, stop=asked, say=say, **self.how)
        return [line.partition(" s  ")[2] for line in lines if ": failed: " in line]

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Be put into the queue again, as submitit asks when the time is over or another job goes before.

        The runs go on from their checkpoints.
        """
        return submitit.helpers.DelayedSubmission(self)


def run_on_slurm(
    study: Study,
    *,
    resources: Resources,
    jobs: int | None = None,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    hours: float | None = None,
    command: str | Sequence[str] = "lrlib.sweeps.slurm.run_on_slurm",
    say: Callable[[str], None] = print,
) -> bool:
    """Do what is missing of a study by an array job of Slurm, at most `jobs` of its tasks at a time.

    Ctrl-C, SIGTERM and `hours` cancel the tasks; a kill leaves them in the queue, where the next start finds
    them. A task whose time is over, or that must give way, is put into the queue again.

    Parameters
    ----------
    study : Study
        Its folder is one that all nodes see.
    resources : Resources
        Of each task. With the address "local" the tasks are processes on this machine, one at a time unless
        `jobs` says more.
    jobs, threads : int or None
        Tasks at a time, and threads (CPUs) of a task, >= 1. None leaves the first to Slurm; the second is 1.
    path, deterministic, hours, command, say
        See `lrlib.sweeps.local.run_study`.

    Returns
    -------
    bool
        True if nothing failed; what is left for want of time is no failure.

    Raises
    ------
    StudyError
        If there is no Slurm here, or it refuses the job.

    Examples
    --------
    >>> run_on_slurm(Study("nothing", "A study without runs", ()), resources=Resources())
    nothing: 0 of 0 runs are recorded.
    True
    """
    jobs = None if jobs is None else check_int("jobs", jobs, least=1)
    threads = 1 if threads is None else check_int("threads", threads, least=1)
    end = monotonic() + seconds_of(hours)
    check_path(path)
    if resources.gpus is not None and resources.gpus != int(resources.gpus):
        raise ValueError(f"gpus must be a whole number with Slurm, got {resources.gpus:g}; use together")
    if resources.address not in (None, "slurm", "local"):
        raise ValueError(f"address must be slurm or local with this engine, got {resources.address!r}")
    tally = Tally(study)
    failed = 0
    # Where nothing waits, too: a task that was killed after its record has left its checkpoint.
    if tidied(study, tally):
        how = {"threads": threads, "path": path, "deterministic": deterministic, "command": command}
        queue = _Queue(study, tally, resources, jobs=jobs, how=how, say=say)
        failed = queue.run(end)
    elif study.runs:  # a driver that was killed has left its tasks' logs
        shutil.rmtree(_folder(study), ignore_errors=True)
    sum_up(study, say)
    return failed == 0


def _folder(study: Study) -> Path:
    """Return the folder beside the records: what submitit hands over, logs, and which task has which runs."""
    return study.runs[0].record.parent.absolute() / ".queue"


@dataclass
class _Queue:
    study: Study
    tally: Tally
    resources: Resources
    jobs: int | None
    how: dict[str, Any]
    say: Callable[[str], None]
    live: list[tuple[submitit.Job, list[Planned]]] = field(default_factory=list)
    losses: Counter[str] = field(default_factory=Counter)
    seen: dict[str, int | None] = field(default_factory=dict)
    failed: int = 0

    def __post_init__(self) -> None:
        self.here = self.resources.address == "local"
        self.folder = _folder(self.study)
        self.note = self.folder / "tasks.json"

    def run(self, end: float) -> int:
        """Do what is missing until `end`; return how many runs failed."""
        executor = self._executor()
        waiting = self._not_queued(list(self.tally.waiting))
        open_ = {planned.name: planned for planned in self.tally.waiting}
        try:
            while (waiting or self.live) and monotonic() < end:
                if waiting:
                    waiting = self._submit(executor, waiting)
                self._tell(open_)
                for one in [one for one in self.live if one[0].done()]:
                    self.live.remove(one)
                    self._tell(open_)
                    waiting += self._after(*one)
                if self.live:
                    sleep(LOOK_HERE if self.here else LOOK)
        finally:
            self._cancel()
        if not self.failed and monotonic() < end:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.failed:
            self.say(f"{self.study.name}: the tasks' logs are in {self.folder}")
        return self.failed

    def _executor(self) -> submitit.AutoExecutor:
        more: dict[str, Any] = {}
        for text in self.resources.queue:
            key, equals, value = text.partition("=")
            if not (key and equals):
                raise StudyError(f"queue takes KEY=VALUE, as slurm_partition=gpu, got {text!r}")
            more[key] = int(value) if value.isdecimal() else value
        try:
            executor = submitit.AutoExecutor(self.folder, cluster="local" if self.here else "slurm")
            executor.update_parameters(
                name=f"lrlib-{self.study.name}",
                tasks_per_node=1,
                cpus_per_task=self.how["threads"],
                **({"gpus_per_node": int(self.resources.gpus)} if self.resources.gpus else {}),
                **({"slurm_array_parallelism": self.jobs} if self.jobs and not self.here else {}),
                # Without it submitit would end what it does here after two minutes.
                **({"timeout_min": 60 * 24 * 365} if self.here else {}),
                **more,
            )
        except (RuntimeError, NameError, TypeError, ValueError, AssertionError) as error:
            with contextlib.suppress(OSError):
                self.folder.rmdir()  # which submitit makes first
                self.folder.parent.rmdir()
            text = " ".join(str(error).split())[:300]
            raise StudyError(
                f"Slurm could not be asked ({text}); start on a machine with sbatch, or rehearse with the "
                "address local"
            ) from None
        return executor

    def _not_queued(self, waiting: list[Planned]) -> list[Planned]:
        """Return the runs that no task of an earlier start has; watch those that one still has."""
        there: set[str] = set()
        by_name = {planned.name: planned for planned in waiting}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            for task in json.loads(self.note.read_text(encoding="utf-8")):
                mine = [by_name[name] for name in task["runs"] if name in by_name]
                job: Any = submitit.SlurmJob(self.folder, task["id"], [0]) if not self.here else None
                if mine and job is not None and job.watcher.get_state(task["id"], mode="force") in ALIVE:
                    self.live.append((job, mine))
                    there |= {planned.name for planned in mine}
        if there:
            self.say(f"{self.study.name}: {len(there)} runs are in the queue already")
        free = []
        for planned in waiting:
            if planned.name not in there and planned.state() == "running":
                self.say(f"{planned.name}: left to another process")
            elif planned.name not in there:
                free.append(planned)
        return free

    def _submit(self, executor: submitit.AutoExecutor, waiting: list[Planned]) -> list[Planned]:
        """Hand runs over, all that there is room for; return the rest."""
        room = max(0, (self.jobs or 1) - len(self.live)) if self.here else ARRAY
        size = self.resources.runs
        if self.resources.block is None and not self.here:
            size = max(size, ceil(len(waiting) / ARRAY))
        blocks = [waiting[i : i + size] for i in range(0, len(waiting), size)][:room]
        if not blocks:
            return waiting
        # Tasks find modules as this process does, and the current folder not before Python's own.
        path = {"PYTHONPATH": os.pathsep.join(module_path()), "PYTHONSAFEPATH": "1"}
        try:
            with environment(path), executor.batch():
                tasks = [executor.submit(self._block(block)) for block in blocks]
        except (FailedSubmissionError, OSError) as error:
            raise StudyError(f"Slurm took no job: {' '.join(str(error).split())[:300]}") from None
        for job in tasks if self.here else ():
            job._results_timeout_s = 1  # on one disk no result comes late; submitit waits 15 for one
        self.live += zip(tasks, blocks, strict=True)
        note = [{"id": str(job.job_id), "runs": [one.name for one in block]} for job, block in self.live]
        write_atomically(self.note, lambda file: file.write(json.dumps(note).encode()))
        return waiting[sum(map(len, blocks)) :]

    def _block(self, block: list[Planned]) -> Block:
        for planned in block:
            self.seen[planned.name] = when_written(planned.checkpoint)
        runs = [(one.config.model_dump(mode="json"), str(one.record.absolute())) for one in block]
        return Block(runs, self.tally.ways, self.resources.together, self.how)

    def _tell(self, open_: dict[str, Planned]) -> None:
        """Say what was recorded since the last look."""
        try:
            there = {Path(name).stem for name in os.listdir(self.folder.parent) if name.endswith(".json")}
        except OSError:
            return
        for name in sorted(there & open_.keys()):
            run = open_.pop(name).recorded()
            assert run is not None  # its file is there, and a record is written whole
            self.tally.add(run)
            at_once = self.jobs or max(1, len(self.live))
            self.say(with_hours(ended(self.study, name, run, self.tally), self.tally.hours(jobs=at_once)))

    def _after(self, job: submitit.Job, block: list[Planned]) -> list[Planned]:
        """Look how a task ended; return the runs that another one is to do."""
        left = [planned for planned in block if not planned.record.exists()]
        try:
            failures = job.result()
        except FailedJobError as error:  # it raised
            lines = [line for line in str(error).splitlines() if line.strip()]
            failures = [f"{planned.name}: failed: {lines[-1].strip()[:300]}" for planned in left]
        except UncompletedJobError:
            return [planned for planned in left if not self._too_many(planned)]
        for line in failures:
            self.failed += 1
            self.say(line)
        return []

    def _too_many(self, planned: Planned) -> bool:
        now = when_written(planned.checkpoint)
        if now != self.seen[planned.name]:
            self.losses[planned.name] = 0  # it came on: a long run may lose many a task
        self.losses[planned.name] += 1
        if self.losses[planned.name] > self.resources.retries:
            self.failed += 1
            self.say(f"{planned.name}: failed: lost its task {self.losses[planned.name]} times in a row")
            return True
        goes = "starts again" if now is None else "goes on from its checkpoint"
        self.say(f"{planned.name}: lost its task, and {goes} in another")
        return False

    def _cancel(self) -> None:
        if not self.here:
            for job, _ in self.live:
                with contextlib.suppress(OSError):
                    job.cancel(check=False)
            return
        # Of 0.05 s; asked a second time, a task does not wait for the end of an epoch.
        for look in range(600):
            left = [job for job, _ in self.live if not job.done()]
            for job in left if look % 60 == 0 else ():
                with contextlib.suppress(OSError):
                    os.kill(int(job.job_id), signal.SIGTERM)
            if not left:
                return
            sleep(0.05)
