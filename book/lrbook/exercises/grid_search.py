"""An exercise of the chapter "Introduction": a grid search that does not look at the test set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrbook.exercises.task import Draw, Mistake, Refused, Seen, Task, exercise, given, number, shown

CHAPTER = "introduction"


class Softmax:
    """A tiny softmax regression, trained by 25 full-batch updates from zero at a fixed rate."""

    def __init__(self, data: tuple[np.ndarray, np.ndarray], lr: float) -> None:
        x, y = data
        self.weights = np.zeros((x.shape[1], 3))
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(25):
                odds = np.exp((logits := x @ self.weights) - logits.max(axis=1, keepdims=True))
                odds /= odds.sum(axis=1, keepdims=True)
                self.weights -= lr * x.T @ (odds - np.eye(3)[y]) / len(y)

    def accuracy(self, data: tuple[np.ndarray, np.ndarray]) -> float:
        """Share of the examples in data = (x, y) whose class the model gives."""
        x, y = data
        return float(np.mean((x @ self.weights).argmax(axis=1) == y))


LRS = (0.001, 0.03, 0.3, 3.0, 30.0)


def _sets(seed: int) -> tuple:
    """Make small noisy sets for which train, val and test each have one best rate, and no two the same.

    The best rate on val is not the best one of a model that was trained on val, either.
    """
    generator = np.random.default_rng(seed)
    while True:
        centres = generator.normal(size=(3, 10)) * 0.7
        sets = []
        for n in (40, 60, 60):
            y = generator.integers(3, size=n)
            x = centres[y] + generator.normal(size=(n, 10))
            wrong = generator.random(n) < 0.15
            sets.append((x * generator.uniform(0.5, 3), np.where(wrong, generator.integers(3, size=n), y)))
        models = [Softmax(sets[0], lr) for lr in LRS]
        scores = np.array([[model.accuracy(data) for data in sets] for model in models])
        best = scores.argmax(axis=0)
        once = (scores == scores.max(axis=0)).sum(axis=0) == 1
        greedy = np.argmax([Softmax(sets[1], lr).accuracy(sets[1]) for lr in LRS])
        if len(set(best)) == 3 and once.all() and greedy != best[1]:
            return tuple(sets)


class Watched(tuple):
    """A set of examples, (x, y), that notices when somebody opens it."""

    opened = False

    def __iter__(self):
        self.opened = True
        return super().__iter__()

    def __getitem__(self, key):
        self.opened = True
        return super().__getitem__(key)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Runs a grid search on several data sets, with true test labels and with poisoned ones.

    What it sees of each run is the rate, with a minus where a poisoned test set was opened.
    """

    data: tuple

    def ask(self, answer: str) -> str:
        return f"Write the function `{answer}`. It is tried on several small data sets, and has to be exact."

    def see(self, answer: Any) -> Seen:
        if not callable(answer):
            raise Refused(f"a function is wanted, got {shown(answer)}.")
        return tuple(self._asked(answer, sets, poison) for sets in self.data for poison in (False, True))

    def _asked(self, answer: Callable, sets: tuple, poison: bool) -> float:
        train, val, test = sets
        if poison:
            test = (test[0], (test[1] + 1) % 3)
        train, val, test = (Watched((x.copy(), y.copy())) for x, y in (train, val, test))
        try:
            lr = answer(Softmax, train, val, test, list(LRS))
        except (Exception, SystemExit) as error:
            raise given("your search", error) from None
        if lr is None:
            raise Refused("your search returns nothing: is there a way out without `return`?")
        rate = number(lr, what="search has to return one of the rates")
        return -rate if poison and test.opened else rate

    def right(self, seen: Seen) -> bool:
        return all(lr == self._best(sets) for sets, lr in zip(self.data, seen[::2], strict=True)) and (
            seen[::2] == seen[1::2]
        )

    def _best(self, sets: tuple) -> float:
        train, val, _ = sets
        return sorted((Softmax(train, lr).accuracy(val), lr) for lr in LRS)[-1][1]

    def apart(self, seen: Seen, wrong: Seen) -> float:
        return 0.0 if seen == wrong else math.inf

    def describe(self, seen: Seen) -> str:
        if min(seen[::2]) > 0 > min(seen[1::2]):
            return "something in your search opens the test set; even half a look is a look."
        if seen[::2] != seen[1::2]:
            return "the same sets twice, and two choices: leave out what is random."
        if not set(seen) <= set(LRS):
            return f"search has to return one of the rates {', '.join(map(str, LRS))}, got {seen[0]:g}."
        return "it does not look at the test set, and yet takes another rate than the best one on `val`."


@exercise(chapter=CHAPTER, kind="code", level="medium", title="A grid search that does not peek")
def grid_search(draw: Draw) -> Task:
    by = "def search(fit, train, val, test, lrs):\n    "
    return Task(
        answer="search",
        prompt="""
            Choose a rate from the list `lrs`. `fit(train, lr)` trains a small model, and
            `model.accuracy(data)` is the share of `data` that it gets right. You get three sets: `train`,
            `val` and `test`. Return the best rate. The checker runs your search twice: the second time, all
            labels in `test` are poisoned (moved to a wrong class), and it sees whether you open them. An
            honest search does not even notice.
        """,
        starter="""
            def search(fit, train, val, test, lrs):
                return None  # a rate of lrs
        """,
        solution="""
            def search(fit, train, val, test, lrs):
                def score(lr):
                    model = fit(train, lr)
                    return model.accuracy(val)

                return max(lrs, key=score)
        """,
        reveal="""
            the rate is chosen on `val`, and the test set stays closed until all choices are made. A number
            that helped to choose is no fair measure of the choice.
        """,
        judge=Search(data=tuple(_sets(draw.key(f"set {number}")) for number in range(3))),
        mistakes=[
            Mistake(
                by + "return max(lrs, key=lambda lr: fit(train, lr).accuracy(test))",
                "it chooses by the test set, and so moves when the test labels are poisoned: "
                "choose on `val`.",
            ),
            Mistake(
                by + "return max(lrs, key=lambda lr: fit(train, lr).accuracy(train))",
                "it chooses by the training set, which rewards the rate that fits noise best.",
            ),
            Mistake(
                by + "return max(lrs, key=lambda lr: fit(train, lr).accuracy(val)"
                " + fit(train, lr).accuracy(test))",
                "it mixes `test` into the choice; even half a look is a look.",
            ),
            Mistake(
                by + "return max(lrs, key=lambda lr: fit(val, lr).accuracy(val))",
                "it trains on `val` and measures there too: train on `train`.",
            ),
            Mistake(
                by + "return min(lrs, key=lambda lr: fit(train, lr).accuracy(val))",
                "that is the rate with the lowest accuracy: accuracy wants `max`, a loss `min`.",
            ),
            Mistake(
                by + "return max(fit(train, lr).accuracy(val) for lr in lrs)",
                "that is the best accuracy; return the rate that reached it.",
            ),
        ],
    )
