"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from glob import escape
from pathlib import Path
from typing import BinaryIO

from lrlib._errors import LrlibError


class AlreadyThereError(Exception):
    """The file exists, and was to be written once."""


class WriteError(LrlibError, OSError):
    """A file that could not be written; the message is one sentence, and what was there is untouched."""


def write_atomically(path: Path, write: Callable[[BinaryIO], object], *, replace: bool = True) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place.

    A reader sees the old file or the new one; a kill at any moment leaves at most a ``.tmp`` file behind. The
    data is on the disk before the name is, so that a power cut does not leave an empty file under it. With
    ``replace=False`` the first of two writers wins, and the other gets `AlreadyThereError`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            _move_new(temporary, path)
    except OSError as error:
        raise WriteError(
            f"{path} could not be written ({error.strerror or error}); free space or choose another folder, "
            "what was there before is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a folder that cannot be written to has no temporary file
            temporary.unlink(missing_ok=True)


def half_written(path: Path) -> list[Path]:
    """Return what killed writers of this file left beside it."""
    return list(path.parent.glob(f".{escape(path.name)}.*.tmp"))


def _move_new(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise AlreadyThereError from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if path.exists():  # no hard links here (a memory card, a mounted drive): the next best
            raise AlreadyThereError from None
        os.replace(temporary, path)
