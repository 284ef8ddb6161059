"""Batches for the short loops on the pages: images of the digits, in the order of their file."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from lrlib.training.dataset import load


def digit_batches(updates: int, size: int = 50) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches for as many updates: images of shape [size, 64] in [0, 1], and their labels."""
    data = load("digits")
    for t in range(updates):
        part = [(t * size + i) % len(data.train_labels) for i in range(size)]
        yield data.train_images[part].flatten(1) / 255, data.train_labels[part]
