"""One text bar a run: epoch, rate, loss, accuracy, time left."""

from __future__ import annotations

import os
import sys

from tqdm.std import tqdm

from lrlib.config import RunConfig
from lrlib.records import EpochRecord


class ProgressBar:
    """A bar over the updates of a run; silent if `shown` is False or LRLIB_PROGRESS is "off".

    tqdm's plain text bar, not `tqdm.auto`: the notebook widget leaves warnings in built pages.
    """

    def __init__(self, config: RunConfig, *, shown: bool | None, step: int) -> None:
        if shown is None:
            shown = os.environ.get("LRLIB_PROGRESS", "on") != "off"
        self.epochs, self.shown = config.epochs, shown
        self.lr, self.last = config.peak_lr, ""
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
        """Count one update."""
        self.lr = lr
        if self.bar.update():  # true when the bar was drawn again
            self.bar.set_postfix_str(f"rate {lr:.4g}{self.last}", refresh=False)

    def end_epoch(self, record: EpochRecord) -> None:
        """Show what an epoch gave."""
        self.last = f", loss {record.train_loss:.3f}, test accuracy {100 * record.test_accuracy:.1f}%"
        upcoming = min(record.epoch + 2, self.epochs)
        self.bar.set_description_str(f"{self.label} epoch {upcoming}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(f"rate {self.lr:.4g}{self.last}")
