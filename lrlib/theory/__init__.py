"""What a schedule does where that can be computed: the noisy valley, two weights, its area."""

from lrlib.theory.valley import Valley

__all__ = ["Valley"]
