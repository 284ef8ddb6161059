"""Schedules as pure functions of the step: shapes, ways to combine them, and recipes that build them.

A shape (`LinearDecay`) counts updates, and a recipe (`LinearRecipe`) fractions of a run; `Recipe.build` makes
the one out of the other. `hold`, `with_warmup`, `with_floor`, `join`, `extend` and
`rescale` make schedules of schedules; `count_updates` says how long a run is. All are frozen, equal
by value, and written as JSON by `to_dict` and `from_dict`. The room needs the standard library alone.
"""

from lrlib.schedules._serialize import from_dict
from lrlib.schedules.cited import CITED, CitedRecipe
from lrlib.schedules.compose import extend, hold, join, rescale, with_floor, with_warmup
from lrlib.schedules.counting import count_updates
from lrlib.schedules.modern import (
    MODERN,
    CosineFloorRecipe,
    CyclicRecipe,
    ExponentialRecipe,
    InverseSqrtRecipe,
    OneCycleRecipe,
    RestartsRecipe,
    RexRecipe,
    StepRecipe,
    WSDRecipe,
)
from lrlib.schedules.modern_shapes import (
    CosineToFloor,
    CyclicTriangle,
    ExponentialDecay,
    InverseSqrt,
    MilestoneDecay,
    OneCycle,
    OneMinusSqrt,
    Rex,
    WarmRestarts,
)
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
    "CITED",
    "MODERN",
    "RECIPES",
    "SOURCE",
    "SOURCE_RECIPES",
    "SURVEY",
    "CitedRecipe",
    "Constant",
    "ConstantRecipe",
    "CosineAnnealing",
    "CosineFloorRecipe",
    "CosineRecipe",
    "CosineToFloor",
    "CyclicRecipe",
    "CyclicTriangle",
    "DropDecay",
    "DropRecipe",
    "ExponentialDecay",
    "ExponentialRecipe",
    "InverseSqrt",
    "InverseSqrtRecipe",
    "Knots",
    "LinearDecay",
    "LinearRecipe",
    "MilestoneDecay",
    "OneCycle",
    "OneCycleRecipe",
    "OneMinusSqrt",
    "PolynomialDecay",
    "PolynomialRecipe",
    "Recipe",
    "RestartsRecipe",
    "Rex",
    "RexRecipe",
    "Schedule",
    "StepRecipe",
    "TimeDecay",
    "TimeRecipe",
    "Triangle",
    "TriangleRecipe",
    "WSDRecipe",
    "WarmRestarts",
    "count_updates",
    "extend",
    "from_dict",
    "get_recipe",
    "hold",
    "join",
    "rescale",
    "with_floor",
    "with_warmup",
]
