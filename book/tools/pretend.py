"""Believe in a GPU: live cells get a GPU's preset, and what it would train on CIFAR-10 is counted instead.

So every notebook can be seen to get through with a GPU's runs on a machine without one: `make cards` and
`make test-gpu PRETEND=1` do.
"""

from __future__ import annotations

from pathlib import Path

import lrbook.colab
import lrlib.sweeps.timing
import lrlib.training
from lrbook.chapters.shared import recorded
from lrlib.runs.config import RunConfig
from lrlib.runs.record import Run
from lrlib.training.sharpness import Sharpness

# Seconds of 20 updates on a card that has time for all epochs, and on one that has not.
FAST, SLOW = 0.02, 2.0


def stand_in(config: RunConfig) -> Run:
    """Return a recorded run of the same schedule (or the pilot's) as if it had been made by `config`.

    Examples
    --------
    >>> from lrlib import preset
    >>> run = stand_in(preset("laptop", recipe="linear", epochs=40))
    >>> run.label, len(run.epochs), run.epochs[-1].epoch
    ('linear', 40, 39)
    """
    runs = recorded(lrbook.colab.study_of(config), schedules=[config.recipe.label])
    shown = (runs or recorded("pilot-laptop"))[0]
    epochs = tuple(
        shown.epochs[min(e, len(shown.epochs) - 1)].model_copy(update={"epoch": e})
        for e in range(config.epochs)
    )
    return shown.model_copy(update={"config": config, "epochs": epochs})


def believe(*, seconds: float = FAST) -> list[RunConfig]:
    """Let this process believe in a GPU; return a list, to which each run that it would train is added.

    `seconds` is what 20 updates on CIFAR-10 are said to take. All else is trained. A sharpness on CIFAR-10 is
    that of one batch, as it is measured here.
    """
    counted: list[RunConfig] = []
    trained, pace = lrbook.colab._trained, lrlib.sweeps.timing.pace
    sharpness = lrlib.training.measure_sharpness

    def count(config: RunConfig, folder: Path | None) -> Run:
        if config.dataset != "cifar10":
            return trained(config, folder)
        counted.append(config)
        return stand_in(config)

    def assume(config: RunConfig, **how) -> lrlib.sweeps.timing.Pace:
        if config.dataset != "cifar10":
            return pace(config, **how)
        return lrlib.sweeps.timing.Pace(updates=seconds, image=0.0)

    def of_one_batch(config: RunConfig, *, batches: int = 60, **how) -> list[Sharpness]:
        return sharpness(config, batches=batches if config.dataset != "cifar10" else 1, **how)

    lrbook.colab._trained, lrlib.sweeps.timing.pace = count, assume
    lrlib.training.measure_sharpness = of_one_batch
    lrbook.colab._preset_here = lambda: "laptop"
    return counted
