"""`make serve`: the pages on a port, and one sentence where that cannot be."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tools import serve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "index.html").write_text("the first page")
    return tmp_path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_the_pages_are_served(pages):
    number = free_port()
    threading.Thread(target=serve.serve, args=(pages, number), daemon=True).start()
    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{number}/", timeout=5) as answer:
                assert answer.read() == b"the first page"
            return
        except OSError:
            threading.Event().wait(0.1)
    raise AssertionError("no answer")


def test_a_port_in_use_is_one_sentence_with_another_port(pages):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(SystemExit) as stop:
            serve.serve(pages, number)
    assert str(stop.value) == (
        f"Port {number} is in use by another program: try make serve PORT={serve.other(number)}"
    )


def test_without_a_book_it_says_so(tmp_path):
    with pytest.raises(SystemExit, match="There is no built book yet"):
        serve.serve(tmp_path, free_port())


@pytest.mark.parametrize("text", ["80", "70000", "abc", "", "-1", "8000.5"])
def test_a_number_that_is_no_port_is_refused(text):
    done = subprocess.run(
        [sys.executable, "-m", "tools.serve", f"--port={text}"],
        cwd=ROOT / "book",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "a port is a whole number from 1024 to 65535" in done.stderr.splitlines()[-1]
