"""What the command line says of an error, and of a run."""

from __future__ import annotations

import dis
import os

from lrlib._errors import LrlibError
from lrlib._files import reason
from lrlib.runs.record import Run

__all__ = ["said", "summary"]


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
        name = os.fsdecode(error.filename)
        return f"{name if len(name) <= 500 else f'{name[:200]}...{name[-200:]}'}: {reason(error)}"
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


def summary(run: Run) -> str:
    """Return one line with what a run ended with.

    Examples
    --------
    >>> from lrlib import load_runs
    >>> summary(load_runs("pilot-laptop")[0]).partition(":")[0]
    'resnet10 on cifar10, constant, seed 0'
    """
    last = run.epochs[-1]
    parts = [
        f"{run.config.network} on {run.config.dataset}, {run.label}, seed {run.config.seed}: {run.status} "
        f"after {len(run.epochs)} epochs"
    ]
    if run.final is not None:
        parts.append(f"training accuracy {run.final.train_accuracy:.4f}")
    parts.append(f"test accuracy {last.test_accuracy:.4f}")
    parts.append(f"training cross-entropy {last.train_loss:.4f}, test {last.test_loss:.4f}")
    return ", ".join(parts)
