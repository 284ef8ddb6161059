"""lrlib: learning-rate schedules as pure functions of the step, and recorded runs that compare them.

The names below are those most used. `import lrlib` loads the standard library alone; whatever needs torch or
NumPy loads on first use. Each subpackage lists its public names in its own `__init__`. Imports between them
go one way (``pyproject.toml`` has the contracts).

=========== ============================================================ =======================
subpackage  what it holds                                                needs
=========== ============================================================ =======================
schedules   shapes (step -> factor), how to combine them, named recipes  the standard library
theory      where a schedule's effect can be computed exactly            NumPy
adapters    the same rate in other frameworks                            the framework
runs        a run as a config and a record; reading and writing them     pydantic
training    doing one run: data, networks, loop, checkpoints, CUDA graph torch
stats       numbers out of runs: pairs by seed, intervals, power         SciPy
sweeps      doing many runs: studies, processes, a shared GPU, timing    torch
plots       the figures of the book                                      matplotlib
=========== ============================================================ =======================

Examples
--------
A schedule is a pure function of the step; the peak rate is a number of its own:

>>> import lrlib
>>> schedule = lrlib.with_warmup(lrlib.LinearDecay(total_steps=90), 10)
>>> 0.1 * schedule(55)
0.05

What it does to a loss that can be computed exactly (a noisy quadratic valley), after 300 updates:

>>> valley = lrlib.Valley()
>>> shapes = lrlib.Constant(), lrlib.LinearDecay(total_steps=300)
>>> [f"{valley.trajectory(shape, peak_lr=0.5, steps=300).loss[-1]:.4f}" for shape in shapes]
['0.0664', '0.0282']

A run is a config, and a record that is checked whenever it is read; many come with the package:

>>> config = lrlib.preset("digits", recipe="linear", epochs=1, train_images=50)
>>> run = lrlib.train(config, progress=False)
>>> run.label, run.status, len(run.epochs)
('linear', 'finished', 1)

Runs of several schedules are compared pair by pair, over the seeds that they share:

>>> from lrlib.stats import compare_all
>>> {pair.schedule: pair.verdict for pair in compare_all(lrlib.load_runs("survey-laptop"))}["linear"]
'better'
"""

from importlib import import_module as _import_module

from lrlib._errors import LrlibError
from lrlib.schedules import (
    Constant,
    CosineAnnealing,
    DropDecay,
    Knots,
    LinearDecay,
    PolynomialDecay,
    Schedule,
    TimeDecay,
    Triangle,
    count_updates,
    extend,
    from_dict,
    hold,
    join,
    rescale,
    with_floor,
    with_warmup,
)

# Subpackages that load on first use, so that `lrlib.theory.worst_case` needs no import of its own.
_ROOMS = ("adapters", "plots", "runs", "stats", "sweeps", "theory", "training")

# Names that load on first use, and the module that has them (PEP 562).
_LAZY = {
    "Valley": "theory.valley",
    "audit": "adapters.audit",
    "load_runs": "runs.store",
    "preset": "runs.config",
    "preview": "adapters.torch",
    "to_keras": "adapters.keras",
    "to_optax": "adapters.optax",
    "range_test": "training.range_test",
    "to_torch": "adapters.torch",
    "train": "training.run",
}

__all__ = [
    "Constant",
    "CosineAnnealing",
    "DropDecay",
    "Knots",
    "LinearDecay",
    "LrlibError",
    "PolynomialDecay",
    "Schedule",
    "TimeDecay",
    "Triangle",
    "Valley",
    "audit",
    "count_updates",
    "extend",
    "from_dict",
    "hold",
    "join",
    "load_runs",
    "preset",
    "preview",
    "range_test",
    "rescale",
    "to_keras",
    "to_optax",
    "to_torch",
    "train",
    "with_floor",
    "with_warmup",
]


def __getattr__(name: str):
    if name == "__version__":
        # Looked up late: importlib.metadata takes longer to load than all of lrlib's shapes.
        from importlib.metadata import version

        return version("lrlib")
    if name in _ROOMS:
        return _import_module(f"lrlib.{name}")
    if name in _LAZY:
        module = _import_module(f"lrlib.{_LAZY[name]}")
        return module if name == "audit" else getattr(module, name)
    raise AttributeError(f"module 'lrlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
