"""What does the runs of a study: this machine, a Ray cluster, or a queue of Slurm."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Protocol

from lrlib._checks import check_float, check_int, no_such
from lrlib.sweeps.study import Study, StudyError

__all__ = ["ENGINES", "Engine", "Resources", "engine", "environment"]

#: Names of the engines, and the package that each needs (with the extra of lrlib that has it), if any.
ENGINES: dict[str, str | None] = {"local": None, "ray": "ray", "slurm": "submitit"}


class Engine(Protocol):
    """Do what is missing of a study, as `lrlib.sweeps.local.run_study` does; True if nothing failed.

    Whatever the engine: recorded runs are skipped, cut ones go on from their checkpoint, runs that another
    process holds are left to it, each record is written once, and what a run measures is the same.

    Examples
    --------
    >>> from lrlib.sweeps.study import Study
    >>> engine("local")(Study("nothing", "A study without runs", ()), say=print)
    nothing: 0 of 0 runs are recorded.
    True
    """

    def __call__(
        self,
        study: Study,
        *,
        jobs: int | None = None,
        threads: int | None = None,
        path: str = "auto",
        deterministic: bool = False,
        hours: float | None = None,
        command: str | Sequence[str] = ...,
        say: Callable[[str], None] = ...,
    ) -> bool: ...


@dataclass(frozen=True)
class Resources:
    """What one task of a cluster gets, and where the cluster is.

    Parameters
    ----------
    address : str or None
        Of a Ray cluster, as "auto" or "10.0.0.1:6379"; None starts one on this machine. With Slurm, "local"
        starts the tasks on this machine, without a queue.
    together : int
        Runs that a task does at a time, an update of each in turn (for a GPU), >= 1.
    block : int or None
        Runs that a task does in all, >= `together`. None is `together`; with Slurm at least as many as keep
        the array within 1,000 tasks.
    gpus : float or None
        GPUs of a task, >= 0: with Ray also a part of one, as 0.25. None is 1 where the cluster has some and
        the study's device is not the CPU, else 0.
    retries : int
        How often in a row a run may lose its worker without having finished an epoch meanwhile, >= 0.
    start_seconds : float
        How long a Ray cluster on this machine may take to start, > 0; three tries share it.
    queue : sequence of str
        With Slurm, further settings of submitit, as "slurm_partition=gpu" or "timeout_min=120".

    Examples
    --------
    >>> Resources(together=8, gpus=0.5).runs
    8
    >>> Resources(block=0)
    Traceback (most recent call last):
        ...
    ValueError: block must be >= 1, got 0
    """

    address: str | None = None
    together: int = 1
    block: int | None = None
    gpus: float | None = None
    retries: int = 3
    start_seconds: float = 300.0
    queue: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_int("together", self.together, least=1)
        if self.block is not None:
            check_int("block", self.block, least=1)
            if self.block < self.together:
                raise ValueError(f"block must be at least together, {self.together}, got {self.block}")
        if self.gpus is not None:
            check_float("gpus", self.gpus, allowed=">= 0 and finite", ok=lambda x: x >= 0)
        check_int("retries", self.retries, least=0)
        check_float("start_seconds", self.start_seconds, allowed="> 0 and finite", ok=lambda x: x > 0)

    @property
    def runs(self) -> int:
        """Runs that a task does in all, unless the engine takes more."""
        return self.block or self.together


def engine(name: str, resources: Resources | None = None) -> Engine:
    """Return the engine of a name.

    Parameters
    ----------
    name : {"local", "ray", "slurm"}
    resources : Resources or None
        For "ray" and "slurm"; None is one run a task, without a GPU where there is none.

    Raises
    ------
    ValueError
        If there is no such engine, or "local" is given resources.
    StudyError
        If the package that it needs is not installed.

    Examples
    --------
    >>> engine("roy")
    Traceback (most recent call last):
        ...
    ValueError: engine must be one of local, ray, slurm, got 'roy'; did you mean 'ray'?
    """
    if name not in ENGINES:
        raise ValueError(no_such("engine", name, ENGINES))
    needed = ENGINES[name]
    if needed is not None and needed not in sys.modules and find_spec(needed) is None:
        raise StudyError(f"--engine {name} needs {needed}, which is not installed; install lrlib[{name}]")
    # Each is imported when it is asked for: ray takes a second to load, and may not be there.
    if name == "local":
        from lrlib.sweeps.local import run_study

        if resources is not None:
            raise ValueError("resources are for the engines ray and slurm; 'local' has jobs and threads")
        return run_study
    if name == "ray":
        from lrlib.sweeps.ray import run_on_ray

        return partial(run_on_ray, resources=resources or Resources())
    from lrlib.sweeps.slurm import run_on_slurm

    return partial(run_on_slurm, resources=resources or Resources())


@contextmanager
def environment(wanted: dict[str, str]) -> Iterator[None]:
    """Set variables for what an engine starts, and leave them as they were.

    Examples
    --------
    >>> import os
    >>> with environment({"LRLIB_NO_SUCH": "1"}):
    ...     os.environ["LRLIB_NO_SUCH"]
    '1'
    >>> "LRLIB_NO_SUCH" in os.environ
    False
    """
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
