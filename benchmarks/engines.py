"""What an engine costs a study: seconds to the first record, and a run, of many runs that are nearly nothing.

    python benchmarks/engines.py --engine ray --runs 1000 --jobs 2

Each run is one epoch of ten images of digits. Beside it stands the same run, done again and again in one
process. Processor time counts all processes; on a busy machine it says more than the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

from lrlib.sweeps.engines import ENGINES, Resources, engine
from lrlib.sweeps.one_run import do
from lrlib.sweeps.study import plan

TINY = {"train_images": 10, "test_images": 10, "epochs": 1}


def tiny(runs: int, folder: str):
    data = {"preset": "digits", "recipes": ["linear"], "seeds": list(range(runs)), "changes": TINY}
    return plan("tiny", data, Path(folder))


def processor_seconds() -> float:
    """Return what this process and those that it has waited for have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="ray", choices=ENGINES)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--block", type=int, help="runs a task, on a cluster")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        alone = tiny(30, folder)
        do(alone.runs[0], threads=1)  # loads and warms up
        begun, used = time.perf_counter(), processor_seconds()
        for planned in alone.runs[1:]:
            do(planned, threads=1)
        one = (time.perf_counter() - begun) / (len(alone.runs) - 1)
        one_used = (processor_seconds() - used) / (len(alone.runs) - 1)
    address = "local" if options.engine == "slurm" else None
    resources = None if options.engine == "local" else Resources(address=address, block=options.block)
    times: list[float] = []

    def say(line: str) -> None:
        if line.startswith("["):
            times.append(time.perf_counter())
        if line.startswith("[") and len(times) % 50:
            return
        with contextlib.suppress(OSError):
            print(line, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        begun, used = time.perf_counter(), processor_seconds()
        done = engine(options.engine, resources)(
            tiny(options.runs, folder), jobs=options.jobs, threads=1, say=say
        )
        took, used = time.perf_counter() - begun, processor_seconds() - used
    between = (times[-1] - times[0]) / max(1, len(times) - 1)
    found = {
        "engine": options.engine,
        "runs": options.runs,
        "jobs": options.jobs,
        "block": options.block,
        "all well": done,
        "seconds in all": round(took, 1),
        "seconds to the first record": round(times[0] - begun, 1),
        "seconds a record after the first": round(between, 4),
        "processor seconds a run, start included": round(used / options.runs, 4),
        "the same run alone in one process: seconds": round(one, 4),
        "and its processor seconds": round(one_used, 4),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
