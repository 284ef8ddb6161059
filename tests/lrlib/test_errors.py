"""The error family: each known error is one, keeps the built-in kind that it had, and is one sentence."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import lrbook
import lrlib


def errors() -> list[type]:
    """Return every error class of lrlib and lrbook, but for the one that never leaves its file."""
    found = {}
    for package in (lrlib, lrbook):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, thing in vars(importlib.import_module(module.name)).items():
                ours = getattr(thing, "__module__", "").startswith(("lrlib", "lrbook"))
                if ours and name.endswith("Error") and isinstance(thing, type):
                    found[name] = thing
    del found["AlreadyThereError"]
    return [thing for _, thing in sorted(found.items())]


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__name__)
def test_every_error_is_one_of_the_family(kind):
    assert issubclass(kind, lrlib.LrlibError)
    if kind is not lrlib.LrlibError:
        assert issubclass(kind, (ValueError, RuntimeError, OSError))


def test_a_known_error_is_a_sentence_on_the_command_line_without_its_type(lrlib):
    code, _, err = lrlib("class", "merge", "no-such-folder")
    assert (code, err) == (1, "lrlib: no-such-folder: there is no such folder or zip\n")
