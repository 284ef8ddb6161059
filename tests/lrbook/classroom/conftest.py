"""Records of a class of six, made of two real runs."""

from __future__ import annotations

import pytest

from lrlib import preset
from lrlib.runs.store import write_run
from lrlib.training.run import train

# Final test accuracies by schedule and seed. By hand: constant has mean 0.92 and standard deviation 0.02, so
# the interval is 0.92 -+ 4.3027 * 0.02 / sqrt(3) = 0.92 -+ 0.0497. The differences are 5, 4 and 3 points.
ACCURACIES = {
    ("constant", 11): 0.90,
    ("constant", 12): 0.92,
    ("constant", 13): 0.94,
    ("linear", 11): 0.95,
    ("linear", 12): 0.96,
    ("linear", 13): 0.97,
}


@pytest.fixture(scope="module")
def trained():
    """One real run of each schedule, as small as can be: 10 updates."""
    configs = [preset("digits", recipe=name, epochs=1, train_images=50) for name in ("constant", "linear")]
    return {config.recipe.label: train(config, progress=False, threads=1) for config in configs}


@pytest.fixture
def run_of(trained):
    """Make the run of a schedule and seed with a given accuracy; it is never shipped."""

    def make(schedule, seed, accuracy, *, started="2026-03-03T09:00:00+00:00", **changes):
        run = trained[schedule]
        epoch = run.epochs[0].model_copy(update={"test_accuracy": accuracy})
        provenance = run.provenance.model_copy(update={"started": started})
        fields = {"config": run.config.changed(seed=seed), "epochs": (epoch,), "provenance": provenance}
        return run.model_copy(update={**fields, **changes})

    return make


@pytest.fixture
def folder(run_of, tmp_path):
    """The records of six students, some in sub-folders, under names of their own."""
    place = tmp_path / "handed in"
    names = iter(["a.json", "b/record.json", "b/record (1).json", "MY RUN.JSON", "c/d/e.json", "f.json.txt"])
    for (schedule, seed), accuracy in ACCURACIES.items():
        write_run(run_of(schedule, seed, accuracy), place / next(names))
    return place
