"""Run every spelling of the Rosetta page in its framework, and write what came of it.

    python tests/helpers/rosetta_runs.py        (needs lrlib[rosetta])

The file is book/lrbook/chapters/rosetta.json.

A rate is what moved a weight: each spelling drives the framework's own optimizer, gradient -1. The tests run
the same functions and compare with the file.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import frameworks
import lrlib.schedules
from lrbook.chapters.rosetta_spellings import BEYOND, FRAMEWORKS, LENGTHS, PEAK, ROWS

ROOT = Path(__file__).parents[2]
OUT = ROOT / "book" / "lrbook" / "chapters" / "rosetta.json"
PACKAGES = ("torch", "keras", "optax", "jax", "timm", "transformers", "lightning")
# Relative to the rate; as a part of the peak. Rates in 32 bits are off by 1e-8 or more, those in 64 by 1e-14.
EXACT, ROUNDING = 1e-9, 1e-6


# --- A spelling, run --------------------------------------------------------------------------------------


def optimizer() -> torch.optim.SGD:
    """Return an optimizer of one weight in float64, whose gradient is -1."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    weight.grad = -torch.ones(1, dtype=torch.float64)
    return torch.optim.SGD([weight], lr=PEAK)


def torch_moved(opt: torch.optim.Optimizer, step: Callable[[int], None], steps: int) -> list[float | None]:
    """Return how far each update moves the weight; None from where the scheduler refuses to go on."""
    (weight,) = opt.param_groups[0]["params"]
    moved: list[float | None] = []
    for t in range(steps):
        with torch.no_grad():
            weight.zero_()
        opt.state.clear()  # OneCycleLR sets a momentum: what moved before must not move again
        opt.step()
        moved.append(float(weight))
        try:
            step(t + 1)
        except ValueError:
            return moved + [None] * (steps - len(moved))
    return moved


def built(framework: str, code: str, total: int, opt: Any = None) -> Any:
    """Return what an expression makes in its framework."""
    names: dict[str, Any] = {"opt": opt, "peak": PEAK, "T": total, "math": math}
    if framework in ("torch", "lightning"):
        names |= vars(torch.optim.lr_scheduler)
    elif framework == "keras":
        names["S"] = frameworks.torch_keras().optimizers.schedules
    elif framework == "optax":
        import jax.numpy as jnp
        import optax

        names |= {"optax": optax, "jnp": jnp}
    elif framework == "timm":
        import timm.scheduler

        names |= vars(timm.scheduler)
    else:
        from transformers import get_scheduler

        names["get_scheduler"] = get_scheduler
    return eval(code, names)


def applied(framework: str, code: str, total: int, steps: int) -> list[float | None]:
    """Return the rates that moved a weight at updates 0 to `steps` - 1 of a run planned for `total`."""
    if framework == "keras":
        return list(frameworks.keras_moved(built(framework, code, total), steps))
    if framework == "optax":
        return list(frameworks.optax_moved(built(framework, code, total), steps))
    if framework == "lightning":
        return list(in_lightning(code, total))
    opt = optimizer()
    made = built(framework, code, total, opt)
    if framework == "timm":
        return torch_moved(opt, made.step_update, steps)
    return torch_moved(opt, lambda t: made.step(), steps)


def in_lightning(code: str, total: int, **where: str) -> list[float]:
    """Return the rates of a `Trainer.fit` of one epoch, with torch's spelling and ``interval="step"``."""

    def configure(module):
        opt = torch.optim.SGD(module.parameters(), lr=PEAK)
        made = built("torch", code, total, opt)
        return {"optimizer": opt, "lr_scheduler": {"scheduler": made, "interval": "step"}}

    return frameworks.lightning_log(configure, 1, total).rates


def planned(lrlib_code: str, total: int, steps: int) -> list[float]:
    """Return lrlib's rates."""
    schedule = eval(lrlib_code, {**vars(lrlib.schedules), "T": total})
    return [PEAK * schedule(t) for t in range(steps)]


# --- Compared ---------------------------------------------------------------------------------------------


def compared(rates: Sequence[float | None], wanted: Sequence[float], total: int) -> dict:
    """Return how the applied rates differ from the plan, as parts of the peak, and those beyond the end."""
    inside = np.array(rates[:total], dtype=float), np.array(wanted[:total])
    found: dict[str, Any] = verdict(*inside)
    got, due = rates[total:], wanted[total:]
    alike = all(a is not None and abs(a - b) <= ROUNDING * PEAK for a, b in zip(got, due, strict=False))
    if len(got) and not alike:
        found["after"] = [None if rate is None else digits(rate / PEAK) for rate in got]
        found["due"] = [digits(rate / PEAK) for rate in due]
    return found


def verdict(rates: np.ndarray, wanted: np.ndarray) -> dict:
    """Return "equal", "rounding", "shifted" or "differs", with where and how much for the last two."""
    off = np.abs(rates - wanted)
    if np.all(off <= EXACT * np.abs(wanted)):
        return {"verdict": "equal"}
    if off.max() <= ROUNDING * PEAK:
        return {"verdict": "rounding"}
    at = int(np.argmax(off > off.max() - EXACT * PEAK))  # the first of those that are level
    found = {
        "count": int(np.sum(off > ROUNDING * PEAK)),
        "worst": digits(off[at] / PEAK),
        "at": at,
        "got": digits(rates[at] / PEAK),
        "wanted": digits(wanted[at] / PEAK),
    }
    if np.all(np.abs(rates[1:] - wanted[:-1]) <= ROUNDING * PEAK):
        return {"verdict": "shifted", "first": digits(rates[0] / PEAK), **found}
    return {"verdict": "differs", **found}


def digits(value: float) -> float:
    """Return a number with three digits."""
    return float(f"{value:.3g}")


def table_cell(row: str, framework: str) -> dict:
    """Return the comparison of one spelling at each length."""
    entry = ROWS[row]
    spelling = entry.spellings["torch" if framework == "lightning" else framework]
    found = {}
    for total in LENGTHS:
        steps = total if framework == "lightning" else total + BEYOND
        rates = applied(framework, spelling.code, total, steps)
        if framework == "lightning":
            # The weight there is in float32: the rates are those of the optimizer, which must be torch's own.
            same = rates == optimizer_rates(spelling.code, total)
            found[str(total)] = {"verdict": "as torch" if same else "not as torch"}
        else:
            found[str(total)] = compared(rates, planned(entry.lrlib, total, steps), total)
    return found


def optimizer_rates(code: str, total: int) -> list[float]:
    """Return the rates that torch's optimizer holds at each update, in a plain loop."""
    opt = optimizer()
    made = built("torch", code, total, opt)
    rates = []
    for _ in range(total):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        made.step()
    return rates


# --- Surprises outside torch ------------------------------------------------------------------------------


def integer_zero() -> dict:
    """Keras: the rates at four counts of a cosine that begins at the integer 0, and at 0.0."""
    cosine = frameworks.torch_keras().optimizers.schedules.CosineDecay
    return {
        repr(first): [
            digits(float(cosine(first, decay_steps=90, warmup_target=PEAK, warmup_steps=10)(t)) / PEAK)
            for t in (0, 5, 10, 50)
        ]
        for first in (0, 0.0)
    }


def accumulation(k: int = 4, updates: int = 8) -> dict:
    """Keras: what each real update moves a weight by, with a line over `updates` and k micro-batches each."""
    keras = frameworks.torch_keras()
    line = keras.optimizers.schedules.PolynomialDecay(PEAK, decay_steps=updates, end_learning_rate=0.0)
    made = keras.optimizers.SGD(line, gradient_accumulation_steps=k)
    weight = keras.Variable(np.zeros(1, dtype="float32"))
    made.build([weight])
    gradient = keras.ops.convert_to_tensor(-np.ones(1, dtype="float32"))
    moved = []
    for _ in range(updates):
        weight.assign(np.zeros(1, dtype="float32"))
        for _ in range(k):
            made.apply([gradient], [weight])
        moved.append(digits(float(keras.ops.convert_to_numpy(weight.value)[0]) / PEAK))
    return {"k": k, "applied": moved, "planned": [digits(1 - t / updates) for t in range(updates)]}


#: The same number, 100, and a warm-up of 10, in the argument that says how long it takes.
DECAY_STEPS = {
    "keras": "S.CosineDecay(0.0, decay_steps=100, warmup_target=peak, warmup_steps=10)",
    "optax": "optax.warmup_cosine_decay_schedule(0.0, peak, warmup_steps=10, decay_steps=100)",
    "timm": "CosineLRScheduler(opt, t_initial=100, warmup_t=10, t_in_epochs=False)",
    "timm, warmup_prefix=True": (
        "CosineLRScheduler(opt, t_initial=100, warmup_t=10, warmup_prefix=True, t_in_epochs=False)"
    ),
    "transformers": "get_scheduler('cosine', opt, 10, 100)",
}


def decay_steps() -> dict:
    """Return by framework the first update after the warm-up with rate 0, and the highest rate."""
    found = {}
    for name, code in DECAY_STEPS.items():
        rates = applied(name.split(",")[0], code, 100, 116)
        end = next(t for t in range(50, len(rates)) if rates[t] < 1e-7 * PEAK)
        found[name] = {"code": code, "zero_at": end, "highest": digits(max(rates) / PEAK)}
    return found


def float32_cosine(totals: Sequence[int] = (11_730, 39_100)) -> dict:
    """Keras and optax: how far the last rate of a long cosine is off, and how many last rates are just 0."""
    spelled = {name: ROWS["cosine"].spellings[name].code for name in ("keras", "optax")}
    found: dict[str, dict] = {}
    for name, code in spelled.items():
        for total in totals:
            made = built(name, code, total)
            last = [float(made(total - left)) for left in range(1, 11)]
            exact = PEAK * math.sin(math.pi / (2 * total)) ** 2
            found.setdefault(name, {})[str(total)] = {
                "zeros": next(i for i, rate in enumerate(last) if rate > 0),
                "last_of_exact": digits(last[0] / exact),
            }
    return found


def silent_step_update(total: int = 100) -> dict:
    """timm: the lowest and highest rate, as parts of the peak, of a scheduler that counts epochs by default.

    And the lowest of one that counts updates, where `step` is called after each.
    """
    code = f"CosineLRScheduler(opt, t_initial={total})"
    rates = applied("timm", code, total, total)
    opt = optimizer()
    made = built("timm", f"CosineLRScheduler(opt, t_initial={total}, t_in_epochs=False)", total, opt)
    other = torch_moved(opt, made.step, total)
    found = {"lowest": min(rates), "highest": max(rates), "lowest_by_step": min(other)}
    return {"code": code, **{name: digits(rate / PEAK) for name, rate in found.items()}}


def per_epoch(epochs: int = 3, batches: int = 10) -> dict:
    """Lightning: the rates of a line over all updates, with the interval left at its default."""
    total = epochs * batches

    def configure(module):
        opt = torch.optim.SGD(module.parameters(), lr=PEAK)
        made = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.0, total)
        return {"optimizer": opt, "lr_scheduler": made}

    rates = frameworks.lightning_log(configure, epochs, batches).rates
    return {
        "epochs": epochs,
        "applied": [digits(rate / PEAK) for rate in rates],
        "planned": [digits(1 - t / total) for t in range(total)],
    }


SURPRISES: dict[str, tuple[tuple[str, ...], Callable[[], dict]]] = {
    "integer_zero": (("keras",), integer_zero),
    "accumulation": (("keras",), accumulation),
    "decay_steps": (("keras", "optax", "jax", "timm", "transformers"), decay_steps),
    "float32_cosine": (("keras", "optax", "jax"), float32_cosine),
    "silent_step_update": (("timm",), silent_step_update),
    "per_epoch": (("lightning",), per_epoch),
}


def main() -> None:
    """Run all, and write."""
    warnings.filterwarnings("ignore")
    cells = {
        row: {
            name: table_cell(row, name)
            for name in FRAMEWORKS
            if name == "lightning" or name in entry.spellings
        }
        for row, entry in ROWS.items()
    }
    found = {
        "versions": {name: version(name) for name in PACKAGES},
        "cells": cells,
        "surprises": {name: run() for name, (_, run) in SURPRISES.items()},
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
