"""The plain-dict form of shapes and recipes, which JSON can carry: `to_dict`, `from_dict`, and the kinds."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

_KINDS: dict[str, type[Spec]] = {}


class Spec:
    """Base of frozen dataclasses that can be written as a dict and read back with `from_dict`.

    Attributes
    ----------
    kind : str
        Name of the class in dicts. No two classes may share one.
    version : int
        Raised when the kind's fields change their meaning.
    later : tuple of str
        Fields that were added after dicts of the kind had been stored. A stored dict lacks them and means
        their defaults; `to_dict` leaves them out at their defaults, so that it still writes the stored dict.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    later: ClassVar[tuple[str, ...]] = ()
    # Every subclass is a dataclass; declared here so that type checkers let `dataclasses.fields` take a Spec.
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "kind" in cls.__dict__:  # an inherited kind stays with the class that has it
            taken = _KINDS.setdefault(cls.kind, cls)
            if (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"kind {cls.kind!r} is taken by {taken.__qualname__}; choose another")
            _KINDS[cls.kind] = cls  # the same class defined again (a notebook cell run twice)

    def to_dict(self) -> dict[str, Any]:
        """Return kind, version and arguments as plain values, as `json.dumps` takes them."""
        fields = {
            f.name: _plain(getattr(self, f.name))
            for f in dataclasses.fields(self)
            if f.name not in self.later or getattr(self, f.name) != f.default
        }
        return {"kind": self.kind, "version": self.version, **fields}

    def _set(self, **checked: Any) -> None:
        """Store checked values, in `__post_init__` only."""
        for name, value in checked.items():  # past the frozen dataclass's own __setattr__, which refuses
            object.__setattr__(self, name, value)


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _built(value: Any) -> Any:
    if isinstance(value, dict):
        return from_dict(value)
    if isinstance(value, (list, tuple)):
        return tuple(_built(item) for item in value)
    return value


def from_dict(data: dict[str, Any]) -> Any:
    """Return the schedule or the recipe that a dict of `to_dict()` describes, through JSON or not.

    Parameters
    ----------
    data : dict
        Has ``kind``, ``version`` and the arguments of that kind (those in its `later` may be missing). An
        unknown kind or version and a missing or unknown key are ValueErrors; the arguments are checked as at
        any construction.

    Examples
    --------
    >>> import json
    >>> import lrlib
    >>> text = json.dumps(lrlib.LinearDecay(total_steps=100).to_dict())
    >>> text
    '{"kind": "linear_decay", "version": 1, "total_steps": 100}'
    >>> lrlib.from_dict(json.loads(text))
    LinearDecay(total_steps=100)
    """
    if not isinstance(data, dict):
        raise TypeError(f"from_dict needs a dict, as to_dict() makes it, got {data!r}")
    fields = dict(data)
    kind, version = fields.pop("kind", None), fields.pop("version", None)
    cls = _KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ValueError(f"kind must be one of {', '.join(sorted(_KINDS))}, got {kind!r}")
    if version != cls.version or isinstance(version, bool):  # True == 1
        raise ValueError(
            f"version of {kind!r} must be {cls.version}, got {version!r}; "
            "a later lrlib may have written it, then upgrade lrlib"
        )
    wanted = [f.name for f in dataclasses.fields(cls)]
    for problem, names in (
        ("unknown", [name for name in fields if name not in wanted]),
        ("missing", [name for name in wanted if name not in fields and name not in cls.later]),
    ):
        if names:
            raise ValueError(f"{problem} key {names[0]!r} for kind {kind!r}; its keys are {wanted}")
    return cls(**{name: _built(value) for name, value in fields.items()})
