"""The README shows what the records say, and opens with exactly the two commands."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_figure_is_drawn_from_the_records_as_they_are():
    figure = runpy.run_path(str(ROOT / "book/tools/readme_figure.py"))
    assert figure["FILE"].read_text() == figure["svg"](), (
        "the records or the style changed: run 'make figure'"
    )


def test_one_figure_with_alt_text_that_is_there():
    ((alt, path),) = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert len(alt) > 60
    assert (ROOT / path).is_file()


def test_two_commands():
    section = README.partition("## Two commands")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```\n(.*?)```", section, re.S)
    assert block.splitlines() == ["make book", "make test"]


def test_the_files_it_names_are_there():
    for name in re.findall(r"`([A-Z][\w-]*(?:\.\w+)?)`", README):
        if name != "LRLIB_DATA":
            assert (ROOT / name).is_file(), name
