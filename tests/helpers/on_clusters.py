"""A small study for engines that lose their workers, and what has to come of it."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

from lrlib.runs.store import read_run
from lrlib.sweeps.study import Study, plan
from lrlib.training.run import train

ROOT = Path(__file__).parents[2]
LIMIT = 600  # seconds; a busy machine is slow, not wrong
FEW = {"train_images": 30, "test_images": 20}
MODULES = os.pathsep.join(map(str, (ROOT, ROOT / "book")))


def data_of(*, seeds=(1,), epochs=(40,), recipes=("constant", "linear")) -> dict:
    """A run of 40 epochs takes a second, so it can be cut; what need not be cut is shorter."""
    data = {"preset": "digits", "recipes": list(recipes), "seeds": list(seeds)}
    if len(epochs) > 1:
        return {**data, "epochs": list(epochs), "changes": FEW}
    return {**data, "changes": {**FEW, "epochs": epochs[0]}}


def study_of(folder, **what) -> Study:
    return plan("small", data_of(**what), folder)


@cache
def _alone(config) -> dict:
    return train(config, progress=False, threads=1).measured()


def are_as_if_alone(study) -> bool:
    """Whether the records are those of undisturbed runs, and nothing else lies beside them."""
    for planned in study.runs:
        assert read_run(planned.record).measured() == _alone(planned.config)
    names = sorted(planned.record.name for planned in study.runs)
    return sorted(os.listdir(study.runs[0].record.parent)) == names


def until(done, *, process=None) -> None:
    """Wait for something, while a process lives if one is given."""
    limit = time.monotonic() + LIMIT
    while not done():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
