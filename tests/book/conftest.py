"""What the tests in a browser share: one Chromium and one server of the built pages for each file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gate import chromium, served

HTML = Path(__file__).parents[2] / "_build" / "html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; it ends with its file, as Playwright's event loop is in other tests' way."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the built pages."""
    if not (HTML / "book/index.html").is_file():
        pytest.fail("There is no built book in _build/html: run `make book` first.", pytrace=False)
    with served(HTML) as address:
        yield address
