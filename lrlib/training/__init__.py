"""Doing one run: data, networks, optimizers, the loop, and the same loop captured for a GPU."""

from importlib import import_module as _import_module

# Names that load on first use, with the module that has them: torch takes seconds to load.
_LAZY = {
    "batch_sharpness": "sharpness",
    "build": "networks",
    "CheckpointError": "checkpoint",
    "DataError": "dataset",
    "Dataset": "dataset",
    "edges": "sharpness",
    "live_preset": "run",
    "load": "dataset",
    "measure_sharpness": "sharpness",
    "take_turns": "run",
    "train": "run",
    "training": "run",
}

__all__ = list(_LAZY)


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(_import_module(f"lrlib.training.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'lrlib.training' has no attribute {name!r}")
