"""One run of a plan: lock it, train it or go on from its checkpoint, record it, tidy up.

Whatever trains a run and keeps it goes through here: `lrlib train`, each worker of a study, runs that share a
GPU, and the live cells of the notebooks.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from filelock import Timeout

from lrlib.runs.record import Run
from lrlib.runs.store import write_run
from lrlib.sweeps.study import Planned
from lrlib.training.machine import Target, resolve
from lrlib.training.run import take_turns, training


def do(
    planned: Planned,
    *,
    threads: int | None = None,
    path: str = "auto",
    deterministic: bool = False,
    progress: bool | None = False,
    command: str | Sequence[str] = "lrlib.sweeps.one_run.do",
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
    >>> from pathlib import Path
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
            # Asked under the lock: another process may have recorded it since the list of runs was made.
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
    # After the lock is released: `tidy` takes it itself, and a kill before it leaves only a file too many.
    planned.tidy()
    return run
