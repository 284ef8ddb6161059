"""What a class handed in: every file of a folder and of the zips in it, read into memory, named safely.

Nothing is unpacked to the disk, so that no name in a zip can lead anywhere, and each file has a size limit.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: A record has some 40 kB; a class has some hundred files. Whatever is far above that is something else.
MOST_BYTES, MOST_FILES, MOST_IN_ALL = 5_000_000, 10_000, 1_000_000_000
# What systems and notebooks leave behind, beside names with a dot in front and the locks of killed runs.
LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__"}


class HandedIn(NamedTuple):
    """One file: its name for people, and either its bytes or, as half a sentence, why there are none."""

    name: str
    data: bytes
    problem: str = ""


def handed_in(place: Path) -> Iterator[HandedIn]:
    """Yield every file of a folder, or of one zip; zips are opened, and zips in zips. No name comes twice."""
    names: Counter[str] = Counter()
    for file in _all(place):
        names[file.name] += 1
        again = names[file.name]
        yield file if again == 1 else file._replace(name=f"{file.name} ({again})")


def _all(place: Path) -> Iterator[HandedIn]:
    room = [MOST_IN_ALL]
    files = [place] if place.is_file() else sorted(_files(place), key=lambda path: path.as_posix())
    for path in files:
        name = shown(path.name if path == place else path.relative_to(place).as_posix())
        if not path.is_file():  # a pipe would wait for ever
            yield HandedIn(name, b"", "no file that can be read")
            continue
        try:
            is_zip = path.suffix.lower() == ".zip"
            limit = MOST_IN_ALL if is_zip else MOST_BYTES
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            yield HandedIn(name, b"", f"cannot be read ({error.strerror or error})")
            continue
        if len(data) > limit:
            yield HandedIn(name, b"", f"more than {limit // 1_000_000} MB, which no record has")
        elif is_zip:
            yield from _opened(name, data, room, zips=2)
        else:
            yield HandedIn(name, data)


def is_litter(name: str) -> bool:
    """Tell whether a file, by its path, is something that systems leave behind."""
    parts = set(name.replace("\\", "/").split("/")) - {".", ".."}
    return any(part in LITTER or part.startswith(".") or part.endswith(".lock") for part in parts)


def shown(name: str) -> str:
    """Return a name fit for a terminal: what does not print is a question mark, and length has an end."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= 120 else f"{plain[:58]}...{plain[-59:]}"


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):  # does not follow links to folders
        folders[:] = [name for name in folders if not is_litter(name)]
        yield from (Path(parent, name) for name in names if not is_litter(name))


def _opened(name: str, data: bytes, room: list[int], *, zips: int) -> Iterator[HandedIn]:
    """Yield the files of a zip; `zips` says how deep zips may still be packed in one another."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [info for info in archive.infolist() if not info.is_dir()]
    except Exception as error:  # zipfile raises many kinds on damaged headers
        yield HandedIn(name, b"", f"a zip that cannot be opened ({type(error).__name__}); have it sent again")
        return
    members = [info for info in members if not is_litter(info.filename)]
    if len(members) > MOST_FILES:
        yield HandedIn(name, b"", f"a zip of {len(members)} files; unpack what is needed of it")
        return
    for info in sorted(members, key=lambda info: info.filename):
        inner, is_zip = f"{name}: {shown(info.filename)}", info.filename.lower().endswith(".zip")
        if is_zip and zips == 1:
            yield HandedIn(inner, b"", "a zip in a zip in a zip; unpack it by hand")
            continue
        limit = min(20 * MOST_BYTES if is_zip else MOST_BYTES, room[0])
        try:
            with archive.open(info) as file:
                content = file.read(limit + 1)  # the size that a zip states may be a lie
        except Exception as error:  # encrypted, damaged, or packed in a way that zipfile does not know
            yield HandedIn(inner, b"", f"cannot be unpacked ({type(error).__name__}: {error})")
            continue
        if len(content) > limit:
            too_much = "more than can be read at once" if limit == room[0] else "which no record has"
            yield HandedIn(inner, b"", f"more than {limit / 1e6:.0f} MB unpacked, {too_much}")
            continue
        room[0] -= len(content)
        if is_zip:
            yield from _opened(inner, content, room, zips=zips - 1)
        else:
            yield HandedIn(inner, content)
