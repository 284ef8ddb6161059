"""A study on a Ray cluster: on this machine, or on many.

The driver, this process, holds the lock of each run that is with a worker, takes the records that come back
and writes each once. Workers (`lrlib.sweeps.ray_worker`) train. Checkpoints lie in the study's folder where a
worker sees it, and are sent to the driver where it does not; so a run that loses its worker, or the worker's
whole node, goes on elsewhere from its last checkpoint, and so does a study that loses its driver.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import ray
from filelock import Timeout
from ray import exceptions

from lrlib._checks import check_int
from lrlib._errors import LrlibError
from lrlib._files import when_written, write_atomically
from lrlib.runs.record import RecordError, Run
from lrlib.runs.store import write_run
from lrlib.sweeps.engines import Resources
from lrlib.sweeps.local import check_alike, ended, seconds_of, sum_up, tidied, with_hours
from lrlib.sweeps.ray_cluster import cause, connected, first, remote
from lrlib.sweeps.ray_worker import Task, mark_of
from lrlib.sweeps.study import Planned, Study, StudyError
from lrlib.sweeps.timing import Tally
from lrlib.training.machine import check_path, commit

__all__ = ["run_on_ray"]

#: What Ray raises where a worker or its node is gone, or was ended for want of memory.
LOST = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.LocalRayletDiedError,
    exceptions.OutOfMemoryError,
    exceptions.OwnerDiedError,
    exceptions.ObjectLostError,
)
#: Tasks that wait in Ray's queue: enough for a cluster that grows by what is asked of it.
AT_LEAST = 64
PATIENCE = 30.0  # seconds without a worker after which that is said


def run_on_ray(
    study: Study,
    *,
    resources: Resources,
    jobs: int | None = None,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    hours: float | None = None,
    command: str | Sequence[str] = "lrlib.sweeps.ray.run_on_ray",
    say: Callable[[str], None] = print,
) -> bool:
    """Do what is missing of a study on a Ray cluster, `jobs` tasks at a time.

    It may be ended as `lrlib.sweeps.local.run_study` may, and started again; a worker or a node may be lost.

    Parameters
    ----------
    study : Study
    resources : Resources
        Of each task, and where the cluster is.
    jobs : int or None
        Tasks at a time, >= 1. None is as many as there is room for.
    threads : int or None
        Threads a task, which count as its CPUs, >= 1; None is 1.
    path, deterministic, hours, command, say
        See `lrlib.sweeps.local.run_study`.

    Returns
    -------
    bool
        True if nothing failed; what is left for want of time is no failure.

    Raises
    ------
    StudyError
        If no cluster answers, its workers cannot do the study's runs, or were to mix devices in it.

    Examples
    --------
    >>> run_on_ray(Study("nothing", "A study without runs", ()), resources=Resources())
    nothing: 0 of 0 runs are recorded.
    True
    """
    jobs = None if jobs is None else check_int("jobs", jobs, least=1)
    threads = 1 if threads is None else check_int("threads", threads, least=1)
    end = monotonic() + seconds_of(hours)
    check_path(path)
    tally = Tally(study)
    failed = 0
    # Where nothing waits, too: a driver that was killed after a record has left the checkpoint.
    if tidied(study, tally):
        how = {
            "together": resources.together,
            "threads": threads,
            "path": path,
            "deterministic": deterministic,
            "command": command,
        }
        cpus = (jobs or max(1, (os.cpu_count() or 1) // threads)) * threads
        with connected(resources.address, cpus=cpus, start_seconds=resources.start_seconds):
            driver = _Driver(study, tally, resources, jobs=jobs, how=how, say=say)
            failed = driver.run(end)
    sum_up(study, say)
    return failed == 0


@dataclass
class _Flying:
    """A task that is with a worker: its runs that have not ended, by their number in it."""

    open: dict[int, Planned]


@dataclass
class _Driver:
    study: Study
    tally: Tally
    resources: Resources
    jobs: int | None
    how: dict[str, Any]
    say: Callable[[str], None]
    locks: dict[Planned, ExitStack] = field(default_factory=dict)
    losses: Counter[Planned] = field(default_factory=Counter)
    seen: dict[Planned, int | None] = field(default_factory=dict)
    failed: int = 0
    slots: int = 1  # tasks at a time
    here: bool = False  # whether all workers are on this machine

    def run(self, end: float) -> int:
        """Do what is missing until `end`; return how many runs failed."""
        share, self.slots = self._share()
        self.here = self.resources.address is None and len(ray.nodes()) == 1
        work = remote("work", share, here=self.here, streaming=True)
        self._look_at_a_worker(remote("look", share, here=self.here), end)
        waiting = list(self.tally.waiting)
        flying: dict[Any, _Flying] = {}
        most = self.jobs or max(AT_LEAST, 4 * self.slots)
        most = max(1, min(most, _files_left() // self.resources.runs))
        try:
            while (waiting or flying) and monotonic() < end:
                while waiting and len(flying) < most:
                    block = self._claim(waiting)
                    if block:
                        self._send(work, block, flying)
                if not flying:
                    continue
                ready, _ = ray.wait(list(flying), timeout=min(1.0, max(0.0, end - monotonic())))
                for one in ready:
                    self._hear(one, flying, waiting)
        finally:
            self._stop(list(flying))
        return self.failed

    def _share(self) -> tuple[dict[str, float], int]:
        """Return what a task asks of the cluster, and how many of them it has room for now."""
        there = ray.cluster_resources()
        gpus = self.resources.gpus
        if gpus is None:
            wanted = self.study.runs[0].config.device in ("auto", "cuda")
            gpus = 1.0 if wanted and there.get("GPU", 0) >= 1 else 0.0
        if self.resources.address is None and gpus > there.get("GPU", 0):
            raise StudyError(f"gpus: {gpus:g} a task, and this machine has {there.get('GPU', 0):g} for Ray")
        threads = self.how["threads"]
        room = [there.get("CPU", 0) / threads, *([there.get("GPU", 0) / gpus] if gpus else [])]
        return {"num_cpus": threads, "num_gpus": gpus}, max(1, min(int(min(room)), self.jobs or 2**31))

    def _look_at_a_worker(self, look: Any, end: float) -> None:
        """Refuse what no worker could do, before 10,000 of them say so; and what would mix devices."""
        asked = look.remote(self.tally.waiting[0].config.model_dump(mode="json"), self.how["path"])
        ready, _ = ray.wait([asked], timeout=max(0.0, min(PATIENCE, end - monotonic())))
        if not ready:
            self.say(f"{self.study.name}: no worker is free yet; waiting for one")
        try:
            device, path, theirs = ray.get(asked, timeout=None if end == float("inf") else end - monotonic())
        except exceptions.GetTimeoutError:
            return
        except exceptions.RayTaskError as error:
            raise StudyError(f"a worker cannot do these runs: {cause(error)}") from None
        except LOST as error:
            raise StudyError(f"a worker was lost before its first run ({first(error)})") from None
        check_alike(self.study, self.tally.ways, (device, path))
        if theirs != commit():
            self.say(
                f"{self.study.name}: its workers have another lrlib than this machine, and records name it"
            )

    def _claim(self, waiting: list[Planned]) -> list[Planned]:
        """Take the locks of the next runs; those that are recorded by now, or held, are left out."""
        block: list[Planned] = []
        while waiting and len(block) < self.resources.runs:
            planned = waiting.pop(0)
            if planned in self.locks:  # its worker was lost
                block.append(planned)
                continue
            with ExitStack() as held:
                planned.record.parent.mkdir(parents=True, exist_ok=True)
                try:
                    if planned.state() == "running":
                        raise Timeout(str(planned.record))
                    held.enter_context(planned.held())
                except Timeout:
                    self.say(f"{planned.name}: left to another process")
                    continue
                if planned.recorded() is None:  # asked under the lock
                    self.locks[planned] = held.pop_all()
                    block.append(planned)
        return block

    def _send(self, work: Any, block: list[Planned], flying: dict[Any, _Flying]) -> None:
        tasks = []
        for planned in block:
            self.seen[planned] = there = when_written(planned.checkpoint)
            tasks.append(
                Task(
                    config=planned.config.model_dump(mode="json"),
                    checkpoint=str(planned.checkpoint.absolute()),
                    mark=mark_of(planned.checkpoint),
                    # On this machine each worker sees the folder.
                    found=planned.checkpoint.read_bytes() if there is not None and not self.here else None,
                )
            )
        flying[work.remote(tasks, **self.how)] = _Flying(dict(enumerate(block)))

    def _hear(self, one: Any, flying: dict[Any, _Flying], waiting: list[Planned]) -> None:
        """Take what a task has sent: news of a run, its end, or that its worker is gone."""
        task = flying[one]
        try:
            number, kind, what = ray.get(next(one))
        except StopIteration:
            del flying[one]
            return
        except LOST as error:
            del flying[one]
            self._lost(task, first(error), waiting)
            return
        except exceptions.RayError as error:
            del flying[one]
            for planned in task.open.values():
                self._fail(planned, cause(error))
            return
        planned = task.open[number]
        if kind == "checkpoint":
            try:
                write_atomically(planned.checkpoint, lambda file: file.write(what))
            except OSError as error:
                self.say(f"{planned.name}: a checkpoint was not kept: {error}")
            return
        del task.open[number]
        if kind == "failed":
            self._fail(planned, what)
        else:
            self._record(planned, what)

    def _record(self, planned: Planned, text: str) -> None:
        run = Run.model_validate_json(text)
        try:
            write_run(run, planned.record)
        except RecordError as error:
            if error.kind != "there":
                self._fail(planned, str(error))
                return
            self._release(planned)
            self.say(f"{planned.name}: left to another process")
            return
        except (LrlibError, OSError) as error:
            self._fail(planned, str(error))
            return
        self._release(planned)
        planned.tidy()
        self.tally.add(run)
        at_once = self.slots * self.resources.together
        self.say(with_hours(ended(self.study, planned.name, run, self.tally), self.tally.hours(jobs=at_once)))

    def _lost(self, task: _Flying, why: str, waiting: list[Planned]) -> None:
        """Give the runs of a lost worker to another one, unless they have lost too many."""
        for planned in task.open.values():
            now = when_written(planned.checkpoint)
            if now != self.seen[planned]:
                self.losses[planned] = 0  # it came on: a long run may lose many a worker
            self.losses[planned] += 1
            if self.losses[planned] > self.resources.retries:
                times = "" if self.losses[planned] == 1 else f" {self.losses[planned]} times in a row"
                self._fail(planned, f"lost its worker{times} ({why})")
            else:
                goes = "starts again" if now is None else "goes on from its checkpoint"
                self.say(f"{planned.name}: lost its worker, and {goes} with another")
                waiting.insert(0, planned)

    def _fail(self, planned: Planned, why: str) -> None:
        self.failed += 1
        self._release(planned)
        self.say(f"{planned.name}: failed: {why}")

    def _release(self, planned: Planned) -> None:
        self.locks.pop(planned).close()

    def _stop(self, flying: list[Any]) -> None:
        """End all workers, and only then let go of the locks."""
        with contextlib.suppress(exceptions.RayError):
            for one in flying:
                ray.cancel(one, force=True)
            deadline = monotonic() + 10
            for one in flying:
                with contextlib.suppress(StopIteration, exceptions.RayError):
                    while monotonic() < deadline:
                        ray.get(next(one), timeout=1)
        for held in self.locks.values():
            held.close()
        self.locks.clear()


def _files_left() -> int:
    """Return how many locks this process may hold: each is an open file, and Ray needs some too."""
    try:
        import resource
    except ImportError:  # Windows
        return 400
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 100_000 if soft == resource.RLIM_INFINITY else max(1, soft - 300)
