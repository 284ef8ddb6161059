"""Doing many runs: studies, processes side by side, runs that share a device, and the time it takes."""

from importlib import import_module as _import_module

# Names that load on first use, with the module that has them: torch takes seconds to load.
_LAZY = {
    "diagnose": "doctor",
    "do": "one_run",
    "engine": "engines",
    "examine": "doctor",
    "hours_left": "timing",
    "read_study": "study",
    "Resources": "engines",
    "run_study": "local",
    "run_together": "together",
    "status": "study",
    "Study": "study",
    "StudyError": "study",
}

__all__ = list(_LAZY)


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(_import_module(f"lrlib.sweeps.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'lrlib.sweeps' has no attribute {name!r}")
