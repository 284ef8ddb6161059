"""Schedules as pure functions of the step: shapes, ways to combine them, and recipes that build them.

A shape (`LinearDecay`) counts updates, and a recipe (`LinearRecipe`) fractions of a run; `Recipe.build` makes
the one out of the other. `hold`, `with_warmup` and `join` make schedules of schedules. All are frozen, equal
by value, and written as JSON by `to_dict` and `from_dict`. The room needs the standard library alone.
"""

from lrlib.schedules._serialize import from_dict
from lrlib.schedules.compose import hold, join, with_warmup
from lrlib.schedules.recipes import (
    RECIPES,
    SOURCE,
    SOURCE_RECIPES,
    SURVEY,
    ConstantRecipe,
    CosineRecipe,
    DropRecipe,
    LinearRecipe,
    PolynomialRecipe,
    Recipe,
    TimeRecipe,
    TriangleRecipe,
    get_recipe,
)
from lrlib.schedules.shapes import (
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

__all__ = [
    "RECIPES",
    "SOURCE",
    "SOURCE_RECIPES",
    "SURVEY",
    "Constant",
    "ConstantRecipe",
    "CosineAnnealing",
    "CosineRecipe",
    "DropDecay",
    "DropRecipe",
    "Knots",
    "LinearDecay",
    "LinearRecipe",
    "PolynomialDecay",
    "PolynomialRecipe",
    "Recipe",
    "Schedule",
    "TimeDecay",
    "TimeRecipe",
    "Triangle",
    "TriangleRecipe",
    "from_dict",
    "get_recipe",
    "hold",
    "join",
    "with_warmup",
]
