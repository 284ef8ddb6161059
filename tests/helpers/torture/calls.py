"""Calls of the library with arguments that no one should give; see `inputs`."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

import lrlib
from lrbook.exercises import exercises
from lrlib.adapters.audit import compare
from lrlib.runs.config import PRESETS, RunConfig, preset
from lrlib.schedules._serialize import _KINDS, from_dict
from lrlib.stats import curves, paired, power, sampling
from lrlib.training.run import train
from torture.inputs import FIELDS, KINDS, Case, generated, kind, scalars, values

__all__ = ["KINDS"]

ODD = [
    None, True, False, "", "x", "1", b"1", 0, -1, 1.5, math.nan, math.inf, -math.inf, 2**63, 10**400, 1j,
    [], [1], (),
    {}, {1}, object(), Fraction(1, 3), np.float64("nan"), np.array([]), np.array([1, 2]), np.bool_(True),
    torch.tensor(1.5), torch.tensor([1, 2]), torch.zeros(0), range(3), ..., lrlib.Constant(), lrlib,
]  # fmt: skip


def use(schedule: Any) -> None:
    """Look at a schedule that was made after all: its factors are what the docstrings say."""
    kinds = repr(schedule)
    for t in (0, 1, 7, 10**8, 2**62):
        factor = schedule(t)
        if type(factor) is not float or not math.isfinite(factor) or factor < 0:
            raise AssertionError(f"{kinds} at {t}: {factor!r}")
        if factor > 1 and "join" not in kinds:
            raise AssertionError(f"{kinds} at {t}: {factor!r}")
    if from_dict(schedule.to_dict()) != schedule:
        raise AssertionError(f"{kinds} is another one when it is read again")


SHAPES = {
    name: cls
    for name, cls in _KINDS.items()
    if issubclass(cls, lrlib.Schedule) and cls.__module__.startswith("lrlib.")
}
RECIPES = {
    name: cls
    for name, cls in _KINDS.items()
    if not issubclass(cls, lrlib.Schedule) and cls.__module__.startswith("lrlib.")
}
arguments = st.one_of(
    scalars, values, st.sampled_from(ODD), st.just(lrlib.LinearDecay(total_steps=9)), st.floats(0, 1)
)


def makes(cls: Any, given: dict) -> Callable[[], None]:
    def call() -> None:
        made = cls(**given)
        if isinstance(made, lrlib.Schedule):
            use(made)

    return call


def likely(cls: Any, chance: random.Random) -> dict[str, Any]:
    """Return arguments that may do."""
    by_name = {
        "schedule": lrlib.LinearDecay(total_steps=50),
        "parts": ((lrlib.Constant(), 3), (lrlib.LinearDecay(total_steps=9), None)),
        "factors": [1, 0.5, 0],
        "milestones": (1, 5),
        "anneal": "linear",
        "cooldown": "sqrt",
        "cycles": 3,
        "warmup_steps": 3,
        "at": 4,
    }
    given = {}
    for field in dataclasses.fields(cls):
        whole = "int" in str(field.type)
        given[field.name] = by_name.get(field.name, chance.choice([20, 100, 10**9]) if whole else 0.25)
        if field.default is not dataclasses.MISSING and chance.random() < 0.5:
            del given[field.name]
    return given


def odd_fields(classes: dict[str, Any], chance: random.Random, times: int) -> Iterator[Case]:
    """Yield each class made with an odd value in each of its fields."""
    for name, cls in classes.items():
        for field in dataclasses.fields(cls):
            for value in [*ODD, *generated(arguments, times // 4, chance)]:
                yield Case(
                    (name, field.name, value), makes(cls, {**likely(cls, chance), field.name: value}), False
                )


@kind("arguments of schedules")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    yield from odd_fields(SHAPES, chance, times)


@kind("arguments of recipes")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    yield from odd_fields(RECIPES, chance, times)


@kind("steps that are none")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for cls in SHAPES.values():
        schedule = cls(**likely(cls, random.Random(1)))
        for value in [*ODD, *generated(arguments, times // 4, chance)]:
            may = isinstance(value, int) and value >= 0
            yield Case(
                (schedule, value),
                lambda schedule=schedule, value=value: schedule(value),
                not may and not (isinstance(value, np.integer)),
            )
            if not may:
                yield Case((schedule, value), lambda schedule=schedule, value=value: schedule.values(value))


@kind("JSON of schedules and recipes")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for value in [*ODD, *generated(values, times, chance)]:
        yield Case(value, lambda value=value: from_dict(value))
    for name, cls in {**SHAPES, **RECIPES}.items():
        good = {"kind": name, "version": 1, **likely(cls, random.Random(1))}
        for key in good:
            for value in generated(arguments, times // 10 + 1, chance):
                yield Case(
                    (name, key, value),
                    lambda good=good, key=key, value=value: from_dict({**good, key: value}),
                    False,
                )
    deep: Any = {"kind": "constant", "version": 1}
    for _ in range(5000):
        deep = {"kind": "hold", "version": 1, "schedule": deep, "steps": 1}
    yield Case("nested deeply", lambda: from_dict(deep))


@kind("fields of a config")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for field in (*FIELDS, "recipe", "seed"):
        for value in [*ODD, *generated(values, times // 2, chance)]:
            yield Case(
                (field, value),
                lambda field=field, value=value: RunConfig(
                    **{**PRESETS["digits"], "recipe": "linear", "seed": 1, field: value}
                ).schedule()(3),
                False,
            )
    for value in ODD:
        yield Case(value, lambda value=value: preset(value, recipe="linear"))


@kind("arguments of train")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    config = preset("digits", recipe="linear", epochs=1, train_images=10, test_images=10)
    for value in ODD:
        if value is not None and not isinstance(value, str):
            yield Case(("config", value), lambda value=value: train(value, progress=False))
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 0 < value < 99:
                yield Case(
                    ("threads", value), lambda value=value: train(config, threads=value, progress=False)
                )
            yield Case(("path", value), lambda value=value: train(config, path=value, progress=False))
            yield Case(("data", value), lambda value=value: train(config, data=value, progress=False))


def optimizer(rate: Any = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


@kind("adapters: torch")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    good = lrlib.LinearDecay(total_steps=9)
    for value in [*ODD, *generated(arguments, times, chance)]:
        ok = isinstance(value, lrlib.Schedule)
        yield Case(("schedule", value), lambda value=value: lrlib.to_torch(optimizer(), value), not ok)
        if value is not None:
            yield Case(
                ("peak", value), lambda value=value: lrlib.to_torch(optimizer(), good, peak_lr=value), False
            )
        yield Case(("at", value), lambda value=value: lrlib.to_torch(optimizer(), good, at=value), False)
        yield Case(("optimizer", value), lambda value=value: lrlib.to_torch(value, good))
        yield Case(("preview", value), lambda value=value: lrlib.preview(value, 3))
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer())
        if not isinstance(value, int) or value < 1000:
            yield Case(("n", value), lambda value=value, s=scheduler: lrlib.preview(s, value), False)
        yield Case(("group", value), lambda value=value, s=scheduler: lrlib.preview(s, 3, group=value), False)


@kind("adapters: tables for optax and Keras")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    from lrlib.adapters._tables import table

    good = lrlib.LinearDecay(total_steps=9)
    for value in [*ODD, *generated(arguments, times, chance)]:
        yield Case(
            ("schedule", value),
            lambda value=value: table(value, 0.1, None),
            not isinstance(value, lrlib.Schedule),
        )
        yield Case(("peak", value), lambda value=value: table(good, value, None), False)
        if not isinstance(value, int) or value < 1000:
            yield Case(("steps", value), lambda value=value: table(good, 0.1, value), False)


@kind("audit: rates and plans")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    good, rates = lrlib.LinearDecay(total_steps=9), [0.1, 0.09, 0.08]
    for value in [*ODD, *generated(arguments, times, chance)]:
        yield Case(("rates", value), lambda value=value: compare(value, good, peak_lr=0.1), False)
        yield Case(("rate", value), lambda value=value: compare([0.1, value], good, peak_lr=0.1), False)
        yield Case(("plan", value), lambda value=value: compare(rates, value, peak_lr=0.1), False)
        for name in ("peak_lr", "start", "steps_per_epoch", "processes", "accumulate", "skipped", "clock",
                     "total_steps", "tolerance"):  # fmt: skip
            call = lambda name=name, value=value: compare(rates, good, **{"peak_lr": 0.1, name: value})  # noqa: E731
            yield Case((name, value), call, False)


class Evil:
    """An answer that answers nothing."""

    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = None
    __float__ = __repr__ = __str__ = __call__ = __len__ = __iter__ = __bool__ = lambda self, *_: 1 / 0


def endless(*arguments):
    return endless(*arguments)


def growing(*arguments):
    growing.kept.append(1)
    return float(len(growing.kept))


growing.kept = []

ANSWERS = [
    *ODD, Evil(), Evil, "a", "A ", "<b>", "\u202e", "0,5", (0, 5), 10**5000, "9" * 9999, float, len,
    endless, growing,
    lambda *a: None, lambda *a: "x", lambda: 1, lambda a, b, c, d, e, f: 1, lambda *a: 1j,
    lambda *a: math.nan,
    lambda *a: 10**400, lambda *a: torch.zeros(2), lambda *a: [1], lambda *a: exit(), lambda *a: 1 / 0,
    lambda *a: (_ for _ in ()), lambda *a: Evil(), lambda *a: a, lambda *a: lambda: 1,
    lambda *a: np.float32(0.5),
    math.sin, torch.nn.Linear(1, 1), type, iter, Exception("x"), NotImplemented, memoryview(b"a"),
    bytearray(9),
]  # fmt: skip


@kind("answers to exercises")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    every = exercises()

    def judged(exercise: Any, answer: Any) -> Callable[[], None]:
        def call() -> None:
            verdict = exercise.check(answer)
            text = f"{verdict}{verdict._repr_markdown_()}"
            if not verdict.hint or (verdict and not isinstance(verdict.right, bool)):
                raise AssertionError(text)

        return call

    for exercise in every if times > 20 else chance.sample(every, 4):
        for place, answer in enumerate(ANSWERS):
            yield Case((exercise.name, place), judged(exercise, answer), False)
        for answer in generated(arguments, times // 2, chance):
            yield Case((exercise.name, "generated"), judged(exercise, answer), False)


@kind("numbers for statistics")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for value in [*ODD, *generated(arguments, times, chance)]:
        for name, call in {
            "interval": lambda v: paired.interval(v),
            "level": lambda v: paired.interval([1.0, 2.0, 3.0], v),
            "holm": lambda v: paired.holm(v),
            "reach": lambda v: power.reach(v),
            "detectable": lambda v: power.detectable(n=5, sd=v),
            "error": lambda v: sampling.sampling_error(v, images=100),
            "images": lambda v: sampling.sampling_error(0.9, images=v),
            "fall": lambda v: curves.largest_fall(v),
            "plateau": lambda v: curves.plateau_start([1.0, 2.0], tolerance=v),
        }.items():
            yield Case((name, value), lambda call=call, value=value: call(value), False)


@kind("numbers for the theory")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    from lrlib.theory import area, worst_case
    from lrlib.theory.rates import rates

    good = lrlib.LinearDecay(total_steps=9)
    for value in [*ODD, *generated(arguments, times, chance)]:
        if isinstance(value, int) and value > 10**6:
            continue  # they would do as they are told
        for name, call in {
            "area of": lambda v: area(v, total_steps=9),
            "area to": lambda v: area(good, total_steps=v),
            "rates of": lambda v: rates(v, steps=9, peak_lr=0.1),
            "rates to": lambda v: rates(good, steps=v, peak_lr=0.1),
            "peak": lambda v: rates(good, steps=9, peak_lr=v),
            "worst case": lambda v: worst_case(good, steps=v),
            "valley": lambda v: lrlib.Valley().trajectory(good, peak_lr=v, steps=5),
            "valley to": lambda v: lrlib.Valley().trajectory(good, peak_lr=0.1, steps=v),
        }.items():
            yield Case((name, value), lambda call=call, value=value: call(value), False)
