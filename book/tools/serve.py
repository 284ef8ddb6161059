"""Show the built pages on this machine: `make serve`, or `make serve PORT=8080`."""

from __future__ import annotations

import argparse
import errno
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]


def port(text: str) -> int:
    """Return a port that a program without rights may open.

    >>> port("8080")
    8080
    """
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(
            f"a port is a whole number from 1024 to 65535, got {text!r}; try PORT=8080"
        )
    return int(text)


def serve(folder: Path, number: int) -> None:
    """Serve a folder until Ctrl-C; one sentence if the port is taken or there is no book."""
    if not (folder / "index.html").is_file():
        sys.exit("There is no built book yet: run 'make book' first.")
    try:
        server = ThreadingHTTPServer(
            ("127.0.0.1", number), partial(SimpleHTTPRequestHandler, directory=str(folder))
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {number} is in use by another program: try make serve PORT={other(number)}")
    with server:
        print(f"Serving at http://localhost:{number}/ (stop with Ctrl-C)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def other(number: int) -> int:
    """Return another port to try.

    >>> other(8000), other(65535)
    (8001, 65534)
    """
    return number + 1 if number < 65535 else number - 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--port", type=port, default=8000)
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    arguments = parser.parse_args()
    serve(arguments.html, arguments.port)
