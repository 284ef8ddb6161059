"""How long a captured update takes on this GPU, alone and in company."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import torch

from lrlib._gpu_check import Bench
from lrlib._machine import resolve
from lrlib.config import preset

#: Runs at a time. Small networks gain from company up to about 8.
COMPANY = (1, 2, 4, 8)
#: 125 updates of 128 images: whole batches alone, so that one graph is captured for the updates of a run.
IMAGES = 16_000


def race(
    presets: tuple[str, ...] = ("laptop", "resnet50", "source"),
    *,
    company: tuple[int, ...] = COMPANY,
    precision: str = "bf16",
    device: str = "cuda",
    images: int = IMAGES,
    say: Callable[[str], None] = print,
) -> list[dict]:
    """Time an epoch of replays for each preset and company; return one dict a row, and say it in a line.

    Each row has `preset`, `together`, `deterministic`, and `ms_per_update`: wall milliseconds divided by
    the updates of all runs together, so that half the number means twice the throughput.
    """
    rows = []
    for name in presets:
        for deterministic, counts in ((False, company), (True, company[:1])):
            config = preset(
                name, recipe="linear", epochs=1, train_images=images, test_images=125, precision=precision,
                device=device,
            )  # fmt: skip
            target = resolve(
                config, path="graph", threads=1, together=max(counts), deterministic=deterministic
            )
            cuda = target.device.type == "cuda"
            streams = [torch.cuda.Stream() if cuda else None for _ in range(max(counts))]
            benches = []
            with target.own_settings():
                for n in counts:
                    for seed, stream in list(enumerate(streams))[len(benches) : n]:
                        with torch.cuda.stream(stream):
                            benches.append(Bench(config.changed(seed=seed), target))
                    seconds = min(_epoch(benches[:n], streams, cuda=cuda) for _ in range(2))
                    row = {
                        "preset": name,
                        "together": n,
                        "deterministic": deterministic,
                        "ms_per_update": 1000 * seconds / n / config.steps_per_epoch,
                    }
                    rows.append(row)
                    extra = ", deterministic" if deterministic else ""
                    say(f"{name:9} {n} at once{extra}: {row['ms_per_update']:.3f} ms an update of one run")
            del benches
    return rows


def _epoch(benches: list[Bench], streams: list, *, cuda: bool) -> float:
    """Return the wall seconds of one epoch of each bench, an update of each in turn."""
    for bench, stream in zip(benches, streams, strict=False):
        with torch.cuda.stream(stream):
            bench.engine.lay_out(bench.order, bench.draws, bench.rates)
    if cuda:
        torch.cuda.synchronize()
    start = perf_counter()
    for t in range(benches[0].config.steps_per_epoch):
        for bench, stream in zip(benches, streams, strict=False):
            with torch.cuda.stream(stream):
                bench.engine.updates[t]()
    if cuda:
        torch.cuda.synchronize()
    return perf_counter() - start
