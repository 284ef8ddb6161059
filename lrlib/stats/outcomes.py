"""What a run counts as in a comparison: its test accuracy after the last epoch; and which runs compare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrlib.runs.config import RunConfig
    from lrlib.runs.record import Run

__all__ = [
    "CHANCE",
    "FAILED",
    "alike",
    "by_seed",
    "chance",
    "count_word",
    "differing",
    "final_accuracy",
    "same_draw",
]

#: What a diverged run counts as (the plan's rule 2): guessing among ten classes.
CHANCE = 0.10
#: A run that ends below this accuracy has failed: most of its answers are wrong.
FAILED = 0.5
# What runs of one experiment may differ in: the draw, and what a machine offers.
FREE = {"seed", "precision", "device"}
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def final_accuracy(run: Run) -> float:
    """Return the test accuracy after the last epoch, never the best one; `chance` if the run diverged.

    Raises
    ------
    ValueError
        If the run has fewer epochs than planned and did not diverge.

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
        # Left out, the runs that a schedule loses would raise its mean (rule 2).
        return chance(run.config)
    done, planned = len(run.epochs), run.config.epochs
    if done != planned:
        raise ValueError(f"run must have all its {planned} epochs, got {done}; finish it first")
    # Not the best epoch: picked by the test pictures, it would reward the curve that jumps most (rule 1).
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
        At least one, each schedule and seed once, alike in all else.
    shared : bool
        True: runs of one seed must share start and batches, so that their differences are paired ones.
        False: they count all the same, as for a class that trained with several versions of torch.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> {label: list(seeds) for label, seeds in by_seed(load_runs("pilot-laptop")).items()}
    {'constant': [0], 'linear': [0]}
    """
    accuracies: dict[str, dict[int, float]] = {}
    first: dict[str, Any] = {}
    longest: dict[int, Run] = {}
    for run in runs:
        accuracy, label, seed = final_accuracy(run), run.label, run.config.seed
        for field, value in run.config:
            # Schedules may differ, but two recipes of one label would be averaged as if they were one.
            name = f"recipe of {label}" if field == "recipe" else field
            if field != "seed" and first.setdefault(name, value) != value:
                got = f"{name} = {first[name]!r} and {value!r}; compare them in groups"
                raise ValueError(f"runs must differ in schedule and seed only, got {got}")
        if seed in accuracies.setdefault(label, {}):
            raise ValueError(f"runs must have each schedule and seed once, got {label}, seed {seed}, twice")
        # Compared with the longest so far: against a short, diverged run later batches would go unchecked.
        other = longest.setdefault(seed, run)
        if shared and not same_draw(run, other):
            message = f"runs of seed {seed} must share start and batches, got others in {label}; run it again"
            raise ValueError(message)
        longest[seed] = max(run, other, key=lambda each: len(each.epochs))
        accuracies[label][seed] = accuracy
    if not accuracies:
        raise ValueError("runs must hold at least one run, got none")
    return accuracies


def differing(run: Run, other: Run) -> set[str]:
    """Return the fields in which two configs differ, without seed, precision and device.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> differing(*load_runs("pilot-laptop"))
    {'recipe'}
    """
    theirs = dict(other.config)
    return {name for name, value in run.config if name not in FREE and theirs[name] != value}


def alike(run: Run, others: Iterable[Run]) -> list[Run]:
    """Return the runs of the same experiment: those that differ in nothing but seed, precision and device.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> constant, linear = load_runs("pilot-laptop")
    >>> [run.label for run in alike(linear, [constant, linear])]
    ['linear']
    """
    others = list(others)
    for each in (run, *others):
        if not hasattr(each, "epochs"):
            raise TypeError(f"a Run is needed, as train and load_runs give it, got {type(each).__name__}")
    return [other for other in others if not differing(run, other)]


def count_word(n: int) -> str:
    """Return a count as a sentence has it: a word up to ten ("no" for 0), digits above.

    >>> count_word(0), count_word(3), count_word(12)
    ('no', 'three', '12')
    """
    return COUNTS[n] if n < len(COUNTS) else str(n)
