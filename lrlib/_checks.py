"""Checks of arguments: the plain value is returned, or an error raised that names argument and value."""

from __future__ import annotations

import difflib
import math
import numbers
import operator
from collections.abc import Callable, Iterable
from typing import Any

#: Counts of updates, images and processes, and seeds: what torch and NumPy hold in 64 bits.
MOST = 2**63 - 1


def shown(value: object) -> str:
    """Return a value as a sentence can hold it: its repr, on one line and not too long.

    Examples
    --------
    >>> shown(10**5000), len(shown("x" * 10_000))
    ('an integer of 16610 bits', 203)
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # Python prints no integer of more than 4,300 digits, and others' reprs may fail
        bits = value.bit_length() if isinstance(value, int) else 0
        return f"an integer of {bits} bits" if bits else f"an object of type {type(value).__name__}"
    return text if len(text) <= 203 else f"{text[:100]}...{text[-100:]}"


def check_int(name: str, value: Any, *, least: int) -> int:
    """Return `value` as a plain int >= `least`, or raise an error that names the argument."""
    # Bools are integers to Python, and so are boolean tensors: a True here is a slip, never a count.
    is_bool = isinstance(value, bool) or "bool" in str(getattr(value, "dtype", ""))
    try:
        number = None if is_bool else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} must be an integer >= {least}, got {shown(value)} ({type(value).__name__})")
    if number < least:
        raise ValueError(f"{name} must be >= {least}, got {shown(number)}")
    if number > MOST:
        raise ValueError(f"{name} must be < 2^63, got {shown(number)}")
    return number


def check_float(name: str, value: Any, *, allowed: str, ok: Callable[[float], bool]) -> float:
    """Return `value` as a finite float for which `ok` holds; `allowed` says in words what that is."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number {allowed}, got {shown(value)} ({type(value).__name__})")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond every float
        number = math.inf
    if not math.isfinite(number) or not ok(number):
        raise ValueError(f"{name} must be {allowed}, got {shown(value)}")
    return number


def check_numbers(name: str, values: Any, *, finite: bool = True) -> list[float]:
    """Return numbers as a list of floats, at least one; with `finite` none is nan or infinite."""
    several = isinstance(values, Iterable) and not isinstance(values, (str, bytes))
    try:
        listed = [float(value) for value in values] if several else []
    except (TypeError, ValueError, OverflowError, RuntimeError):  # RuntimeError: a tensor of several numbers
        listed = []
    # Squares of larger ones are beyond every float.
    if not listed or (finite and not all(abs(value) < 1e150 for value in listed)):
        all_of_them = "at least one number" + (", all finite" if finite else "")
        raise (ValueError if several else TypeError)(f"{name} must be {all_of_them}, got {shown(values)}")
    return listed


def check_fraction(name: str, value: Any, *, zero: bool = True, one: bool = True) -> float:
    """Return `value` as a float from 0 to 1, or raise; `zero` and `one` say whether these are allowed."""
    return check_float(
        name,
        value,
        allowed=f"in {'[' if zero else '('}0, 1{']' if one else ')'}",
        ok=lambda x: (x >= 0 if zero else x > 0) and (x <= 1 if one else x < 1),
    )


def no_such(what: str, name: object, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not among the known ones, with the nearest of them."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what} must be one of {', '.join(known)}, got {shown(name)}{hint}"
