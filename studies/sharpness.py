"""Measure the batch sharpness at the start of runs and along some: writes lrlib/recorded/sharpness.json.

    python studies/sharpness.py

On the digits: at the start for batches of 5, 20 and 80, seeds 1 to 3; along linear decay and the triangle at
peak rates 0.05, 0.1 and 0.2 (momentum 0.9, batches of 5, seeds 1 to 3). On CIFAR-10: at the start of the
laptop runs. What took how long stands in the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter

from lrlib import preset
from lrlib.training import measure_sharpness
from lrlib.training.machine import hardware

SEEDS = (1, 2, 3)
MOMENTS = (0, 20, 40, 80, 120, 160, 200, 240, 320, 480, 640, 800, 960, 1120, 1280, 1440)
OUT = Path(__file__).parents[1] / "lrlib" / "recorded" / "sharpness.json"


def measured(name: str, moments: tuple[int, ...], batches: int, **settings) -> dict:
    """Return one run's points, its settings, and the seconds that it took."""
    config = preset(name, **settings)
    start = perf_counter()
    points = measure_sharpness(config, at=moments, batches=batches)
    seconds = perf_counter() - start
    kept = ("step", "lr", "value", "standard_error")
    return {
        "preset": name,
        "recipe": config.recipe.label,
        "seed": config.seed,
        "batch_size": config.batch_size,
        "momentum": config.momentum,
        "peak_lr": config.peak_lr,
        "batches": points[0].batches,
        "seconds": round(seconds, 1),
        "points": [[getattr(point, field) for field in kept] for point in points],
    }


def main() -> None:
    """Measure all, and write."""
    import torch

    runs = []
    for seed in SEEDS:
        for size in (5, 20, 80):
            runs.append(measured("digits", (0,), 60, recipe="linear", seed=seed, batch_size=size))
        for recipe in ("linear", "triangle"):
            for peak in (0.05, 0.1, 0.2):
                runs.append(measured("digits", MOMENTS, 60, recipe=recipe, seed=seed, peak_lr=peak))
                print(runs[-1]["recipe"], peak, seed, runs[-1]["seconds"], flush=True)
    for seed in SEEDS:
        runs.append(measured("laptop", (0,), 20, recipe="linear", seed=seed))
        print(runs[-1], flush=True)
    found = {"torch": torch.__version__, "hardware": hardware(torch.device("cpu")), "runs": runs}
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
