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

from lrlib._errors import LrlibError
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
    hold,
    join,
    with_warmup,
)

# Names that load on first use, and the module that has them (PEP 562).
_LAZY = {
    "Valley": "theory.valley",
    "load_runs": "runs.record",
    "preset": "runs.config",
    "to_torch": "adapters.torch",
    "train": "training.run",
}

__all__ = [
    "Constant",
    "CosineAnnealing",
    "DropDecay",
    "LinearDecay",
    "LrlibError",
    "PolynomialDecay",
    "Schedule",
    "TimeDecay",
    "Triangle",
    "Valley",
    "from_dict",
    "hold",
    "join",
    "load_runs",
    "preset",
    "to_torch",
    "train",
    "with_warmup",
]


def __getattr__(name: str):
    if name == "__version__":
        # Looked up late: importlib.metadata takes longer to load than all of lrlib's shapes.
        from importlib.metadata import version

        return version("lrlib")
    if name in _LAZY:
        return getattr(_import_module(f"lrlib.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'lrlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
