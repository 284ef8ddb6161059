"""A Python that has lrlib from its wheel alone: the checkout cannot be imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]

RUN = """
import subprocess, sys
import nbformat
from nbclient import NotebookClient
page, folder = sys.argv[1:]
notebook = nbformat.read(page, as_version=4)
where = {"metadata": {"path": folder}}
NotebookClient(notebook, kernel_name="bare", timeout=1800, resources=where).execute()
nbformat.write(notebook, page)
"""


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout, without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("lrlib-*.whl")
    return wheel


def clean() -> dict[str, str]:
    """Return the environment without what would lead another Python to the packages of this one."""
    away = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(away)}


class Bare:
    """An environment of its own over the packages of another one.

    The other's packages come in as one more folder of the path. Python reads no .pth file there, and the
    .pth file of an editable install is what would bring the checkout in.
    """

    def __init__(self, folder: Path, *, base: str = sys.executable) -> None:
        subprocess.run([base, "-m", "venv", "--without-pip", str(folder)], env=clean(), check=True)
        self.folder, self.python = folder, folder / "bin/python"
        self.site = packages_of(self.python)
        others = beside() if base == sys.executable else [packages_of(base)]
        # These folders come at the end of the path: what is installed here is found first.
        (self.site / "beside.pth").write_text("".join(f"{path}\n" for path in others))
        self.env = clean() | {"LRLIB_PROGRESS": "off"}

    def install(self, wheel: Path) -> None:
        """Install a wheel and nothing else."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        command += ["--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed"]
        subprocess.run([*command, str(wheel)], check=True, env=self.env)

    def run(self, program: str, cwd: Path) -> str:
        """Return what a program prints."""
        done = subprocess.run(
            [self.python, "-c", program], cwd=cwd, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def versions(self, cwd: Path) -> dict[str, str]:
        """Return the packages that can be seen here, the first of each name."""
        program = (
            "import json; from importlib.metadata import distributions as d;"
            "print(json.dumps(dict(reversed([(x.name.lower(), x.version) for x in d()]))))"
        )
        return json.loads(self.run(program, cwd))

    def run_notebook(self, notebook: nbformat.NotebookNode, cwd: Path) -> nbformat.NotebookNode:
        """Run a notebook from top to bottom with this Python's kernel; a cell that fails is an error.

        In a process of its own: what talks to a kernel leaves sockets to the garbage collector.
        """
        spec = {
            "argv": [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "bare",
            "language": "python",
        }
        kernel = self.folder / "share/kernels/bare/kernel.json"
        kernel.parent.mkdir(parents=True, exist_ok=True)
        kernel.write_text(json.dumps(spec))
        page = self.folder / "page.ipynb"
        nbformat.write(notebook, page)
        done = subprocess.run(
            [sys.executable, "-c", RUN, page, cwd],
            env=self.env | {"JUPYTER_PATH": str(self.folder / "share")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return nbformat.read(page, as_version=4)


def packages_of(python: str | Path) -> Path:
    """Return the folder into which a Python installs packages."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def beside() -> list[Path]:
    """Return the folders that hold the packages of this Python."""
    found = dict.fromkeys(
        Path(find_spec(name).origin).parents[1] for name in ("torch", "IPython", "hatchling", "pip")
    )
    return list(found)
