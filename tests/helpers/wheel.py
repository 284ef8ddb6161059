"""Run every notebook with nothing but the wheel, over Colab's versions: `make test-wheel`.

The environment is made once, in _build/colab; it takes what the newest colab-packages-*.txt lists, by this
Python's version (Colab's own stands in that file).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from bare import ROOT, clean
from colab_packages import COLAB, LIST, needed

HOME = ROOT / "_build" / f"colab-{LIST.stem.removeprefix('colab-packages-')}"


def environment() -> Path:
    """Install Colab's versions where they are not yet; return their Python."""
    python, stamp = HOME / "bin/python", HOME / "installed"
    if not stamp.is_file():
        print(
            f"Installing the versions of {LIST.name} into {HOME.relative_to(ROOT)}: some minutes.", flush=True
        )
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)
        wanted = [
            f"{requirement.name}=={COLAB[canonicalize_name(requirement.name)]}" for requirement in needed()
        ]
        wanted += [f"{name}=={COLAB[name]}" for name in ("ipykernel", "ipython")]
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(LIST)]
        subprocess.run([*command, *wanted], env=clean(), check=True)
        stamp.touch()
    return python


def main() -> None:
    """Install, then test."""
    print(f"Python {platform.python_version()}, versions of {LIST.name}")
    env = os.environ | {"LRLIB_WHEEL": "all", "LRLIB_WHEEL_PYTHON": str(environment())}
    command = [sys.executable, "-m", "pytest", "--durations=0", "tests/project/test_wheel.py"]
    sys.exit(subprocess.run(command, cwd=ROOT, env=env).returncode)


if __name__ == "__main__":
    main()
