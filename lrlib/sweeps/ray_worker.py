"""What a worker of a Ray cluster does: train some runs, and send what becomes of them to the driver.

Nothing here imports ray. The driver (`lrlib.sweeps.ray`) holds the locks and writes the records.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lrlib._errors import LrlibError
from lrlib._files import half_written, when_written, write_atomically
from lrlib.runs.config import RunConfig
from lrlib.training.dataset import Dataset, load
from lrlib.training.machine import Target, commit, resolve
from lrlib.training.run import take_turns, training

#: What is sent of a run: its number in the task, a word, and the record as JSON, a checkpoint or a sentence.
News = tuple[int, str, Any]


@dataclass(frozen=True)
class Task:
    """One run of a task, as the driver describes it.

    Attributes
    ----------
    config : dict
    checkpoint : str
        Its file, where the driver sees it.
    mark : int or None
        Of the lock that the driver holds beside it, as `mark_of` tells: a worker that sees the same file has
        the same folder, and keeps its checkpoints there. Others are sent what there is, and send theirs.
    found : bytes or None
        The checkpoint that there is, for a worker that does not see the folder.
    """

    config: dict[str, Any]
    checkpoint: str
    mark: int | None
    found: bytes | None = None

    @property
    def shared(self) -> bool:
        return self.mark is not None and mark_of(Path(self.checkpoint)) == self.mark


def mark_of(checkpoint: Path) -> int | None:
    """Return what tells the lock beside a checkpoint from other files of its name; None without a lock."""
    try:
        return checkpoint.with_suffix(".lock").stat().st_ino  # not its time: a look at the lock changes that
    except OSError:
        return None


def look(config: dict[str, Any], path: str) -> tuple[str, str, str | None]:
    """Return the device and path by which this worker would do a run, and the commit of its lrlib."""
    target = resolve(RunConfig(**config), path=path)
    return target.device.type, target.path, commit()


@lru_cache(maxsize=2)
def _data(name: str, device: str) -> Dataset:
    """Return a data set on a device; kept, as a worker does one run after another."""
    return load(name).to(device)


def work(
    tasks: Sequence[Task],
    *,
    together: int,
    threads: int,
    path: str,
    deterministic: bool,
    command: str | Sequence[str],
) -> Iterator[News]:
    """Do some runs, `together` at a time; yield what becomes of them as it comes.

    (number, "record", JSON) for each that ends, (number, "failed", sentence) for each that cannot, and
    (number, "checkpoint", bytes) whenever one is due, if this worker does not see the driver's folder.
    """
    from lrlib.sweeps.together import little_garbage

    target = resolve(
        RunConfig(**tasks[0].config),
        threads=threads,
        path=path,
        together=together,
        deterministic=deterministic,
    )
    with ExitStack() as left:
        scratch = Path(tasks[0].checkpoint).parent
        if not all(task.shared for task in tasks):  # else a worker that is killed would leave an empty folder
            scratch = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="lrlib-")))
        left.enter_context(target.own_settings())
        if target.device.type == "cuda":
            left.enter_context(little_garbage())
        runs = (
            _one(number, task, target, scratch / f"{number}.pt", command) for number, task in enumerate(tasks)
        )
        for _, news in take_turns(runs, together=together):
            yield news


def _one(
    number: int, task: Task, first: Target, own: Path, command: str | Sequence[str]
) -> Generator[News | None, None, News]:
    shared = task.shared
    try:
        config = RunConfig(**task.config)
        checkpoint = Path(task.checkpoint) if shared else own
        if not shared and task.found is not None:
            found = task.found
            write_atomically(checkpoint, lambda file: file.write(found))
        target = resolve(
            config,
            threads=first.threads,
            path=first.path,
            together=first.together,
            deterministic=first.deterministic,
        )
        run = training(
            config,
            target,
            data=_data(config.dataset, target.device.type),
            checkpoint=checkpoint,
            resume=checkpoint.exists(),
            command=command,
        )
        sent = when_written(checkpoint)
        while True:
            try:
                next(run)
            except StopIteration as end:
                return number, "record", end.value.model_dump_json()
            if not shared and when_written(checkpoint) != sent:
                sent = when_written(checkpoint)
                yield number, "checkpoint", checkpoint.read_bytes()
            else:
                yield None
    except Exception as error:  # the other runs of this task go on
        text = " ".join(str(error).split())
        known = isinstance(error, (LrlibError, ValueError, OSError))
        return number, "failed", text if known else f"{type(error).__name__}: {text[:300]}"
    finally:
        if not shared:
            for file in (own, *half_written(own)):
                file.unlink(missing_ok=True)
