"""What Jupyter Book 2 says of this book: `make book-2`. A look ahead, that stops nothing.

Jupyter Book 2 is another program: it reads myst.yml and knows no Sphinx extension. It writes that file from
_config.yml and _toc.yml by itself, here in a copy, and then lists what it does not understand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEWEST = "jupyter-book>=2,<3"  # not pinned: the question is what comes


def main() -> int:
    """Install it, let it take over a copy of the book, and build that; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        copy, env = Path(folder) / "book", Path(folder) / "env"
        names = subprocess.run(
            ["git", "ls-files", "book", "_config.yml", "_toc.yml"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for name in names:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        venv.create(env, with_pip=True)
        subprocess.run([env / "bin/pip", "install", "--quiet", NEWEST], check=True)
        program = env / "bin/jupyter-book"
        # Its only question is whether it may take the book over.
        subprocess.run([program, "init", "--project"], cwd=copy, input="y\n", text=True, check=True)
        return subprocess.run([program, "build", "--html", "--ci", "--strict"], cwd=copy).returncode


if __name__ == "__main__":
    sys.exit(main())
