"""The first tries of two runs of the source's experiment, cut two epochs before their end."""

from __future__ import annotations

import json

from lrlib.runs import Run
from lrlib.runs.config import RunConfig
from lrlib.runs.record import EpochRecord
from lrlib.runs.store import RECORDED

AGAIN = "source-gpu"  # our runs of the source's experiment


def cut_runs() -> dict[str, Run]:
    """Return the cut runs by schedule: configs, and the epochs that were done; see studies/cut_runs.py.

    Each was begun again later, from the same start and with the same batches, and is whole in the study.
    """
    found = json.loads((RECORDED / f"{AGAIN}-cut.json").read_text(encoding="utf-8"))
    runs = [
        # A record is whole, and its model says so: these have no status and no final losses.
        Run.model_construct(
            config=RunConfig(**one["config"]), epochs=tuple(EpochRecord(**epoch) for epoch in one["epochs"])
        )
        for one in found.values()
    ]
    return {run.label: run for run in runs}
