"""The judge of training loops: the rates that their updates get, in several runs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lrbook.exercises.judges import alike, size
from lrbook.exercises.task import Refused, Seen, shown

Run = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Rates(ABC):
    """Judges a loop by the list of rates that each of several runs gives its updates, one for each update.

    What it sees of a loop are the rates of all runs, with a nan after each run.
    """

    runs: tuple[Run, ...]
    wanted: str = "linear decay over the updates"

    @abstractmethod
    def ask(self, answer: str) -> str: ...

    @abstractmethod
    def rates(self, answer: Callable, run: Run) -> list[float]:
        """Return the rates that a loop gives the updates of one run, or raise Refused."""

    @abstractmethod
    def expected(self, run: Run) -> list[float]: ...

    @abstractmethod
    def named(self, run: Run) -> str:
        """Return a run in words, as the subject of a sentence in the plural."""

    def counted(self, many: int) -> str:
        return f"your list has {many} rates"

    def see(self, answer: Any) -> Seen:
        if not callable(answer):
            raise Refused(f"a function is wanted, got {shown(answer)}.")
        return tuple(rate for run in self.runs for rate in (*self.rates(answer, run), math.nan))

    def _right_rates(self) -> Seen:
        return tuple(rate for run in self.runs for rate in (*self.expected(run), math.nan))

    def right(self, seen: Seen) -> bool:
        return self.apart(seen, self._right_rates()) == 0.0

    def apart(self, seen: Seen, wrong: Seen) -> float:
        same = len(seen) == len(wrong) and all(
            alike(a, b, 1e-9, tiny=1e-12) for a, b in zip(seen, wrong, strict=True)
        )
        return 0.0 if same else math.inf

    def describe(self, seen: Seen) -> str:
        for run, theirs in zip(self.runs, _parts(seen), strict=True):
            ours, call = self.expected(run), self.named(run)
            many = len(ours)
            if many != len(theirs):
                return f"{call} make {many} updates, and {self.counted(len(theirs))}."
            for place, (right, got) in enumerate(zip(ours, theirs, strict=True)):
                if not alike(got, right, 1e-9, tiny=1e-12):
                    return (
                        f"{call}: update {place} of {many} (counted from 0) gets {got:.4g}, which is "
                        f"{size(got, right)} for {self.wanted}."
                    )
        return f"these are the rates of {self.wanted}."


def _parts(values: Seen) -> list[list[float]]:
    """Cut the rates of all runs into runs: a nan ends each."""
    parts: list[list[float]] = [[]]
    for value in values:
        if math.isnan(value):
            parts.append([])
        else:
            parts[-1].append(value)
    return parts[:-1]
