"""The noisy valley in plain loops: what its figures and sentences are checked against."""

from __future__ import annotations

from collections.abc import Sequence


def valley_parts(rates: Sequence[float], *, noise: float = 0.1, directions: int = 64) -> tuple[float, float]:
    """The valley's distance and shaking left after updates at these rates, direction by direction."""
    distance = shaking = 0.0
    for i in range(1, directions + 1):
        mean, variance = 1.0, 0.0
        for rate in rates:
            mean *= 1 - rate / i
            variance = (1 - rate / i) ** 2 * variance + noise * rate**2 / i
        distance += mean**2 / i / 2
        shaking += variance / i / 2
    return distance, shaking


def valley_loss(rates: Sequence[float], **valley: float) -> float:
    """The valley's expected loss after updates at these rates."""
    return sum(valley_parts(rates, **valley))
