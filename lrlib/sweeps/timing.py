"""How long runs take here: by updates timed on a network that is thrown away, or by a study's own records."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from time import perf_counter

import torch

from lrlib._checks import check_int
from lrlib.runs.config import RunConfig
from lrlib.runs.record import Run
from lrlib.sweeps.study import Planned, Study
from lrlib.training import machine
from lrlib.training.dataset import Dataset
from lrlib.training.gpu import prepare
from lrlib.training.loop import Loop
from lrlib.training.randomness import draw_augmentation, permutation
from lrlib.training.run import take_turns

UPDATES, WARM_UP = 20, 3


@dataclass(frozen=True)
class Pace:
    """Seconds that `UPDATES` updates took, and seconds to evaluate one image."""

    updates: float
    image: float

    def epoch(self, config: RunConfig) -> float:
        """Return the seconds of an epoch: its updates, and the test after it."""
        return config.steps_per_epoch * self.updates / UPDATES + config.tested * self.image

    def run(self, config: RunConfig) -> float:
        """Return the seconds of a run: its epochs, and the training set evaluated once at the end."""
        return config.epochs * self.epoch(config) + config.images * self.image


def pace(config: RunConfig, *, data: Dataset | None = None) -> Pace:
    """Time `UPDATES` updates after `WARM_UP` others, then one evaluation of up to 1,000 images after another.

    The updates are those of `train`, on a network of their own: start and batches of a later run come from
    generators of their own, so it does not notice.
    """
    target = machine.resolve(config)
    # An evaluation of 1,000 images tells what one image takes.
    tested = min(config.tested, 1000)

    def now() -> float:
        if target.device.type == "cuda":
            torch.cuda.synchronize()  # a GPU works on after the call that started it
        return perf_counter()

    def timed() -> Generator[None, None, Pace]:
        small = config.changed(test_images=tested)
        loop = prepare(small, data, target)
        updates = _endless(small, loop)
        # The first updates pay for allocations and, on a GPU, for choosing kernels.
        for _ in islice(updates, WARM_UP):
            yield
        start = now()
        for _ in islice(updates, UPDATES):
            yield
        took = now() - start
        yield from loop.evaluate("test")
        start = now()
        yield from loop.evaluate("test")
        return Pace(took, (now() - start) / tested)

    with target.own_settings():
        ((_, measured),) = take_turns([timed()])
    return measured


def _endless(config: RunConfig, loop: Loop) -> Iterator[None]:
    """Do the updates of epoch 0, 1, 2, ...: one epoch may have fewer than are to be timed."""
    schedule = config.schedule()
    for epoch in count():
        order = permutation(config.images, seed=config.seed, epoch=epoch)
        draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch)
        yield from loop.epoch(
            order, draws, [config.peak_lr * schedule(t) for t in range(config.steps_per_epoch)]
        )


class Tally:
    """What a study's records say of the time that the rest takes; each is read once, however many there are.

    Parameters
    ----------
    study : Study

    Examples
    --------
    >>> from pathlib import Path
    >>> from lrlib.sweeps.study import plan
    >>> data = {"preset": "digits", "recipes": ["linear"], "seeds": [1]}
    >>> tally = Tally(plan("demo", data, Path("nowhere")))
    >>> [planned.name for planned in tally.waiting], tally.hours()
    (['linear-seed1'], None)
    """

    def __init__(self, study: Study) -> None:
        self.waiting: list[Planned] = []
        #: Device and path of what is recorded.
        self.ways: set[tuple[str, str]] = set()
        self._seconds, self._updates, self._left = 0.0, 0, 0
        self._here = _hardware()
        self._names: dict[Path, set[str]] = {}
        for planned in study.runs:
            self._names.setdefault(planned.record.parent, set()).add(planned.record.name)
            run = planned.recorded()
            if run is None:
                self.waiting.append(planned)
                self._left += planned.config.total_steps
            else:
                self._count(run)
                self.ways.add((run.provenance.device, run.provenance.path))

    def add(self, run: Run) -> None:
        """Count a run that was recorded meanwhile."""
        self._left -= run.config.total_steps
        self._count(run)

    def there(self) -> int:
        """Return how many runs are recorded by now, by whomever: one look at a folder, not one a run."""
        found = 0
        for folder, names in self._names.items():
            with suppress(FileNotFoundError):
                found += len(names.intersection(os.listdir(folder)))
        return found

    def _count(self, run: Run) -> None:
        if run.provenance.hardware in self._here:
            # Seconds of a run in company are those of the whole company.
            self._seconds += run.provenance.seconds / run.provenance.together
            self._updates += sum(epoch.updates for epoch in run.epochs)

    def hours(self, *, jobs: int = 1) -> float | None:
        """Return the hours that the rest takes here, `jobs` runs at a time; None if nothing tells."""
        if not self._updates:
            return None
        return self._seconds / self._updates * self._left / jobs / 3600


def hours_left(study: Study, *, jobs: int = 1) -> float | None:
    """Return the hours that the rest of a study takes here, `jobs` at a time; None if nothing tells.

    It goes by the seconds an update took in the study's own records on a processor or GPU of this name.

    Raises
    ------
    TypeError, ValueError
        If `jobs` is not an integer >= 1.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lrlib.sweeps.study import plan
    >>> hours_left(plan("demo", {"preset": "digits", "recipes": ["linear"], "seeds": [1]}, Path("nowhere")))
    """
    return Tally(study).hours(jobs=check_int("jobs", jobs, least=1))


def _hardware() -> set[str]:
    """Return the names that records of this machine have: its processor's, and its GPU's."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return {machine.hardware(torch.device(device)) for device in devices}
