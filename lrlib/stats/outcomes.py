"""What a run counts as when schedules are compared: one number, the test accuracy after its last epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrlib.runs.config import RunConfig
    from lrlib.runs.record import Run

__all__ = ["CHANCE", "by_seed", "chance", "final_accuracy", "same_draw"]

#: What a diverged run counts as: guessing among ten classes.
CHANCE = 0.10


def final_accuracy(run: Run) -> float:
    """Return the test accuracy after the last epoch, never the best one; `chance` if the run diverged.

    Raises TypeError or ValueError if it is no run, or one that is not whole.

    Examples
    --------
    >>> from types import SimpleNamespace as S
    >>> epochs = [S(test_accuracy=0.9), S(test_accuracy=0.8)]
    >>> final_accuracy(S(status="finished", config=S(epochs=2), epochs=epochs))
    0.8
    >>> final_accuracy(S(status="diverged", config=S(epochs=2), epochs=epochs[:1]))
    0.1
    """
    if not hasattr(run, "epochs"):
        raise TypeError(f"run must be a Run, as load_runs gives them, got {type(run).__name__}")
    if run.status == "diverged":
        return chance(run.config)
    done, planned = len(run.epochs), run.config.epochs
    if done != planned:
        raise ValueError(f"run must have all its {planned} epochs, got {done}; finish it first")
    return run.epochs[-1].test_accuracy


def chance(config: RunConfig) -> float:
    """Return the accuracy of guessing, as which a diverged run counts: `CHANCE`, or 0.5 for even or odd.

    >>> from lrlib import preset
    >>> chance(preset("digits", recipe="linear")), chance(preset("digits", recipe="linear", task="parity"))
    (0.1, 0.5)
    """
    return 0.5 if getattr(config, "task", "classes") == "parity" else CHANCE


def same_draw(run: Run, other: Run) -> bool:
    """Return whether two runs share the start, and the batches of all epochs that both have.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> same_draw(constant, linear)
    True
    """
    batches = zip(run.column("batches"), other.column("batches"), strict=False)  # a diverged run is short
    return run.start == other.start and all(mine == theirs for mine, theirs in batches)


def by_seed(runs: Iterable[Run], *, shared: bool = True) -> dict[str, dict[int, float]]:
    """Return the final accuracy of each run of one study, by schedule and seed.

    Parameters
    ----------
    runs : iterable of Run
    shared : bool
        Runs of one seed must share start and batches, so that their differences are paired ones. False lets
        them count all the same, such as those that a class trained with several versions of torch.

    Raises
    ------
    TypeError, ValueError
        If there is no run, a schedule and seed come twice, configs differ in more than these, or runs of one
        seed do not share what they have to.

    Examples
    --------
    >>> by_seed([])
    Traceback (most recent call last):
        ...
    ValueError: runs must hold at least one run, got none
    """
    accuracies: dict[str, dict[int, float]] = {}
    first: dict[str, Any] = {}
    longest: dict[int, Run] = {}
    for run in runs:
        accuracy, label, seed = final_accuracy(run), run.label, run.config.seed
        for field, value in run.config:
            name = f"recipe of {label}" if field == "recipe" else field
            if field != "seed" and first.setdefault(name, value) != value:
                got = f"{name} = {first[name]!r} and {value!r}; compare them in groups"
                raise ValueError(f"runs must differ in schedule and seed only, got {got}")
        if seed in accuracies.setdefault(label, {}):
            raise ValueError(f"runs must have each schedule and seed once, got {label}, seed {seed}, twice")
        other = longest.setdefault(seed, run)
        if shared and not same_draw(run, other):
            message = f"runs of seed {seed} must share start and batches, got others in {label}; run it again"
            raise ValueError(message)
        longest[seed] = max(run, other, key=lambda each: len(each.epochs))
        accuracies[label][seed] = accuracy
    if not accuracies:
        raise ValueError("runs must hold at least one run, got none")
    return accuracies
