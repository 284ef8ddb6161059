"""The full form: `make torture`. It takes some ten minutes on two cores, and prints a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import torch

from lrlib.training.machine import commit, hardware
from torture import Row, calls, damage, inputs, studies, table

assert calls.KINDS is inputs.KINDS  # imported for what it adds to them

#: How many of each in the full form; of bad inputs, generated ones a kind, and at most so many a kind.
FULL = {
    "seeds": 2,  # of each of two schedules, so four runs
    "kills": 50,
    "real_kills": 10,
    "engine_kills": 4,  # of each engine that is installed
    "refusals": 60,
    "small_disks": 15,
    "clocks": 10,
    "company": 10,
    "flips": 500,
    "inputs": 10,
    "most": None,
}
#: And in the shortened form.
SHORT = {
    "seeds": 1,
    "kills": 3,
    "real_kills": 0,
    "engine_kills": 0,
    "refusals": 2,
    "small_disks": 1,
    "clocks": 1,
    "company": 1,
    "flips": 40,
    "inputs": 1,
    "most": 8,
}


def torture(folder: Path, seed: int, times: dict, say=lambda row: None) -> list[Row]:
    """Have bad days of all kinds, `times` of each; return a row for each kind."""
    rows: list[Row] = []

    def had(row: Row) -> None:
        rows.append(row)
        say(row)

    tortured = studies.Tortured(folder / "studies", seed, seeds=times["seeds"])
    wanted = tortured.undisturbed()
    had(studies.kills(tortured, wanted, times["kills"]))
    if times["real_kills"]:
        had(studies.kills(tortured, wanted, times["real_kills"], real=True))
    for engine, package in (("ray", "ray"), ("slurm", "submitit")) if times["engine_kills"] else ():
        if find_spec(package) is not None:
            had(studies.kills(tortured, wanted, times["engine_kills"], real=True, engine=engine))
    for days in (studies.refusals, studies.small_disks, studies.clocks, studies.company):
        had(days(tortured, wanted, times[days.__name__]))
    chance = random.Random(seed)
    had(damage.checkpoints(folder, chance, times["flips"]))
    had(damage.records(folder, chance, times["flips"]))
    if times["inputs"]:
        (folder / "inputs").mkdir()
        inputs.run(folder / "inputs", chance, times["inputs"], had, times["most"])
    return rows


def main() -> int:
    """Torture, print the table, write it if a file is named; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, help="a JSON file for the table")
    chosen = parser.parse_args()
    began = time.monotonic()

    def say(row: Row) -> None:
        print(
            f"{time.monotonic() - began:6.0f} s  {row.kind}: {row.times}, {len(row.wrong)} wrong", flush=True
        )
        for sentence in row.wrong[:5]:
            print(f"          {sentence}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        rows = torture(Path(folder), chosen.seed, FULL, say)
    print(f"\n{table(rows)}")
    if chosen.out is not None:
        kept = {
            "date": datetime.now(UTC).isoformat(timespec="minutes"),
            "hardware": hardware(torch.device("cpu")),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "commit": commit(),
            "command": f"make torture SEED={chosen.seed}",
            "seconds": round(time.monotonic() - began),
            "rows": [vars(row) for row in rows],
        }
        chosen.out.write_text(json.dumps(kept, indent=1) + "\n")
    return int(any(row.wrong for row in rows))


if __name__ == "__main__":
    sys.exit(main())
