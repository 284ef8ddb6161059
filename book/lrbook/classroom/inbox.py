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

from lrlib._files import reason

#: A record has some 40 kB, and a class some hundred records.
MOST_BYTES, MOST_IN_ALL = 5_000_000, 500_000_000
#: A zip in a zip, and how many files in all: a few kB can stand for gigabytes, or name millions.
MOST_STUDENT, MOST_FILES = 50_000_000, 20_000
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
            files = iter([HandedIn(name, problem="no file that can be read")])
        elif path != place and not path.resolve().is_relative_to(place.resolve()):
            files = iter([HandedIn(name, problem="a link that leads out of the folder; it is not followed")])
        for name, data, problem in files:
            if names.total() >= MOST_FILES:
                rest = f"and all after it: more than {MOST_FILES:,} files; merge a part of them"
                yield HandedIn(shown(name), problem=rest)
                return
            known = shown(name)
            names[known] += 1
            size += len(data)
            if size > MOST_IN_ALL:
                data, problem = b"", "more than can be read at once; merge a part of the files"
            yield HandedIn(known if names[known] == 1 else f"{known} ({names[known]})", data, problem)


def shown(name: str) -> str:
    """Return a name fit for a terminal and a page: see `plain`; a long one is cut in its middle."""
    text = plain(name)
    return text if len(text) <= 120 else f"{text[:58]}...{text[-59:]}"


def plain(text: str) -> str:
    """Return a text with "?" for what does not print or could begin HTML: it comes from people unknown, and
    a report may be pasted into a page.

    Examples
    --------
    >>> plain("Ada <img src=x>\\n")
    'Ada ?img src=x??'
    """
    return "".join(letter if letter.isprintable() and letter not in "<>" else "?" for letter in text)


def _opened(name: str, open_file: Callable[[], IO[bytes]], *, zips: int) -> Iterator[HandedIn]:
    """Yield a file, or the files of a zip; `zips` levels of zips are opened."""
    is_zip = name.lower().endswith(".zip")
    # One export holds a class; a zip in it, one student's files.
    limit = (MOST_IN_ALL if zips > 1 else MOST_STUDENT) if is_zip else MOST_BYTES
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
        if getattr(error, "errno", None):  # the file may be whole: sent again, it would be no better
            problem = f"cannot be read ({reason(error)}); look at its rights, and at the disk"
        else:
            what = "a zip that cannot be opened" if is_zip else "cannot be read"
            why = "damaged"
            if "encrypted" in str(error):
                why = "locked with a password"
            elif isinstance(error, NotImplementedError):
                why = "packed in a way that is not known here"
            problem = f"{what} ({why}); have it sent again"
        yield HandedIn(name, problem=problem)


def _is_litter(name: str) -> bool:
    parts = set(name.replace("\\", "/").split("/")) - {".", ".."}
    return any(part in LITTER or part.startswith(".") or part.endswith(".lock") for part in parts)
