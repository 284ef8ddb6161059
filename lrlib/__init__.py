"""lrlib: learning-rate schedules as pure functions of the step, and the measured runs behind the book.

The shapes load with the standard library alone; everything else loads on first use.

Examples
--------
>>> import lrlib
>>> schedule = lrlib.with_warmup(lrlib.LinearDecay(total_steps=90), 10)
>>> 0.1 * schedule(55)
0.05
"""

from importlib import import_module as _import_module

from lrlib.compose import hold, join, with_warmup
from lrlib.recipes import RECIPES, Recipe, get_recipe
from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    Schedule,
    TimeDecay,
    Triangle,
    from_dict,
)

# Names that load on first use, and the module that has them (PEP 562).
_LAZY = {
    "Run": "records",
    "RunConfig": "config",
    "Valley": "valley",
    "load_runs": "records",
    "preset": "config",
    "to_torch": "adapters",
}
_LAZY_MODULES = (
    "adapters",
    "areas",
    "charts",
    "claims",
    "classroom",
    "cli",
    "config",
    "curve_rules",
    "curves",
    "data",
    "decisions",
    "diagrams",
    "doctor",
    "exercises",
    "factors",
    "jumps",
    "ledger",
    "luck",
    "measured",
    "models",
    "notebook",
    "plots",
    "published",
    "race",
    "ranking_rules",
    "reading",
    "records",
    "stats",
    "study",
    "tables",
    "train",
    "two_weights",
    "valley",
    "words",
)

__all__ = [
    "RECIPES",
    "Constant",
    "CosineAnnealing",
    "DropDecay",
    "LinearDecay",
    "PolynomialDecay",
    "Recipe",
    "Run",
    "RunConfig",
    "Schedule",
    "TimeDecay",
    "Triangle",
    "Valley",
    "from_dict",
    "get_recipe",
    "hold",
    "join",
    "load_runs",
    "preset",
    "to_torch",
    "with_warmup",
]


def __getattr__(name: str):
    if name == "__version__":
        # Looked up late: importlib.metadata takes longer to load than all of lrlib's shapes.
        from importlib.metadata import version

        return version("lrlib")
    if name in _LAZY:
        return getattr(_import_module(f"lrlib.{_LAZY[name]}"), name)
    if name in _LAZY_MODULES:
        return _import_module(f"lrlib.{name}")
    raise AttributeError(f"module 'lrlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_LAZY_MODULES, "__version__"])
