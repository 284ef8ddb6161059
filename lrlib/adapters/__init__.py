"""The same rates in other frameworks, one module a framework.

`to_torch` makes a torch scheduler of a schedule. A module imports its framework when it is used, so that
`import lrlib` needs none.
"""

from lrlib.adapters.torch import to_torch

__all__ = ["to_torch"]
