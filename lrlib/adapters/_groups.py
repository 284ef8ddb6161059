"""What is given for all parameter groups of an optimizer, or for each."""

from __future__ import annotations

from typing import Any


def one_each(name: str, value: Any, groups: int, *, many: bool) -> list[Any]:
    """Return one value a group: `value` for each, or its items if it is `many`, which must be as many."""
    if not many:
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name} must be one for all or one a parameter group ({groups}), got {len(value)}")
    return list(value)
