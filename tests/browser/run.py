"""A student's path in a real browser: `make test-browser`.

A bare Jupyter runs in a folder with one chapter in it and nothing else; lrlib is there from its wheel alone.
The student opens the chapter, runs all of it, sees figures and no error, answers an exercise wrong, reads the
hint, and answers it right. Pictures of each stage stay in _build/browser. It needs Chromium.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bare import ROOT, Bare, build_wheel, clean

HOME = ROOT / "_build/browser"
PINS = Path(__file__).with_name("requirements.txt")
CHAPTER = "introduction"


def environment() -> Path:
    """Install what is pinned where it is not yet; return that Python."""
    python, stamp = HOME / "env/bin/python", HOME / "installed"
    if not stamp.is_file() or stamp.read_text() != PINS.read_text():
        print(f"Installing a bare Jupyter into {HOME.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME / "env")], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(PINS)]
        subprocess.run(install, env=clean(), check=True)
        stamp.write_text(PINS.read_text())
    return python


def kernel(folder: Path) -> Bare:
    """Make a Python with the wheel of this checkout, and let it be Jupyter's "python3"."""
    bare = Bare(folder / "lrlib")
    bare.install(build_wheel(folder / "wheel"))
    spec = folder / "share/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(bare.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    return bare


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"Jupyter ended with {server.returncode}; its log is in {HOME}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"Jupyter did not answer within {seconds:.0f} s")


def main() -> None:
    """Start Jupyter, walk the path, stop Jupyter."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: on Debian and Ubuntu, apt install chromium")
    chapter = ROOT / "book/survey" / f"{CHAPTER}.ipynb"
    if 'check(\\"edge\\"' not in chapter.read_text():
        sys.exit(f"{chapter.relative_to(ROOT)} has no exercise 'edge' to answer")
    python = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = kernel(folder)
        desk = folder / "desk"
        desk.mkdir()
        shutil.copy(chapter, desk)
        # Cells out of sight stay in the page, so that all of them can be looked at.
        settings = (
            folder / ".jupyter/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
        )
        settings.parent.mkdir(parents=True)
        settings.write_text('{"windowingMode": "none"}')
        port = free_port()
        command = [python, "-m", "notebook", "--no-browser", "--allow-root", f"--port={port}"]
        command += ["--IdentityProvider.token=student", "--ServerApp.port_retries=0"]
        env = bare.env | {"JUPYTER_PATH": str(folder / "share"), "HOME": str(folder)}
        with (HOME / "jupyter.log").open("w") as log:
            server = subprocess.Popen(command, cwd=desk, env=env, stdout=log, stderr=log)
            try:
                wait_for(f"http://127.0.0.1:{port}/api?token=student", server)
                address = f"http://127.0.0.1:{port}/notebooks/{chapter.name}?token=student"
                student = [python, Path(__file__).with_name("student.py"), chromium, address, HOME]
                status = subprocess.run(student, env=clean()).returncode
            finally:
                server.terminate()
                server.wait()
    sys.exit(status)


if __name__ == "__main__":
    main()
