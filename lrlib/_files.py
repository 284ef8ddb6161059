"""Files that are there whole or not at all."""

from __future__ import annotations

import codecs
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


class TextError(LrlibError, ValueError):
    """A text file that cannot be read; the message is half a sentence, for after the file's name."""


def read_text(path: Path, *, most: int = 10_000_000) -> str:
    """Return a text that people edit: UTF-8, or UTF-16 with its mark in front; the mark is left out.

    Notepad, spreadsheets and PowerShell write such marks. A file of more than `most` bytes is refused.

    Raises
    ------
    FileNotFoundError
    TextError
        If the file cannot be read, is too large or is in another encoding.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        raise TextError(f"cannot be read ({reason(error)})") from None
    if len(data) > most:
        raise TextError(f"has more than {most / 10**6:g} MB, which no such file has")
    return decoded(data)


def decoded(data: bytes) -> str:
    """Return the text in some bytes, as `read_text` does; raise TextError for another encoding."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start + 1}"
        raise TextError(f"is not in UTF-8 (see {where}); save it again with the encoding UTF-8") from None
    if "\0" in text:
        raise TextError("is not a text file (it holds null bytes); save it again as text in UTF-8")
    return text


def reason(error: Exception) -> str:
    """Return what the system says, without the number and the path."""
    return str(getattr(error, "strerror", None) or error)


def write_atomically(path: Path, write: Callable[[BinaryIO], object], *, replace: bool = True) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place.

    A reader sees the old file or the new one; a kill at any moment leaves at most a ``.tmp`` file behind. The
    data is on the disk before the name is, so that a power cut does not leave an empty file under it. With
    ``replace=False`` the first of two writers wins, and the other gets `AlreadyThereError`.
    """
    if not path.name or path.is_dir():
        raise WriteError(f"{path} is a folder; name a file in it")
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
            f"{path} could not be written ({reason(error)}); free space or choose another folder, "
            "what was there before is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a folder that cannot be written to has no temporary file
            temporary.unlink(missing_ok=True)


def half_written(path: Path) -> list[Path]:
    """Return what killed writers of this file left beside it."""
    return list(path.parent.glob(f".{escape(path.name)}.*.tmp"))


def when_written(path: Path) -> int | None:
    """Return when a file was last written, in nanoseconds, or None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


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
