"""The judges of exercises: one number, one of several options, a function of numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lrbook.exercises.task import LETTERS, Draw, Mistake, Refused, Seen, given, number, shown

TINY = 1e-15
IMPURE = (
    "asked twice for the same {unit}, your function gives two values: compute it from its arguments alone, "
    "and keep nothing from one call to the next."
)


def alike(a: float, b: float, rel: float, *, tiny: float = 0.0) -> bool:
    """Return whether two values agree to `rel`, or both are below `tiny`; nan agrees with nan."""
    return math.isclose(a, b, rel_tol=rel, abs_tol=tiny) or (math.isnan(a) and math.isnan(b))


def size(value: float, expected: float) -> str:
    """Return in words on which side of the right value a wrong one is; the right value is not told."""
    if not math.isfinite(value) or not math.isfinite(expected):
        return "not finite" if math.isfinite(expected) else "finite, where no finite value is right"
    if value * expected < 0:
        return "of the wrong sign"
    return "too large" if abs(value) > abs(expected) else "too small"


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number, right within the relative tolerance `rel`; 0 wants it exactly."""

    expected: float
    rel: float = 0.01
    unit: str = ""

    def ask(self, answer: str) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        close = f"A relative error up to {self.rel:g} counts as right." if self.rel else "It has to be exact."
        return f"Put the number{unit} into `{answer}`. {close}"

    def see(self, answer: Any) -> Seen:
        value = number(answer)
        if not math.isfinite(value):
            raise Refused(f"a finite number is wanted, got {value}.")
        return (value,)

    def right(self, seen: Seen) -> bool:
        return alike(seen[0], self.expected, self.rel)

    def apart(self, seen: Seen, wrong: Seen) -> float:
        if not alike(seen[0], wrong[0], self.rel):
            return math.inf
        return abs(seen[0] - wrong[0]) / max(abs(seen[0]), abs(wrong[0]), 1e-300)

    def describe(self, seen: Seen) -> str:
        (value,) = seen
        if value * self.expected <= 0 and self.expected:
            return f"{value:g} has the wrong sign, or is zero where it should not be."
        return f"{value:g} is {size(value, self.expected)}; write down the formula and put the numbers in."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several options, answered by its letter."""

    options: tuple[str, ...]
    truth: int

    def ask(self, answer: str) -> str:
        lines = [f"- **{LETTERS[place]}**: {text}" for place, text in enumerate(self.options)]
        return "\n".join(lines) + f"\n\nPut the letter, in quotes, into `{answer}`."

    def see(self, answer: Any) -> Seen:
        letters = LETTERS[: len(self.options)]
        letter = answer.strip().lower() if isinstance(answer, str) else ""
        if len(letter) != 1 or letter not in letters:
            wanted = ", ".join(f'"{one}"' for one in letters)
            raise Refused(f"the answer is one of the letters {wanted}, got {shown(answer)}.")
        return (letters.index(letter),)

    def right(self, seen: Seen) -> bool:
        return seen[0] == self.truth

    def apart(self, seen: Seen, wrong: Seen) -> float:
        return 0.0 if seen == wrong else math.inf

    def describe(self, seen: Seen) -> str:
        return "that is not it; compute what each option would lead to."


def choice(draw: Draw, truth: int, *options: tuple[str, str]) -> dict[str, Any]:
    """Return the parts of a task with options (text, hint if it is wrong); another seed turns their order.

    Each option gets another letter than it has in the book.
    """
    turn = draw("turn", 0, range(1, len(options)))
    turned = [options[(place - turn) % len(options)] for place in range(len(options))]
    truth = (truth + turn) % len(options)

    def answered(place: int) -> str:
        return f'my_choice = "{LETTERS[place]}"'

    return {
        "answer": "my_choice",
        "starter": "my_choice = None  # a letter",
        "solution": answered(truth),
        "judge": Choice(options=tuple(text for text, _ in turned), truth=truth),
        "mistakes": [Mistake(answered(i), hint) for i, (_, hint) in enumerate(turned) if i != truth],
    }


@dataclass(frozen=True, kw_only=True)
class Function:
    """A pure function of numbers, right where it gives the expected values at all probes.

    Values below 1e-15 count as zero: a cosine ends there by rounding.
    `probes` are tuples of arguments, in the order in which they are asked; `unit` names the first argument.
    A wrong answer gets the hint of a typical mistake if its values agree with the mistake's to `near`.
    """

    expected: Callable[..., float]
    probes: Sequence[tuple[Any, ...]]
    unit: str = "step"
    rel: float = 1e-6
    near: float = 1e-6
    impure: str = ""

    def ask(self, answer: str) -> str:
        return f"Write the function `{answer}`. A relative error up to {self.rel:g} counts as right."

    def see(self, answer: Any) -> Seen:
        if not callable(answer):
            raise Refused(
                f"a function is wanted, got {shown(answer)}: hand in the function, without brackets."
            )
        values = [self._value(answer, args) for args in self.probes]
        again = [self._value(answer, args) for args in reversed(self.probes)]
        if not all(alike(a, b, 1e-12, tiny=TINY) for a, b in zip(values, reversed(again), strict=True)):
            raise Refused(self.impure or IMPURE.format(unit=self.unit))
        return tuple(values)

    def _call(self, args: tuple[Any, ...]) -> str:
        return f"at {self.unit} {_plain(args[0])}" + (f", {_plain(args[1:])}" if len(args) > 1 else "")

    def _value(self, answer: Callable, args: tuple[Any, ...]) -> float:
        try:
            value = answer(*args)
        except (Exception, SystemExit) as error:
            raise given(f"your function, asked {self._call(args)},", error) from None
        if value is None:
            raise Refused(
                f"{self._call(args)} your function returns nothing: is there a way out without `return`?"
            )
        return number(value, what=f"{self._call(args)} a number is wanted")

    def right(self, seen: Seen) -> bool:
        return self._first_wrong(seen) is None

    def _first_wrong(self, seen: Seen) -> int | None:
        expected = (self.expected(*args) for args in self.probes)
        pairs = zip(seen, expected, strict=True)
        return next((i for i, (a, b) in enumerate(pairs) if not alike(a, b, self.rel, tiny=TINY)), None)

    def apart(self, seen: Seen, wrong: Seen) -> float:
        same = all(alike(a, b, self.near, tiny=TINY) for a, b in zip(seen, wrong, strict=True))
        return 0.0 if same else math.inf

    def describe(self, seen: Seen) -> str:
        place = self._first_wrong(seen)
        args = self.probes[place]
        good = f", and at the {place} places before it is right" if place > 1 else ""
        what = size(seen[place], self.expected(*args))
        return f"{self._call(args)} it gives {seen[place]:.6g}, which is {what}{good}."


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def steps(*values: int) -> list[tuple[int]]:
    """Return probes of a function of one argument, sorted, each once."""
    return [(value,) for value, _ in itertools.groupby(sorted(values))]
