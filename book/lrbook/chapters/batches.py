"""Batches for the short loops on the pages: images of the digits, in the order of their file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def digit_batches(updates: int, size: int = 50) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches for as many updates: images of shape [size, 64] in [0, 1], and their labels."""
    from lrlib.training.dataset import load  # torch takes seconds, and a page's first figure needs none

    data = load("digits")
    for t in range(updates):
        part = [(t * size + i) % len(data.train_labels) for i in range(size)]
        yield data.train_images[part].flatten(1) / 255, data.train_labels[part]
