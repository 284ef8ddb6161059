"""Lighthouse on the built pages, as its phone sees them over gzip: `make lighthouse`.

    python tests/lighthouse/run.py [--runs 3] [PAGE ...]

Each number is the median of the runs; one below 95 is a failure. It needs node 18 or later, npm and Chromium.
The times of a busy machine count against a page: run it on a quiet one.
"""

from __future__ import annotations

import argparse
import gzip
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from statistics import median

import yaml

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
HTML, HOME = ROOT / "_build/html", ROOT / "_build/lighthouse"
LEAST = 95
KINDS = ("performance", "accessibility", "best-practices", "seo")
PACKED = {".html", ".css", ".js", ".svg", ".json"}


class Packed(http.server.SimpleHTTPRequestHandler):
    """Files as hosts of pages send them: compressed, and kept for ten minutes."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in PACKED or not path.is_file():
            super().do_GET()
            return
        data = gzip.compress(path.read_bytes(), mtime=0)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def install() -> Path:
    """Install what is pinned where it is not yet; return the program."""
    lock, stamp = HERE / "package-lock.json", HOME / "installed"
    if not stamp.is_file() or stamp.read_text() != lock.read_text():
        HOME.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, HOME)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HOME, check=True)
        stamp.write_text(lock.read_text())
    return HOME / "node_modules/.bin/lighthouse"


def scores(program: Path, address: str) -> dict[str, int]:
    """Return the four numbers of one run, in per cent."""
    flags = "--headless=new --no-sandbox --disable-gpu"
    command = [program, address, "--quiet", "--output=json", f"--chrome-flags={flags}"]
    command.append(f"--only-categories={','.join(KINDS)}")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    found = json.loads(done.stdout)["categories"]
    return {kind: round(100 * (found[kind]["score"] or 0)) for kind in KINDS}


def main() -> None:
    """Measure the pages named, or the first page and all chapters; exit with 1 if one is below the limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if not shutil.which("npm"):
        sys.exit("There is no npm on this machine: on Debian and Ubuntu, apt install npm")
    os.environ.setdefault("CHROME_PATH", shutil.which("chromium") or shutil.which("google-chrome") or "")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    pages = arguments.pages or [
        toc["root"],
        *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"]),
    ]
    program = install()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Packed, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    low = False
    print(f"{'page':<36}" + "".join(f"{kind:>16}" for kind in KINDS), flush=True)
    for page in pages:
        address = f"http://127.0.0.1:{server.server_address[1]}/{page}.html"
        runs = [scores(program, address) for _ in range(arguments.runs)]
        line = {kind: round(median(run[kind] for run in runs)) for kind in KINDS}
        low |= min(line.values()) < LEAST
        print(f"{page:<36}" + "".join(f"{number:>16}" for number in line.values()), flush=True)
    sys.exit(low)


if __name__ == "__main__":
    main()
