"""What a class handed in: the files of a folder, and of the zips in it, read into memory.

A learning platform exports one zip, and some students hand in zips of their own: so two levels are opened.
Nothing is unpacked to the disk, so that no name in a zip can lead out of its folder.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

#: A record has some 40 kB, and a class some hundred records.
MOST_BYTES, MOST_IN_ALL = 5_000_000, 500_000_000
# What operating systems and notebooks leave behind, beside hidden files and the locks of killed runs.
LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__"}


class HandedIn(NamedTuple):
    """One file: its name in a report, and its bytes or, as half a sentence, why there are none."""

    name: str
    data: bytes = b""
    problem: str = ""


def handed_in(place: Path) -> Iterator[HandedIn]:
    """Yield every file of a folder or of one zip, and those of the zips in it; no name comes twice."""
    names: Counter[str] = Counter()
    size = 0
    for path in [place] if place.is_file() else sorted(place.rglob("*")):
        name = path.name if path == place else path.relative_to(place).as_posix()
        if path.is_dir() or (path != place and _is_litter(name)):
            continue
        files = _opened(name, partial(path.open, "rb"), zips=2)
        if not path.is_file():  # a link to nothing, or a pipe, which would keep the reader waiting
            files = [HandedIn(name, problem="no file that can be read")]
        for name, data, problem in files:
            plain = shown(name)
            names[plain] += 1
            size += len(data)
            if size > MOST_IN_ALL:
                data, problem = b"", "more than can be read at once; merge a part of the files"
            yield HandedIn(plain if names[plain] == 1 else f"{plain} ({names[plain]})", data, problem)


def shown(name: str) -> str:
    """Return a name fit for a terminal: what does not print is "?", and a long one is cut in its middle."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= 120 else f"{plain[:58]}...{plain[-59:]}"


def _opened(name: str, open_file: Callable[[], IO[bytes]], *, zips: int) -> Iterator[HandedIn]:
    """Yield a file, or the files of a zip; `zips` levels of zips are opened."""
    is_zip = name.lower().endswith(".zip")
    limit = MOST_IN_ALL if is_zip else MOST_BYTES
    try:
        with open_file() as file:
            data = file.read(limit + 1)  # and not the size that a zip states, which may be wrong
        if len(data) > limit:
            yield HandedIn(name, problem=f"more than {limit // 10**6} MB, which no record has")
        elif not is_zip:
            yield HandedIn(name, data)
        elif not zips:
            yield HandedIn(name, problem="a zip in a zip in a zip; unpack it by hand")
        else:
            archive = zipfile.ZipFile(io.BytesIO(data))
            for info in archive.infolist():
                if not info.is_dir() and not _is_litter(info.filename):
                    yield from _opened(f"{name}: {info.filename}", partial(archive.open, info), zips=zips - 1)
    # No permission; encrypted, damaged, packed in a way unknown to zipfile: it raises many kinds of error.
    except Exception as error:
        what = "a zip that cannot be opened" if is_zip else "cannot be read"
        yield HandedIn(
            name, problem=f"{what} ({type(error).__name__}: {shown(str(error))}); have it sent again"
        )


def _is_litter(name: str) -> bool:
    parts = set(name.replace("\\", "/").split("/")) - {".", ".."}
    return any(part in LITTER or part.startswith(".") or part.endswith(".lock") for part in parts)
