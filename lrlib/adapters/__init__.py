"""The same rates in other frameworks, one module a framework, and what was applied there (`audit`).

`to_torch`, `to_optax` and `to_keras` make a framework's schedule of one of lrlib's; `preview` shows what
anybody's torch scheduler is going to do. A module imports its framework when it is used, so that
`import lrlib` needs none; where it is missing, one sentence says so. transformers, Lightning and accelerate
take what `to_torch` makes.
"""

from lrlib.adapters.keras import to_keras
from lrlib.adapters.optax import to_optax
from lrlib.adapters.torch import preview, to_torch

__all__ = ["preview", "to_keras", "to_optax", "to_torch"]
