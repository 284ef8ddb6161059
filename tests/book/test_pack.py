"""The pack as `make teach` has built it: `make test` builds it, with SEED=1, before this file."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
PACK = ROOT / "_build" / "teach"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not (PACK / "offline.zip").is_file():
        pytest.fail("There is no teacher's pack in _build/teach: run `make teach` first.", pytrace=False)


def notebooks(folder: str) -> dict[str, nbformat.NotebookNode]:
    paths = sorted((PACK / folder).rglob("*.ipynb"))
    return {path.relative_to(PACK / folder).as_posix(): nbformat.read(path, as_version=4) for path in paths}


def test_two_sets_of_the_same_notebooks():
    student, teacher = notebooks("student"), notebooks("teacher")
    assert student.keys() == teacher.keys()
    assert "teach/class_study.ipynb" in student
    texts = [
        "\n".join(cell.source for cell in made["survey/linear.ipynb"].cells) for made in (student, teacher)
    ]
    assert texts[0] != texts[1]
    (seed,) = re.findall(
        r"^# Exit question, seed (\d+)$", (PACK / "teacher/exit_question.md").read_text(), re.M
    )
    assert (f"seed={seed})" in texts[0]) == (seed != "0")


def test_the_slides_hold_pictures_and_formulas():
    page = BeautifulSoup((PACK / "slides.html").read_text(encoding="utf-8"), "html.parser")
    pictures = page.select("section.figure img")
    drawn = page.select("section.figure div.figure[role=img]")  # figures in two widths: the wide form
    empty = [slide for slide in page.select("section.figure") if not slide.select_one("img, div.figure svg")]
    assert all("recorded yet" in slide.select_one(".body").text for slide in empty)
    for picture in pictures:
        assert picture["src"].startswith("data:image/")
        assert len(picture["src"]) > 5_000
        assert picture["alt"].endswith(".")
    assert drawn
    for picture in drawn:
        assert picture["aria-label"].endswith(".")
        assert len(picture.find_all("svg")) == 1
        assert picture.svg.find("path")
    chapters = [name for name in notebooks("student") if not name.startswith("teach/")]
    assert len(page.select("section.title")) == len(chapters)


def pages_of(pdf: Path) -> int:
    if not pdf.is_file():
        assert not any(map(shutil.which, ("chromium", "google-chrome"))), "there is a browser, and no PDF"
        pytest.skip("no Chromium here, so no PDF")
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf.read_bytes()))


def test_the_handout_has_two_pages():
    assert pages_of(PACK / "handout.pdf") == 2


def test_the_lesson_has_a_page_for_each_slide_and_the_exit_question_of_the_seed():
    page = BeautifulSoup((PACK / "lesson.html").read_text(encoding="utf-8"), "html.parser")
    slides = page.select("section.slide")
    assert all(slide.select_one(".notes") for slide in slides)
    question = (PACK / "teacher/exit_question.md").read_text(encoding="utf-8")
    (updates,) = re.findall(r"epochs of (\d+) updates", question)
    assert f"epochs of {updates} updates" in slides[-1].get_text()
    assert pages_of(PACK / "lesson.pdf") == len(slides)


def test_the_zip_holds_the_wheel_and_no_teachers_file():
    with zipfile.ZipFile(PACK / "offline.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        (wheel,) = [name for name in names if name.endswith(".whl")]
        readme = archive.read("README.txt").decode()
        with archive.open(wheel) as file, zipfile.ZipFile(file) as inside:
            packed = inside.namelist()
    assert wheel in readme
    # the book's own pages are public, its page for teachers too; answers are in none of the other files
    others = [name for name in names if not name.startswith("pages/")]
    assert {"lesson.html", "slides.html", "handout.html"} <= set(others)
    assert not [name for name in others if "teacher" in name or "exit_question" in name]
    assert {"lrlib/__init__.py", "lrbook/classroom/merge.py"} <= set(packed)
    assert any(name.startswith("lrlib/recorded/") for name in packed)
    assert [name.removeprefix("notebooks/") for name in names if name.startswith("notebooks/")] == sorted(
        notebooks("student")
    )
