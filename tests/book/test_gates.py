"""The gates of `make book` bite: scratch books with one fault each, built by the Makefile's own command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
DRAW = """
from IPython.display import SVG
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>')
"""
ALT = {"mystnb": {"image": {"alt": "A dark rectangle, twice as wide as it is high."}}}
TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: book/chapter\n"
CAPTION = "**Figure 1.1.** *A rectangle.*"


def build(folder: Path, code: str, metadata: dict, markdown: str = "", index: str = "") -> tuple[int, str]:
    """Build a book of two pages with this repository's settings; return the exit status and the log."""
    for name in (
        "Makefile",
        "_config.yml",
        "book/tools/book_rules.py",
        "book/_static",
        "book/references.bib",
    ):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    (folder / "_toc.yml").write_text(TOC)
    (folder / "book/index.md").write_text(f"# Index\n\n{index}\n")
    cells = [
        nbformat.v4.new_markdown_cell(f"# Chapter\n\n{markdown}"),
        nbformat.v4.new_code_cell(code, metadata=metadata),
        nbformat.v4.new_markdown_cell(CAPTION),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "book/chapter.ipynb")
    env = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    # -o: the environment is the one that runs this test; nothing is installed into it.
    done = subprocess.run(
        ["make", "html", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.installed"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_good_book_builds(tmp_path):
    status, log = build(tmp_path, DRAW, ALT, index="[The chapter](chapter.ipynb)")
    assert status == 0, log
    page = (tmp_path / "_build/html/book/chapter.html").read_text()
    assert 'alt="A dark rectangle, twice as wide as it is high."' in page
    assert '<p class="book-caption"><strong>Figure 1.1.</strong>' in page
    assert "https://" not in page.partition("</head>")[0]


@pytest.mark.parametrize(
    ("code", "metadata", "markdown", "message"),
    [
        pytest.param("raise RuntimeError('a failing cell')", {}, "", "a failing cell", id="failing cell"),
        pytest.param(DRAW, {}, "", "image without alt text", id="cell output without alt text"),
        pytest.param(DRAW, ALT, "[x](nowhere.ipynb)", "nowhere.ipynb", id="warning"),
        pytest.param("print(1)", {}, r"$\nonsense x$", "formula", id="formula that is not understood"),
        pytest.param(
            "import sys\nprint('careful', file=sys.stderr)", {}, "", "stderr was found", id="output on stderr"
        ),
    ],
)
def test_a_fault_fails_the_build(tmp_path, code, metadata, markdown, message):
    status, log = build(tmp_path, code, metadata, markdown)
    assert status != 0, log
    assert message in log


def test_images_of_every_kind_need_alt_text(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"/>')
    output = (
        "from IPython.display import HTML\nHTML('<b>x</b><img src=\"data:image/gif;base64,in-html-output\">')"
    )
    status, log = build(
        tmp_path, output, {}, "![](a.svg)", index='<img src="data:image/gif;base64,in-raw-html" alt="">'
    )
    assert status != 0
    for source in ("book/a.svg", "in-html-output", "in-raw-html"):
        assert any("image without alt text" in line and source in line for line in log.splitlines()), source
