"""The schedules that the explorer offers: their names, their sliders and what an icon shows.

`explorer.js` has what it computes for each, under the same key: the factor of an update, and the lines that
one copies. Where lrlib has a recipe, the sliders begin with its values.
"""

from __future__ import annotations

from dataclasses import dataclass

from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    Knots,
    LinearDecay,
    PolynomialDecay,
    Schedule,
    TimeDecay,
    Triangle,
)
from lrlib.schedules.modern import (
    CosineFloorRecipe,
    CyclicRecipe,
    ExponentialRecipe,
    InverseSqrtRecipe,
    OneCycleRecipe,
    RestartsRecipe,
    StepRecipe,
    WSDRecipe,
)
from lrlib.schedules.recipes import RECIPES, DropRecipe, PolynomialRecipe, TriangleRecipe

ICON = 30  # updates of an icon's shape


@dataclass(frozen=True)
class Slider:
    """A parameter that the reader moves.

    Attributes
    ----------
    key : str
        Its name in a link.
    label : str
    min, max, value : float
        The ends, and where it begins.
    step : float
        1 allows whole numbers alone. 0 moves the logarithm, and two digits of the number are kept.

    Examples
    --------
    >>> Slider("decay", "decay per update", 0.0001, 1, 0, 0.02).log
    True
    """

    key: str
    label: str
    min: float
    max: float
    step: float
    value: float

    @property
    def log(self) -> bool:
        return self.step == 0


@dataclass(frozen=True)
class Choice:
    """A schedule on offer.

    Attributes
    ----------
    label : str
        What its button says.
    icon : Schedule
        What its button draws, over 30 updates.
    sliders : tuple of Slider
    note : str
        A line on what is not shown; empty for most.

    Examples
    --------
    >>> CHOICES["rex"].label
    'REX'
    """

    label: str
    icon: Schedule
    sliders: tuple[Slider, ...] = ()
    note: str = ""


def _warmup(value: float) -> Slider:
    return Slider("warmup", "warm-up", 0, 0.9, 0.01, value)


def _recipe(label: str, key: str, *sliders: Slider, note: str = "") -> Choice:
    return Choice(label, RECIPES[key].build(total_steps=ICON, steps_per_epoch=1), sliders, note)


def _wsd(label: str, key: str) -> Choice:
    recipe = WSDRecipe()
    tail = Slider("cooldown", "cooldown", 0.02, 1, 0.01, recipe.cooldown_fraction)
    return _recipe(label, key, _warmup(recipe.warmup_fraction), tail)


_DRAWN = (0.3, 0.9, 0.98, 0.65, 0.9, 0.5, 0.33, 0.47, 0.15, 0.2, 0.04)
_DROP, _POLY, _TRIANGLE, _STEP, _FLOOR = (
    DropRecipe(),
    PolynomialRecipe(),
    TriangleRecipe(),
    StepRecipe(),
    CosineFloorRecipe(),
)
_ONE, _SGDR, _CLR = OneCycleRecipe(), RestartsRecipe(), CyclicRecipe()

SURVEYS: dict[str, Choice] = {
    "draw": Choice("draw your own", Knots(total_steps=ICON, factors=_DRAWN)),
    "constant": Choice("constant", Constant()),
    "time": Choice("time", TimeDecay(decay=0.2), (Slider("decay", "decay per update", 1e-4, 1, 0, 0.02),)),
    "drop": Choice(
        "drop",
        DropDecay(drop_factor=0.3, drop_steps=8),
        (
            Slider("drop", "each drop multiplies by", 0.05, 1, 0.05, _DROP.drop_factor),
            Slider("every", "a drop every", 0.02, 1, 0.01, _DROP.drop_fraction),
            Slider("offset", "each early by", 0, 0.5, 0.01, _DROP.offset_fraction),
        ),
    ),
    "linear": Choice("linear", LinearDecay(total_steps=ICON)),
    "poly": Choice(
        "poly",
        PolynomialDecay(total_steps=ICON, power=3),
        (Slider("power", "power", 0.1, 8, 0.1, _POLY.power),),
    ),
    "triangle": Choice(
        "triangle",
        Triangle(total_steps=ICON, warmup_steps=5),
        (
            _warmup(_TRIANGLE.warmup_fraction),
            Slider("start", "begins at, of the peak", 0, 1, 0.05, _TRIANGLE.start),
        ),
    ),
    "cosine": Choice("cosine", CosineAnnealing(total_steps=ICON), (Slider("cycles", "cycles", 1, 8, 1, 1),)),
}

TODAYS: dict[str, Choice] = {
    "exponential": _recipe(
        "exponential",
        "exponential",
        Slider("end", "ends at, of the peak", 1e-4, 1, 0, ExponentialRecipe().end),
    ),
    "noam": _recipe("Noam", "noam", _warmup(InverseSqrtRecipe().warmup_fraction)),
    "step": _recipe(
        "step",
        "step",
        _warmup(_STEP.warmup_fraction),
        Slider("first", "first drop after", 0, 1, 0.01, _STEP.milestones[0]),
        Slider("second", "second drop after", 0, 1, 0.01, _STEP.milestones[1]),
        Slider("drop", "each multiplies by", 0.05, 1, 0.05, _STEP.drop_factor),
    ),
    "cosine_floor": _recipe(
        "cosine, floor",
        "cosine_floor",
        _warmup(_FLOOR.warmup_fraction),
        Slider("floor", "floor, of the peak", 0, 1, 0.01, _FLOOR.floor),
    ),
    "1cycle": _recipe(
        "1cycle",
        "1cycle",
        _warmup(_ONE.warmup_fraction),
        Slider("start", "begins at, of the peak", 0.01, 1, 0.01, _ONE.start),
        Slider("end", "ends at, of the peak", 1e-6, 1, 0, _ONE.end),
        Slider("lines", "along", 0, 1, 1, 0),
        note="Only the rate is shown: the valley has no momentum, which 1cycle moves against the rate.",
    ),
    "sgdr": _recipe(
        "SGDR",
        "sgdr",
        Slider("cycles", "cycles", 1, 6, 1, _SGDR.cycles),
        Slider("growth", "each longer, ×", 1, 4, 1, _SGDR.growth),
    ),
    "clr": _recipe(
        "CLR",
        "clr",
        Slider("cycles", "cycles", 1, 10, 1, _CLR.cycles),
        Slider("low", "foot, of the peak", 0, 1, 0.05, _CLR.low),
        Slider("height", "each as high, ×", 0.05, 1, 0.05, _CLR.peak_factor),
    ),
    "wsd": _wsd("WSD", "wsd"),
    "wsd_sqrt": _wsd("WSD, √", "wsd_sqrt"),
    "rex": _recipe("REX", "rex"),
}

CHOICES = SURVEYS | TODAYS
