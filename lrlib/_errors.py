"""One family for what goes wrong in a known way, and one sentence for all that goes wrong."""

from __future__ import annotations

import dis
import os


class LrlibError(Exception):
    """An error whose message is one sentence for the reader: what was found, what was expected, what to do.

    Each is a ValueError, a RuntimeError or an OSError too, and can be caught as that.

    Examples
    --------
    >>> import lrlib
    >>> try:
    ...     lrlib.preset("digits", recipe="linear", epochs=0)
    ... except lrlib.LrlibError as error:
    ...     print(error)
    epochs: input should be greater than or equal to 1, got 0
    """


def reason(error: Exception) -> str:
    """Return what the system says, without the number and the path."""
    return str(getattr(error, "strerror", None) or error)


def said(error: Exception) -> str:
    """Return one sentence for an error: lrlib's own as it is, and any other with its type, to look it up.

    Examples
    --------
    >>> said(PermissionError(13, "Permission denied", "runs/a.json"))
    'runs/a.json: Permission denied'
    >>> try:
    ...     int("four")
    ... except ValueError as error:
    ...     print(said(error))
    ValueError: invalid literal for int() with base 10: 'four' (LRLIB_TRACEBACK=1 shows where)
    """
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError):
        return f"this needs {error.name}, which is not installed; install lrlib[train], which has it"
    if isinstance(error, LrlibError) or _raised_here(error):
        return text
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason(error)}"
    return f"{type(error).__name__}: {text[:300]} (LRLIB_TRACEBACK=1 shows where)"


def _raised_here(error: Exception) -> bool:
    """Return whether a `raise` of lrlib or lrbook made this error: a plain ValueError may be Python's own."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return False
    frame = last.tb_frame
    ours = frame.f_globals.get("__name__", "").partition(".")[0] in ("lrlib", "lrbook", "__main__")
    # What Python raises within one of our lines, as in int("four"), is at another instruction than a raise.
    return ours and frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
