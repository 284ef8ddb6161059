"""Clocks: how a faulty loop's count runs, as functions of the update, and what gives them away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Clock:
    """speed * block + ahead + extra * floor((t + offset) / every), with block = t - (t - offset) mod held.

    With `per_block`, a block counts as one step: block = floor((t - offset) / held). With `period`, t begins
    again after so many updates. With `mirror`, the time runs back from there to 0, and forth again, as
    torch's cosine does after its T_max.
    """

    speed: float = 1
    ahead: int = 0
    held: int = 1
    offset: int = 0
    per_block: bool = False
    extra: int = 0
    every: int = 1
    period: int = 0
    mirror: int = 0

    def __call__(self, t: Array) -> Array:
        """Return the plan's time at the updates `t` (whole numbers, integers where `speed` is whole)."""
        if self.period:
            t = t % self.period
        begun = np.maximum(t - (t - self.offset) % self.held, 0)
        if self.per_block:
            # The first block may be cut short by an offset; it counts as block 0.
            begun = (t - self.offset) // self.held + (1 if self.offset else 0)
        extra = self.extra * ((t + self.offset) // self.every) if self.extra else 0
        moved = begun * int(self.speed) if float(self.speed).is_integer() else times(begun, self.speed)
        time = moved + self.ahead + extra
        return self.mirror - np.abs(time % (2 * self.mirror) - self.mirror) if self.mirror else time


def times(t: Array, speed: float) -> Array:
    """Return t * speed, whole where rounding alone made it none: a plan may jump there."""
    product = t * speed
    near = np.rint(product)
    return np.where(np.abs(product - near) <= 1e-12 * np.abs(near), near, product)


def of_counts(counts: Array, t: Array) -> Clock | None:
    """Return the clock that a scheduler's own counts follow, or None for none of the known kinds.

    >>> of_counts(np.array([0, 2, 4, 6, 8]), np.arange(5)).speed
    2
    >>> of_counts(np.array([0, 0, 0, 1, 1, 1, 2]), np.arange(7))
    Clock(speed=1, ahead=0, held=3, offset=0, per_block=True, extra=0, every=1, period=0, mirror=0)
    """
    if len(counts) < 3:
        return None
    moves = np.diff(counts)
    guesses = []
    if (moves == moves[0]).all():
        speed = int(moves[0])
        guesses.append(Clock(speed=speed, ahead=int(counts[0] - speed * t[0])))
    elif set(np.unique(moves)) == {0, 1}:
        jumps = np.flatnonzero(moves) + 1
        gaps = np.diff(jumps)
        if len(jumps) > 1 and (gaps == gaps[0]).all():  # one tick in several updates
            held, offset = int(gaps[0]), int(t[jumps[0]] % gaps[0])
            plain = Clock(held=held, offset=offset, per_block=True)
            guesses.append(
                Clock(held=held, offset=offset, per_block=True, ahead=int(counts[0] - plain(t)[0]))
            )
        elif len(jumps) == 1:
            held = int(t[jumps[0]])
            guesses.append(Clock(held=held, per_block=True, ahead=int(counts[0])))
    back = np.flatnonzero(moves < 0)
    if len(back) and counts[back[0] + 1] == counts[0]:
        guesses.append(Clock(period=int(back[0] + 1 + t[0]), ahead=int(counts[0])))
    usual = 1
    odd = np.flatnonzero(moves != usual)
    if len(odd):
        guesses += regular(t, odd[:2] + 1, int(moves[odd[0]] - usual), int(counts[0] - t[0]))
    return next((guess for guess in guesses if np.array_equal(guess(t), counts)), None)


def regular(t: Array, jumps: Array, extra: int, ahead: int) -> list[Clock]:
    """Return the clocks that take `extra` steps at equal distances, at update t[jumps[0]] and t[jumps[1]].

    What is seen once is a jump.
    """
    if len(jumps) < 2:
        return []
    first = int(t[jumps[0]])
    every = int(t[jumps[1]]) - first
    if not 0 < abs(extra) < every:
        return []
    offset = (-first) % every
    plain = Clock(extra=extra, every=every, offset=offset)
    # The sum of the ahead and of what the extra steps give at the first update must be what was seen there.
    return [Clock(extra=extra, every=every, offset=offset, ahead=ahead - int(plain(t[:1])[0] - t[0]))]


def whole_ratio(number: float) -> str:
    """Return " (4 times)" or " (a quarter)" for a whole ratio, else nothing."""
    for ratio, form in ((number, "{:,} times"), (1 / number, "one part in {:,}")):
        if ratio > 1.5 and math.isclose(ratio, round(ratio), rel_tol=1e-9):
            return f" ({form.format(round(ratio))})"
    return ""
