"""What the student does; run.py starts it with the Python that has Playwright."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Locator, Page, expect, sync_playwright

# Chromium looks for nothing outside this machine.
QUIET = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
QUIET += " --disable-sync --disable-quic"
MINUTES = 60_000  # Playwright counts in milliseconds


def run_all(page: Page) -> None:
    """Run the notebook from the menu, and wait until no cell is waiting or running."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        """() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
            return prompts.length > 3 && prompts.every(p => /\\[\\d+\\]/.test(p.innerText));
        }""",
        timeout=10 * MINUTES,
    )


def cell_with(page: Page, text: str) -> Locator:
    """Return the one code cell whose source has this text."""
    cell = page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=text))
    expect(cell).to_have_count(1)
    return cell


def answer(page: Page, cell: Locator, code: str) -> str:
    """Put code into a cell, run it, and return what it shows."""
    number = cell.locator(".jp-InputPrompt").first.inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")
    ran = re.compile(r"\[\d+\]")
    prompt = cell.locator(".jp-InputPrompt").first
    expect(prompt).not_to_have_text(number, timeout=MINUTES)
    expect(prompt).to_have_text(ran, timeout=MINUTES)
    return " ".join(cell.locator(".jp-OutputArea-output").last.inner_text().split())


def main(chromium: str, address: str, pictures: Path) -> None:
    """Walk the path; an assertion that fails ends it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET.split())
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        start = perf_counter()
        page.goto(address)
        expect(page.locator(".jp-MarkdownCell h1").first).to_be_visible(timeout=2 * MINUTES)
        expect(page.locator(".jp-CodeCell").first).to_be_visible()
        page.screenshot(path=pictures / "1-opened.png")
        title = page.locator(".jp-MarkdownCell h1").first.inner_text()
        print(f"opened: {title!r}, {perf_counter() - start:.0f} s")

        start = perf_counter()
        run_all(page)
        figures = page.locator(".jp-OutputArea img, .jp-OutputArea svg").count()
        errors = page.locator('.jp-OutputArea [data-mime-type="application/vnd.jupyter.error"]').count()
        page.screenshot(path=pictures / "2-ran.png")
        print(f"ran all cells: {figures} figures, {errors} errors, {perf_counter() - start:.0f} s")
        assert figures >= 3, "figures are missing"
        assert errors == 0, "a cell failed"

        cell = cell_with(page, 'check("edge"')
        cell.scroll_into_view_if_needed()
        asked = cell.locator(".cm-content").inner_text()
        said = answer(page, cell, asked.replace("None", "8"))  # 2 * 4, and not 2 / 4
        page.screenshot(path=pictures / "3-wrong.png")
        print(f"answered 8: {said}")
        assert said.startswith("Not yet:"), said
        assert "upside down" in said, said

        said = answer(page, cell, asked.replace("None", "2 / 4"))
        page.screenshot(path=pictures / "4-right.png")
        print(f"answered 2 / 4: {said}")
        assert said.startswith("Right:"), said
        browser.close()
    print("A student's path: passed.")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
