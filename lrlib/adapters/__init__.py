"""The same rate in other frameworks, one module a framework; each needs that framework alone."""

from lrlib.adapters.torch import to_torch

__all__ = ["to_torch"]
