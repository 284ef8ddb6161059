"""Runs of ten epochs, and one whose loss and accuracy jump after a drop. Never measured, never shipped."""

from __future__ import annotations

from lrlib.schedules.recipes import DropRecipe
from synthetic import synthetic_run

HALF = DropRecipe(drop_fraction=0.5)  # of 10 epochs: one drop, after epoch 5
SMOOTH = [9.0, 5.0, 4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5]
FLAT = [0.25] * 10


def of_ten(losses, accuracies=None, *, recipe=HALF, seed=1, status="finished"):
    """A run of ten epochs, planned at least, with these losses and test accuracies."""
    columns = {
        "train_loss": losses,
        "test_loss": losses,
        "test_accuracy": (accuracies or FLAT)[: len(losses)],
        "penalty": [0.0] * len(losses),
    }
    return synthetic_run(recipe, columns, seed=seed, status=status, epochs=10)


# The loss falls by 1.5 in epoch 6, the accuracy rises by 0.25 in epoch 7: the drop comes after epoch 5.
JUMPS = of_ten(
    [9.0, 5.0, 4.0, 3.5, 3.0, 1.5, 1.25, 1.0, 0.75, 0.5],
    [0.125, 0.5, 0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.875],
)
