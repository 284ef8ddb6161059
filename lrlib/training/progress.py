"""The text bar of a run: epoch, rate, loss, accuracy, time left."""

from __future__ import annotations

import os
import sys

from tqdm.std import tqdm

from lrlib.runs.config import RunConfig
from lrlib.runs.record import EpochRecord

#: What turns the bar off in ``LRLIB_PROGRESS``, in capitals too.
OFF = ("off", "0", "no", "false")


class ProgressBar:
    """A bar over the updates of a run, on stderr.

    Parameters
    ----------
    config : RunConfig
    shown : bool or None
        None shows it unless the environment says ``LRLIB_PROGRESS=off``.
    step : int
        Updates that an earlier part of the run has made. If there are some, a line above the bar says how
        many epochs were found and how long the rest will take.
    seconds : float
        Time that they took.
    """

    def __init__(self, config: RunConfig, *, shown: bool | None, step: int, seconds: float = 0.0) -> None:
        if shown is None:
            shown = os.environ.get("LRLIB_PROGRESS", "on").strip().lower() not in OFF
        shown = shown and sys.stderr is not None  # which it is where the process was started without one
        self.epochs, self.shown = config.epochs, shown
        self.lr, self.last = config.peak_lr, ""
        if shown and step:
            done = step // config.steps_per_epoch
            # write, not print: it keeps clear of a bar that another run draws.
            tqdm.write(found(done, config.epochs, seconds), file=sys.stderr)
        # The text bar, not tqdm.auto's: the notebook widget leaves warnings in built pages. On stderr: what a
        # command prints can be piped.
        self.bar = tqdm(
            total=config.total_steps,
            initial=step,
            disable=not shown,
            file=sys.stderr,
            mininterval=0.5,
            bar_format="{desc} |{bar:20}| {percentage:3.0f}% {remaining} left{postfix}",
            desc=f"{config.recipe.label} epoch {step // config.steps_per_epoch + 1}/{config.epochs}",
        )
        self.label = config.recipe.label

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def update(self, lr: float) -> None:
        """Count one update, made at the rate `lr`."""
        self.lr = lr
        if self.bar.update():  # True when the bar was drawn again: text is not made anew at each update
            self.bar.set_postfix_str(f"rate {lr:.4g}{self.last}", refresh=False)

    def end_epoch(self, record: EpochRecord) -> None:
        """Show the loss and the accuracy of an epoch."""
        self.last = f", loss {record.train_loss:.3f}, test accuracy {100 * record.test_accuracy:.1f}%"
        upcoming = min(record.epoch + 2, self.epochs)
        self.bar.set_description_str(f"{self.label} epoch {upcoming}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(f"rate {self.lr:.4g}{self.last}")


def found(done: int, epochs: int, seconds: float) -> str:
    """Return the sentence of a resumed run, of which `done` of `epochs` epochs took `seconds`.

    Examples
    --------
    >>> found(37, 100, 391.0)
    'found epoch 37 of 100; about 11 minutes left'
    """
    return f"found epoch {done} of {epochs}; about {in_words((epochs - done) * seconds / done)} left"


def in_words(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours, with the digits that a reader wants.

    Examples
    --------
    >>> [in_words(seconds) for seconds in (0.04, 1, 7.2, 60, 90, 480, 7000)]
    ['0.04 seconds', '1 second', '7 seconds', '60 seconds', '1.5 minutes', '8 minutes', '1.9 hours']
    """
    unit, size = "seconds", 1
    for longer, its_size in (("minutes", 60), ("hours", 3600)):
        if seconds >= 1.5 * its_size:
            unit, size = longer, its_size
    number = f"{seconds / size:.0f}" if seconds >= 3 * size else f"{seconds / size:.2g}"
    return f"{number} {unit.removesuffix('s') if number == '1' else unit}"
