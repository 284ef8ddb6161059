"""How a command stands in a record: as text that can be stored, without folders, which name people."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PureWindowsPath

__all__ = ["command_line"]

_SLASHES = {"/", "\\"}
#: Folders in which each user has one: of Linux, and of macOS and Windows.
_HOMES = {"home", "users"}


def command_line(arguments: str | Sequence[str]) -> str:
    """Return a command as a record may hold it: quoted where a shell needs it, without folders, all Unicode.

    A string is the name of a function that was called, or one argument: it is not split.

    Examples
    --------
    >>> command_line(["lrlib", "train", "--out", "/data/Jane Doe/my runs"])
    "lrlib train --out 'my runs'"
    >>> command_line("lrlib.training.run.train")
    'lrlib.training.run.train'
    """
    if isinstance(arguments, str):
        return _storable(arguments)
    # Stored first: what `shlex` puts around an argument holds no slash.
    return shlex.join(map(_storable, arguments))


def _storable(argument: str) -> str:
    """Return an argument without folders and without what is no Unicode; what stands before a "=" stays."""
    # A name in another encoding than the terminal's comes as surrogates, which JSON in UTF-8 cannot hold.
    text = argument.encode("utf-8", "replace").decode()
    option, equals, value = text.partition("=")
    if not text.startswith("-") or _SLASHES & set(option):
        option, equals, value = "", "", text
    # Records are published, and folders have the names of users.
    if value.startswith("~") and not _SLASHES & set(value):
        value = "~"
    elif _SLASHES & set(value):
        path = PureWindowsPath(value)  # this kind knows both slashes
        # Of a root nothing is left: the argument is a dot then. The last name of a home folder is its user's.
        value = "~" if path.parent.name.lower() in _HOMES else path.name or "."
    return f"{option}{equals}{value}"
