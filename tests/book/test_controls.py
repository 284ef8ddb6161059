"""The buttons of a built page, pressed in a real browser, on a phone's width and on a desktop's."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from html import unescape
from pathlib import Path

import pytest

from tools.teach.handout import BROWSERS

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
HARNESS = Path(__file__).with_name("controls.html")


class Handler(http.server.SimpleHTTPRequestHandler):
    """The built book, and beside it the page that presses the buttons: of one origin, so that it may."""

    def translate_path(self, path: str) -> str:
        if path.startswith("/controls.html"):
            return str(HARNESS)
        return super().translate_path(path)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(HTML))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def pressed(address: str, page: str, width: int, folder: Path) -> dict:
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        assert not os.environ.get("CI"), "CI has to have a browser: .ci/run installs one"
        pytest.skip("no Chromium here, so nothing is pressed")
    options = [
        "--headless",
        "--disable-gpu",
        "--no-sandbox",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder}",
        "--window-size=1400,900",
        "--virtual-time-budget=15000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [browser, *options, f"{address}/controls.html?page=/{page}&width={width}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    (found,) = re.findall(r'data-found="([^"]*)"', done.stdout) or [None]
    assert found, done.stderr[-500:]
    report = json.loads(unescape(found))
    assert "error" not in report, report
    return report


@pytest.mark.parametrize("page", ["book/survey/drop_based.html", "book/index.html"])
def test_on_a_phone_the_buttons_open_the_contents(page, address, tmp_path):
    found = pressed(address, page, 375, tmp_path)
    assert found["before"]["contents"] == 0  # the page has the whole width
    assert found["primary"]["pressed"]
    assert found["primary"]["contents"] >= 5  # chapters that a finger can reach
    assert found["primary"]["focusBack"]  # closed again, the keyboard is where it was
    assert found["again"]["contents"] == 0


def test_on_a_phone_the_other_button_opens_what_is_on_this_page(address, tmp_path):
    found = pressed(address, "book/survey/drop_based.html", 375, tmp_path)
    assert found["before"]["onThisPage"] == 0
    assert found["secondary"]["pressed"]
    assert found["secondary"]["onThisPage"] >= 3


def test_on_a_desktop_the_button_folds_the_contents_away_and_back(address, tmp_path):
    found = pressed(address, "book/survey/drop_based.html", 1280, tmp_path)
    assert found["before"]["contents"] >= 5
    assert found["primary"]["pressed"]
    assert found["primary"]["contents"] == 0
    assert found["again"]["contents"] >= 5
