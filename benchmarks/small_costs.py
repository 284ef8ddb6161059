"""Small costs, side by side in one run: a schedule's call, a watched update, an import, the book.

python benchmarks/small_costs.py [--book | --watch] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import timeit
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROUNDS = 9
STEPS = 10_000


def schedule_calls() -> dict[str, float]:
    """Microseconds of one rate, median over rounds in turn: our call against the schedulers' step()."""
    import optax
    import torch
    from timm.scheduler import CosineLRScheduler

    from lrlib import CosineAnnealing, LinearDecay, TimeDecay, with_warmup

    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")

    def optimizer() -> torch.optim.Optimizer:
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)

    schedulers = torch.optim.lr_scheduler
    linear = schedulers.LinearLR(optimizer(), 1.0, 0.0, total_iters=STEPS)
    cosine = schedulers.CosineAnnealingLR(optimizer(), STEPS)
    function = schedulers.LambdaLR(optimizer(), LinearDecay(total_steps=STEPS))
    timm_cosine = CosineLRScheduler(optimizer(), t_initial=STEPS, t_in_epochs=False)
    optax_linear = optax.linear_schedule(0.1, 0.0, STEPS)
    optax_cosine = optax.cosine_decay_schedule(0.1, STEPS)
    shapes = {
        "LinearDecay(t)": LinearDecay(total_steps=STEPS),
        "CosineAnnealing(t)": CosineAnnealing(total_steps=STEPS),
        "TimeDecay(t)": TimeDecay(decay=0.001),
        "with_warmup(LinearDecay)(t)": with_warmup(LinearDecay(total_steps=STEPS), 100),
    }
    calls: dict[str, Callable[[], object]] = {
        **{f"lrlib {name}": partial(shape, 1234) for name, shape in shapes.items()},
        "torch LinearLR.step()": linear.step,
        "torch CosineAnnealingLR.step()": cosine.step,
        "torch LambdaLR(lrlib LinearDecay).step()": function.step,
        "timm CosineLRScheduler.step_update(t)": lambda: timm_cosine.step_update(1234),
        "optax linear_schedule(t)": lambda: optax_linear(1234),
        "optax cosine_decay_schedule(t)": lambda: optax_cosine(1234),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(1e6 * timeit.timeit(call, number=500) / 500)
    return {name: statistics.median(values) for name, values in times.items()}


def watching() -> dict[str, float]:
    """Microseconds of one update of the digits network, as it is and under `lrlib.audit.watch`, in turn.

    The difference of the two is smaller than the noise of either, so the watch's own part is timed alone too:
    on an optimizer without parameters, whose step does nothing else.
    """
    import torch

    from lrlib import audit, preset
    from lrlib.training.networks import build

    torch.set_num_threads(1)
    config = preset("digits", recipe="linear")
    model = build(config.network, in_channels=1, classes=10, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images, labels = torch.randn(config.batch_size, 1, 8, 8), torch.randint(0, 10, (config.batch_size,))
    empty = torch.optim.SGD([{"params": []}], lr=0.1)

    def update() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    def timed(call: Callable[[], object], watched: torch.optim.Optimizer | None, number: int) -> float:
        if watched is None:
            return 1e6 * timeit.timeit(call, number=number) / number
        with audit.watch(watched):
            return 1e6 * timeit.timeit(call, number=number) / number

    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, call, watched, number in (
            ("a digits update", update, None, 100),
            ("a digits update, watched", update, optimizer, 100),
            ("an empty step", empty.step, None, 3000),
            ("an empty step, watched", empty.step, empty, 3000),
        ):
            times.setdefault(name, []).append(timed(call, watched, number))
    found = {name: statistics.median(values) for name, values in times.items()}
    own = found["an empty step, watched"] - found["an empty step"]
    return found | {
        "what watching takes": own,
        "in % of a digits update": 100 * own / found["a digits update"],
    }


FIRST_UPDATE = """
import time, sys
from torch.optim.optimizer import register_optimizer_step_post_hook
from lrlib import preset
from lrlib.training.run import train
class Done(BaseException): pass
def stop(*_): raise Done
register_optimizer_step_post_hook(stop)
try: train(preset({preset!r}, recipe="linear", **{changes!r}), progress=False)
except Done: pass
"""


def processes() -> dict[str, float]:
    """Seconds of whole processes, median over rounds in turn."""
    code = {
        "python, nothing imported": "pass",
        "import lrlib": "import lrlib",
        "import torch": "import torch",
        "import lrlib.plots": "import lrlib.plots",
        "process start to first update, digits": FIRST_UPDATE.format(preset="digits", changes={}),
    }
    if os.environ.get("LRLIB_DATA"):
        code["process start to first update, laptop"] = FIRST_UPDATE.format(preset="laptop", changes={})
    times: dict[str, list[float]] = {name: [] for name in code}
    for number in range(ROUNDS + 1):
        for name, text in code.items():
            tic = time.perf_counter()
            subprocess.run([sys.executable, "-c", text], check=True, capture_output=True)
            if number:  # the first round fills the disk's cache
                times[name].append(time.perf_counter() - tic)
    return {name: statistics.median(values) for name, values in times.items()}


def book() -> dict[str, float]:
    """Seconds of `make book` after installation, once."""
    tic = time.perf_counter()
    subprocess.run(["make", "book"], cwd=Path(__file__).parents[1], check=True, capture_output=True)
    return {"make book, after installation": time.perf_counter() - tic}


def table(title: str, unit: str, values: dict[str, float]) -> str:
    lines = [f"| {title} | {unit} |", "| --- | ---: |"]
    return "\n".join(lines + [f"| {name} | {value:.3g} |" for name, value in values.items()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--book", action="store_true", help="build the book too (minutes)")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--watch", action="store_true", help="time lrlib.audit.watch alone (seconds)")
    given = parser.parse_args()
    if given.watch:
        print(table("one update", "microseconds", watching()))
        return
    calls, seconds, updates = schedule_calls(), processes(), watching()
    if given.book:
        seconds |= book()
    print(
        table("one rate", "microseconds", calls),
        table("one update", "microseconds", updates),
        table("process", "seconds", seconds),
        sep="\n\n",
    )
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        found = {"microseconds": calls, "watching": updates, "seconds": seconds}
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
