"""The zip for rooms without network: everything a student needs, the same bytes whenever it is built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from lrlib._files import write_atomically
from tools.teach.chapters import ROOT

#: The earliest date that a zip can hold: a date of its own would make each build another file.
DATE = (1980, 1, 1, 0, 0, 0)
README = """Big Steps, Small Steps: the class's files, for a room without network
====================================================================

pages/index.html        the book, if it is there: read it with any browser
lesson.html or .pdf     the slides of the lesson; N shows notes, arrow keys go on and back
slides.html             slides of all chapters, as material
handout.pdf or .html    two pages to print
notebooks/              the chapters and the class study, without solutions
{wheel}    the library
constraints.txt         the versions that this was tested with

To run the notebooks you need Python 3.11, 3.12 or 3.13.

The day before, with network, on each computer:

    python3 -m venv class
    class/bin/pip install -c constraints.txt "{wheel}[train]" matplotlib ipykernel jupyterlab
    class/bin/jupyter lab notebooks

On Windows it is class\\Scripts\\ instead of class/bin/.

Without any network: on a computer of the same system and Python version that has one,

    python3 -m pip download -c constraints.txt -d wheels "{wheel}[train]" matplotlib ipykernel jupyterlab

carry the folder "wheels" into the room, and on each computer

    python3 -m venv class
    class/bin/pip install --no-index --find-links wheels "{wheel}[train]" matplotlib ipykernel jupyterlab

No notebook downloads anything: the pictures of the digits come with scikit-learn, the records with lrlib.
Begin with notebooks/teach/class_study.ipynb, or with notebooks/survey/introduction.ipynb.
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel of lrlib into a folder; RuntimeError if pip cannot."""
    fixed = {"SOURCE_DATE_EPOCH": "315532800", "PIP_BUILD_CONSTRAINT": str(ROOT / "constraints.txt")}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, env={**os.environ, **fixed}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the wheel could not be built: {done.stderr.strip()[-500:]}")
    (wheel,) = folder.glob("lrlib-*.whl")
    return wheel


def contents(built: Path, wheel: Path, pages: Path) -> dict[str, Path | str]:
    """Return what goes into the zip: name -> file or text. The teacher's files stay out."""
    files: dict[str, Path | str] = {
        "README.txt": README.format(wheel=wheel.name),
        wheel.name: wheel,
        "constraints.txt": ROOT / "constraints.txt",
        "LICENSE": ROOT / "LICENSE",
        "LICENSE-text": ROOT / "LICENSE-text",
        "LICENSE-Apache-2.0.txt": ROOT / "book/_static/LICENSE-Apache-2.0.txt",  # of MathJax
        "THIRD-PARTY.md": ROOT / "THIRD-PARTY.md",
    }
    files |= {
        name: built / name
        for name in ("lesson.html", "lesson.pdf", "slides.html", "handout.html", "handout.pdf")
    }
    student = built / "student"
    files |= {f"notebooks/{_name(path, student)}": path for path in student.rglob("*.ipynb")}
    files |= {f"pages/{_name(path, pages)}": path for path in pages.rglob("*") if path.is_file()}
    return {name: file for name, file in files.items() if isinstance(file, str) or file.is_file()}


def write_zip(files: Mapping[str, Path | str], path: Path) -> Path:
    """Write a zip that depends on names and contents alone; whole or not at all."""

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in sorted(files):
                content = files[name]
                info = zipfile.ZipInfo(name, DATE)
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                info.external_attr = 0o644 << 16
                archive.writestr(info, content if isinstance(content, str) else content.read_bytes())

    write_atomically(path, write)
    return path


def without_dates(pdf: bytes) -> bytes:
    """Set the dates in a PDF to one of the same length, so that the same page gives the same file."""
    return re.sub(
        rb"(/(?:CreationDate|ModDate) \(D:)(\d{14})", lambda found: found[1] + b"19800101000000", pdf
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
