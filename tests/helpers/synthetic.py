"""Runs that nobody trained, for tests: whole records, with the rates of their schedule. Never shipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lrlib.runs.config import preset
from lrlib.runs.record import EpochRecord, Final, Provenance, Run
from lrlib.schedules.recipes import Recipe

MEASURED = dict(
    train_loss=1.0,
    penalty=0.01,
    train_accuracy=0.5,
    test_loss=1.0,
    test_accuracy=0.5,
    grad_norm_sq=1.0,
    seconds=1.0,
    batches="0" * 16,
)
PROVENANCE = dict(
    started="2026-01-02T03:04:05+00:00",
    seconds=1.0,
    command="synthetic",
    commit=None,
    versions={"torch": "0"},
    hardware="none (synthetic)",
    system="none",
    cores=1,
    threads=1,
    device="cpu",
    precision="fp32",
    path="synthetic",
)


def synthetic_run(
    recipe: Recipe | str = "linear",
    columns: Mapping[str, Sequence[float]] | None = None,
    *,
    of: str = "digits",
    seed: int = 0,
    status: str = "finished",
    provenance: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Run:
    """Make a run of a preset with these columns; the others hold the same value in every epoch.

    It has as many epochs as its longest column, and so has its config unless `changes` says otherwise.
    """
    columns = columns or {"test_accuracy": [0.5]}
    done = max(map(len, columns.values()))
    config = preset(of, recipe=recipe, seed=seed, **{"epochs": done, **changes})
    schedule, n = config.schedule(), config.steps_per_epoch
    epochs = tuple(
        EpochRecord(
            epoch=k,
            first_lr=config.peak_lr * schedule(k * n),
            last_lr=config.peak_lr * schedule((k + 1) * n - 1),
            updates=n,
            **{**MEASURED, **{name: column[k] for name, column in columns.items()}},
        )
        for k in range(done)
    )
    return Run(
        config=config,
        status=status,
        parameters=1,
        start="0" * 16,
        epochs=epochs,
        final=Final(train_loss=0.1, train_accuracy=0.9) if status == "finished" else None,
        provenance=Provenance(**{**PROVENANCE, **(provenance or {})}),
    )


def with_accuracies(recipe="linear", accuracies=(0.5, 0.75), **changes):
    """A run with these accuracies after its epochs, of training and test; losses are 1 - accuracy."""
    losses = [1.0 - accuracy for accuracy in accuracies]
    columns = dict(train_loss=losses, train_accuracy=accuracies, test_loss=losses, test_accuracy=accuracies)
    return synthetic_run(recipe, columns, **changes)


def two_epochs(recipe="linear", *, accuracies=(0.5, 0.75), **changes):
    """A run of two epochs, planned at least, with these accuracies, of training and test."""
    return with_accuracies(recipe, accuracies, **{"epochs": 2, **changes})


def with_losses(recipe="linear", *, losses=(2.0, 1.0, 0.5), **changes):
    """A run of 3 epochs with these test losses, training losses half of them, accuracies 1 / (1 + loss)."""
    columns = dict(
        train_loss=[loss / 2 for loss in losses],
        train_accuracy=[1 / (1 + loss / 2) for loss in losses],
        test_loss=losses,
        test_accuracy=[1 / (1 + loss) for loss in losses],
    )
    return synthetic_run(recipe, columns, epochs=3, **changes)
