"""Recipes: schedules in fractions of a run, which is what a config stores. Here are the survey's.

A recipe knows no numbers of steps. `build` turns fractions into steps with Python's `round`, so that a tie
goes to the even number (0.15 * 11,730 = 1,759.5 gives 1,760; 0.15 * 30 = 4.5 gives 4). Formulas, conventions
of other libraries and references are with the shapes, in `lrlib.schedules.shapes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrlib._checks import check_float, check_int, no_such
from lrlib.schedules import shapes
from lrlib.schedules._serialize import Spec
from lrlib.schedules.compose import hold
from lrlib.schedules.shapes import Schedule


class Recipe(Spec, ABC):
    """Base of all recipes: a frozen description that `build` turns into a schedule.

    An argument that the shape has too (a power, a start) is checked by making a shape with it, and one that
    only the recipe has (a fraction) by the recipe.

    Attributes
    ----------
    label : str
        Short name for tables, figures and the command line, such as ``"poly5"``.
    every_update : bool
        True if the rate changes at every update even in a run that sets it once an epoch.

    Examples
    --------
    >>> get_recipe("drop").build(total_steps=1000, steps_per_epoch=10)
    DropDecay(drop_factor=0.25, drop_steps=150, offset_steps=0)
    >>> get_recipe("linear").build(total_steps=1000, steps_per_epoch=10, held=True)
    hold(LinearDecay(total_steps=1000), steps=10)
    """

    if TYPE_CHECKING:  # read-only, as `Schedule.total_steps`

        @property
        def label(self) -> str: ...

    every_update = False

    def build(self, *, total_steps: int, steps_per_epoch: int, held: bool = False) -> Schedule:
        """Return the schedule for a run of `total_steps` updates.

        Parameters
        ----------
        total_steps : int, >= 1
            Updates of the run. Too few for the recipe (five cycles in four updates) is a ValueError.
        steps_per_epoch : int, in 1..total_steps
        held : bool
            True sets the rate once an epoch (see `hold`), unless the recipe has `every_update`.
        """
        total = check_int("total_steps", total_steps, least=1)
        per_epoch = check_int("steps_per_epoch", steps_per_epoch, least=1)
        if per_epoch > total:
            raise ValueError(f"steps_per_epoch must be <= total_steps = {total}, got {per_epoch}")
        shape = self._shape(total, per_epoch)
        return hold(shape, per_epoch) if held and not self.every_update else shape

    def momentum(
        self, middle: float, *, total_steps: int, steps_per_epoch: int, held: bool = False
    ) -> Callable[[int], float] | None:
        """Return the momentum of update t where the recipe moves it, else None.

        Parameters
        ----------
        middle : float
            The run's own momentum, about which it moves.
        total_steps, steps_per_epoch, held
            As in `build`.
        """
        return None

    @abstractmethod
    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        """Return the shape; the arguments are checked already."""


@dataclass(frozen=True, kw_only=True)
class ConstantRecipe(Recipe):
    """The fixed rate: figure 1.2 of the survey.

    >>> ConstantRecipe().build(total_steps=100, steps_per_epoch=10)
    Constant()
    """

    kind = "constant_recipe"
    label = "constant"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return shapes.Constant()


@dataclass(frozen=True, kw_only=True)
class TimeRecipe(Recipe):
    """Time-based decay with decay = decay_times_epochs / epochs per update: figure 1.3 of the survey.

    The survey's convention is the initial rate over the number of epochs, and its initial rate is 0.1. The
    0.1 stays when the peak rate is varied, as shape and scale are two choices. With 391 updates an epoch the
    factor ends near 1 / (1 + 39.1), whatever the number of epochs; smaller batches, which mean more updates,
    end lower.

    >>> TimeRecipe().build(total_steps=39_100, steps_per_epoch=391)
    TimeDecay(decay=0.001)

    Parameters
    ----------
    decay_times_epochs : float, finite and >= 0
    every_update : bool
        True changes the rate at every update even in a run that sets it once an epoch, as the `decay` of the
        legacy Keras optimizers did beside a callback that sets the rate.
    """

    decay_times_epochs: float = 0.1
    every_update: bool = False
    kind = "time_recipe"
    later = ("every_update",)
    label = "time"

    def __post_init__(self) -> None:
        if not isinstance(self.every_update, bool):
            raise TypeError(f"every_update must be True or False, got {self.every_update!r}")
        # Checked here, not by a TimeDecay, so that the error names this argument and not `decay`.
        value, allowed = self.decay_times_epochs, ">= 0 and finite"
        value = check_float("decay_times_epochs", value, allowed=allowed, ok=lambda x: x >= 0)
        self._set(decay_times_epochs=value)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        # Epochs are not rounded: a run of 25 updates in epochs of 10 has 2.5 of them.
        return shapes.TimeDecay(decay=self.decay_times_epochs / (total_steps / steps_per_epoch))


@dataclass(frozen=True, kw_only=True)
class DropRecipe(Recipe):
    """Drops at equal distances, by default to a quarter every 15 % of the run: figure 1.5 of the survey.

    drop_steps = max(1, round(drop_fraction * total_steps));
    offset_steps = round(offset_fraction * total_steps).

    >>> DropRecipe(drop_factor=0.5, drop_fraction=0.1).build(total_steps=39_100, steps_per_epoch=391)
    DropDecay(drop_factor=0.5, drop_steps=3910, offset_steps=0)

    Parameters
    ----------
    drop_factor : float, in (0, 1]
    drop_fraction : float, in (0, 1]
        Part of the run from one drop to the next.
    offset_fraction : float, in [0, 1)
        Part of the run by which each drop comes early.
    """

    drop_factor: float = 0.25
    drop_fraction: float = 0.15
    offset_fraction: float = 0.0
    kind = "drop_recipe"
    later = ("offset_fraction",)
    label = "drop"

    def __post_init__(self) -> None:
        factor = shapes.DropDecay(drop_factor=self.drop_factor, drop_steps=1).drop_factor
        part = check_float("drop_fraction", self.drop_fraction, allowed="in (0, 1]", ok=lambda x: 0 < x <= 1)
        offset = check_part("offset_fraction", self.offset_fraction)
        self._set(drop_factor=factor, drop_fraction=part, offset_fraction=offset)

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        # In a run too short for the fraction, round gives 0, which is no distance between drops.
        steps = max(1, round(self.drop_fraction * total_steps))
        offset = round(self.offset_fraction * total_steps)
        return shapes.DropDecay(drop_factor=self.drop_factor, drop_steps=steps, offset_steps=offset)


@dataclass(frozen=True, kw_only=True)
class LinearRecipe(Recipe):
    """Linear decay to zero over the run, (T - t) / T: figure 1.7 of the survey.

    >>> LinearRecipe().build(total_steps=100, steps_per_epoch=10)
    LinearDecay(total_steps=100)
    """

    kind = "linear_recipe"
    label = "linear"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return shapes.LinearDecay(total_steps=total_steps)


@dataclass(frozen=True, kw_only=True)
class PolynomialRecipe(Recipe):
    """Polynomial decay over the run, ((T - t) / T) ** power: figure 1.9 of the survey, with its power 5.

    >>> PolynomialRecipe(power=2).label
    'poly2'

    Parameters
    ----------
    power : float, finite and > 0
    """

    power: float = 5.0
    kind = "polynomial_recipe"

    def __post_init__(self) -> None:
        self._set(power=shapes.PolynomialDecay(total_steps=1, power=self.power).power)

    @property
    def label(self) -> str:
        return f"poly{self.power:g}"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return shapes.PolynomialDecay(total_steps=total_steps, power=self.power)


@dataclass(frozen=True, kw_only=True)
class TriangleRecipe(Recipe):
    """Linear warm-up over the first part of the run, then linear decay to zero: figure 1.11 of the survey.

    warmup_steps = round(warmup_fraction * total_steps), at most total_steps - 1.

    >>> TriangleRecipe().build(total_steps=11_730, steps_per_epoch=391)
    Triangle(total_steps=11730, warmup_steps=1173, start=0.0)

    Parameters
    ----------
    warmup_fraction : float, in [0, 1)
    start : float, in [0, 1]
        Factor of update 0.
    """

    warmup_fraction: float = 0.1
    start: float = 0.0
    kind = "triangle_recipe"
    label = "triangle"

    def __post_init__(self) -> None:
        part = check_part("warmup_fraction", self.warmup_fraction)
        self._set(warmup_fraction=part, start=shapes.check_start(self.start))

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        # Rounding up may fill a short run with warm-up; one update must be left to decay.
        warmup_steps = min(round(self.warmup_fraction * total_steps), total_steps - 1)
        return shapes.Triangle(total_steps=total_steps, warmup_steps=warmup_steps, start=self.start)


@dataclass(frozen=True, kw_only=True)
class CosineRecipe(Recipe):
    """Cosine annealing over the run, in one cycle or several: figure 1.12 of the survey.

    >>> CosineRecipe(cycles=5).build(total_steps=100, steps_per_epoch=10)
    CosineAnnealing(total_steps=100, cycles=5)

    Parameters
    ----------
    cycles : int, >= 1
    """

    cycles: int = 1
    kind = "cosine_recipe"

    def __post_init__(self) -> None:
        # Not by a shape: how many cycles are too many depends on the run's length, which only `build` knows.
        self._set(cycles=check_int("cycles", self.cycles, least=1))

    @property
    def label(self) -> str:
        return "cosine" if self.cycles == 1 else f"cosine{self.cycles}"

    def _shape(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        return shapes.CosineAnnealing(total_steps=total_steps, cycles=self.cycles)


def check_part(name: str, value: float) -> float:
    """Return a fraction of a run as a float in [0, 1), or raise."""
    return check_float(name, value, allowed="in [0, 1)", ok=lambda x: 0 <= x < 1)


#: Every recipe that has a name; `lrlib.schedules.modern` adds its own after these. What the survey has is
#: `SURVEY`.
RECIPES: dict[str, Recipe] = {
    recipe.label: recipe
    for recipe in (
        ConstantRecipe(),
        TimeRecipe(),
        DropRecipe(),
        LinearRecipe(),
        PolynomialRecipe(),
        TriangleRecipe(),
        CosineRecipe(),
        CosineRecipe(cycles=5),
    )
}

#: The schedules of the survey, in its order: what the tables, figures, counts and verdicts of its
#: reproduction are about.
SURVEY = ("constant", "time", "drop", "linear", "poly5", "triangle", "cosine", "cosine5")

#: The five schedules of the survey's source, whose run has 100 epochs and holds the rate per epoch. Two of
#: them differ from `RECIPES`. Time-based decay counts updates even so: 1 / (1 + 0.001 t). Drops count epochs
#: from 1, so each comes one epoch (1 % of the run) early: 0.25 ** floor((1 + epoch) / 15).
#: https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/
SOURCE_RECIPES: dict[str, Recipe] = {
    "constant": RECIPES["constant"],
    "time": TimeRecipe(every_update=True),
    "drop": DropRecipe(offset_fraction=0.01),
    "linear": RECIPES["linear"],
    "poly5": RECIPES["poly5"],
}
#: Their names: the rows of the survey's table 1.1.
SOURCE = tuple(SOURCE_RECIPES)


def get_recipe(name: str) -> Recipe:
    """Return the recipe of that name; another name is a ValueError that suggests the nearest.

    Beside `RECIPES` there are those of well-known papers, "bert" and "detr" (`lrlib.schedules.cited`), whose
    `source` names peak rate, length, paper, code, and where paper and code differ.

    >>> get_recipe("cosine5")
    CosineRecipe(cycles=5)
    >>> get_recipe("detr").build(total_steps=300, steps_per_epoch=1)
    DropDecay(drop_factor=0.1, drop_steps=200, offset_steps=0)
    >>> get_recipe("lineer")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: schedule must be one of constant, time, ..., got 'lineer'; did you mean 'linear'?
    """
    from lrlib.schedules.cited import CITED, CitedRecipe  # which stands on this module

    if name in RECIPES:
        return RECIPES[name]
    if name in CITED:
        return CitedRecipe(name=name)
    raise ValueError(no_such("schedule", name, [*RECIPES, *CITED]))


def in_order(labels: Iterable[str]) -> list[str]:
    """Return the names in the order of `RECIPES`, each once; other names follow, by the alphabet.

    >>> in_order(["linear", "zigzag", "constant", "linear", "drop to a half"])
    ['constant', 'linear', 'drop to a half', 'zigzag']
    """
    places = {name: place for place, name in enumerate(RECIPES)}
    return sorted(set(labels), key=lambda label: (places.get(label, len(places)), label))
