"""The built pages in a real browser: what a reader could stumble over, as a list of sentences."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tools.teach.handout import BROWSERS

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

COLORS = ("color-contrast", "link-in-text-block")  # what depends on the scheme

LOOK = """() => {
  const faults = [], root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) {
    const wide = [...document.querySelectorAll("article *")].filter((tag) => {
      if (tag.getBoundingClientRect().right <= root.clientWidth + 1) return false;
      for (let box = tag.parentElement; box; box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible") return false;
      return true;
    });
    const widths = `${root.scrollWidth} of ${root.clientWidth} px`;
    faults.push(`scrolls sideways (${widths}): ${wide.at(-1)?.outerHTML.slice(0, 120)}`);
  }
  const said = new Map();
  for (const figure of document.querySelectorAll("main img, main [role=img]")) {
    const text = (figure.getAttribute("alt") ?? figure.getAttribute("aria-label") ?? "").trim();
    if (!text) faults.push(`a figure without a text: ${figure.outerHTML.slice(0, 120)}`);
    const picture = figure.currentSrc || figure;
    if (said.has(text) && said.get(text) !== picture) faults.push(`two figures have one text: ${text}`);
    said.set(text, picture);
  }
  for (const formula of document.querySelectorAll("main .math")) {
    const math = formula.querySelector("math");
    if (!math || (formula.checkVisibility() && math.getBoundingClientRect().width < 2))
      faults.push(`a formula that is not set: ${formula.textContent.slice(0, 80)}`);
  }
  return faults;
}"""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; the value is its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # one connection for all files of a page

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the machine's own Chromium; without one, skip, or fail where CI runs."""
    path = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if path is None:
        assert not os.environ.get("CI"), "CI has to have a browser: .ci/run installs one"
        pytest.skip("no Chromium here, so no page is looked at")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page in a window of its own, and what it asked for and complained about.

    Attributes
    ----------
    page : Page
    faults : list of str
        Errors and warnings of the console, requests that failed or went to another host.
    weight : int
        Bytes of everything that was loaded, as files and not compressed.
    """

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        dark: bool = False,
        width: int = 1280,
        height: int = 900,
        **options: object,
    ) -> None:
        self.faults: list[str] = []
        self.weight = 0
        host = "/".join(address.split("/")[:3])
        self.context = browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            **{
                "permissions": ["clipboard-read", "clipboard-write"],
                "reduced_motion": "reduce",
                **options,
            },
        )
        self.page = self.context.new_page()

        def asked(request) -> None:
            if not request.url.startswith((host, "data:", "blob:", "about:")):
                self.faults.append(f"a request to another host: {request.url}")

        def answered(response) -> None:
            if response.status >= 400:
                self.faults.append(f"a request that failed: {response.url} ({response.status})")
            self.weight += int(response.headers.get("content-length", 0))

        self.page.on("request", asked)
        self.page.on("response", answered)
        self.page.on("pageerror", lambda error: self.faults.append(f"an error of a script: {error}"))
        self.page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning") and self.faults.append(f"the console: {said.text}")
            ),
        )
        self.page.goto(address, wait_until="load")

    def look(self, *, axe: bool = True, most: int | None = None) -> list[str]:
        """Return what is wrong with the page as it stands; ``most`` is the budget of its weight."""
        faults = [*self.faults, *self.page.evaluate(LOOK)]
        if most is not None and self.weight > most:
            faults.append(f"too heavy: {self.weight / 1000:.0f} kB, at most {most / 1000:.0f}")
        return [*faults, *self.axe()] if axe else faults

    def axe(
        self, within: str | dict = "html", *, only: Sequence[str] = (), also: Sequence[str] = ()
    ) -> list[str]:
        """Return what axe finds in a part of the page (its context), by its usual rules or by some."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
            # A drawing is one picture with a text; its thousands of hidden parts take axe ten seconds a page.
            drawings = "document.querySelectorAll('svg[aria-hidden=true]')"
            self.page.evaluate(f"{drawings}.forEach((drawing) => drawing.replaceChildren())")
        options = {"resultTypes": ["violations"], "preload": False}
        options |= {"runOnly": list(only)} if only else {"rules": {rule: {"enabled": True} for rule in also}}
        said = self.page.evaluate("([where, how]) => axe.run(where, how)", [within, options])
        return [f"axe: {found['id']} at {found['nodes'][0]['html'][:120]}" for found in said["violations"]]

    def in_the_other_scheme(self, *, dark: bool) -> list[str]:
        """Return what is wrong once the page is dark, or light, where only colors are new to axe.

        The text is left to another width: it is the same in both, and its contrasts take most of axe's time.
        So two visits, one light and wide, one dark and narrow, look at all parts in both schemes.
        """
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        around = {"include": ["html"], "exclude": ["article"]}
        return [*self.look(axe=False), *self.axe(around, only=COLORS)]

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()
