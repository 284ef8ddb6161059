"""How long a captured update takes on this GPU, alone and in company."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter

import torch

from lrlib.runs.config import preset
from lrlib.sweeps.gpu_check import Bench
from lrlib.training.machine import resolve

#: Runs at a time. Small networks gain from company up to about 8.
COMPANY = (1, 2, 4, 8)
#: 125 updates of 128 images: whole batches alone, so that one graph is captured for the updates of a run.
IMAGES = 16_000


def race(
    presets: tuple[str, ...] = ("resnet50", "source", "laptop"),
    *,
    company: tuple[int, ...] = COMPANY,
    precision: str = "bf16",
    device: str = "cuda",
    images: int = IMAGES,
    seconds: float = math.inf,
    say: Callable[[str], None] = print,
) -> list[dict]:
    """Time an epoch of replays for each preset and company; return one dict a row, and say it in a line.

    Each row has `preset`, `together`, `deterministic`, and `ms_per_update`: wall milliseconds divided by the
    updates of all runs together, so that half the number means twice the throughput. No row is begun after
    `seconds`, and what is left out is named.
    """
    rows, end = [], perf_counter() + seconds
    asked = [
        (name, n, deterministic)
        for deterministic, counts in ((False, company), (True, company[:1]))
        for name in presets
        for n in counts
    ]
    benches: list[Bench] = []
    made_for = None
    for name, n, deterministic in asked:
        extra = ", deterministic" if deterministic else ""
        if perf_counter() > end:
            say(f"{name:9} {n} at once{extra}: not run, no time left")
            continue
        config = preset(
            name,
            recipe="linear",
            epochs=1,
            train_images=images,
            test_images=125,
            precision=precision,
            device=device,
        )
        target = resolve(config, path="graph", threads=1, together=n, deterministic=deterministic)
        if made_for != (name, deterministic):
            benches, streams, made_for = [], [], (name, deterministic)
        with target.own_settings():
            while len(benches) < n:  # those of the row before go on
                streams.append(torch.cuda.Stream() if target.device.type == "cuda" else None)
                with torch.cuda.stream(streams[-1]):
                    benches.append(Bench(config.changed(seed=len(benches)), target))
            took = min(_epoch(benches, streams, target.device) for _ in range(2))
        ms = 1000 * took / n / config.steps_per_epoch
        rows.append({"preset": name, "together": n, "deterministic": deterministic, "ms_per_update": ms})
        say(f"{name:9} {n} at once{extra}: {ms:.3f} ms an update of one run")
    return rows


def _epoch(benches: list[Bench], streams: list, device: torch.device) -> float:
    """Return the wall seconds of one epoch of each bench, an update of each in turn."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter()

    for bench, stream in zip(benches, streams, strict=True):
        with torch.cuda.stream(stream):
            bench.engine.lay_out(bench.order, bench.draws, bench.rates)
    start = now()
    for t in range(benches[0].config.steps_per_epoch):
        for bench, stream in zip(benches, streams, strict=True):
            with torch.cuda.stream(stream):
                bench.engine.updates[t]()
    return now() - start
