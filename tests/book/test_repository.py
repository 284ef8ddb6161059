"""`make set-repository` in a copy of the tree: every link leads to a notebook; without it there are none."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import notebooks
from tools.repository import set_repository

ROOT = Path(__file__).parents[2]

FILES = ("_config.yml", "_toc.yml", "README.md", "CITATION.cff", "pyproject.toml", "Makefile")
ADA = "ada/big-steps"


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the tree whose repository is not named, whatever the tree itself says."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    set_repository(None, tmp_path)
    return tmp_path


def all_text(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path): path.read_text(encoding="utf-8", errors="replace") for path in files
    }  # fonts among them


def opened(text: str, *, repository: str, root: Path) -> list[str]:
    """Return the files of this tree that the links to Colab in a text open, by the rule of its addresses."""
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    links = re.findall(r"https://colab\.research\.google\.com/github/[^)\s\"]+", text)
    start = f"https://colab.research.google.com/github/{repository}/blob/v{version}/"
    assert all(link.startswith(start) for link in links), links
    names = [link.removeprefix(start) for link in links]
    assert all((root / name).is_file() and name.endswith(".ipynb") for name in names), names
    return names


def settings(root: Path) -> dict:
    return yaml.safe_load((root / "_config.yml").read_text())


# The name in the files


def test_every_notebook_has_its_own_badge_and_every_link_leads_to_a_notebook(tree):
    set_repository(ADA, tree)
    names = notebooks.listed(tree)
    assert len(names) >= 3
    for name in names:
        assert opened((tree / name).read_text(), repository=ADA, root=tree) == [name]
        head = nbformat.read(tree / name, as_version=4).cells[0].source
        assert head.startswith("# ")
        assert head.count("[![Open in Colab](") == 1
        assert opened(head, repository=ADA, root=tree) == [name]
    assert opened((tree / "README.md").read_text(), repository=ADA, root=tree) == names


def test_the_repository_stands_in_settings_and_citation_and_all_else_stays(tree):
    with (tree / "_config.yml").open("a") as file:
        file.write("\nonly_added: later\n")
    before = [(tree / name).read_text().splitlines() for name in ("_config.yml", "CITATION.cff")]
    set_repository(ADA, tree)
    assert settings(tree)["repository"]["url"] == "https://github.com/ada/big-steps"
    assert settings(tree)["repository"]["path_to_book"] == ""
    assert settings(tree)["launch_buttons"] == {"colab_url": "https://colab.research.google.com"}
    assert settings(tree)["only_added"] == "later"
    citation = yaml.safe_load((tree / "CITATION.cff").read_text())
    assert citation["repository-code"] == "https://github.com/ada/big-steps"
    for name, lines in zip(("_config.yml", "CITATION.cff"), before, strict=True):
        after = (tree / name).read_text().splitlines()
        (place,) = [i for i, line in enumerate(lines) if line.startswith("# repository")]
        added = len(after) - len(lines)
        assert after[: place + 1] + after[place + 1 + added :] == lines


def test_twice_is_once_and_another_name_replaces_the_first(tree):
    unset = all_text(tree)
    assert set_repository(ADA, tree)
    first = all_text(tree)
    assert set_repository(ADA, tree) == []
    assert all_text(tree) == first
    other = "Grace-H/rates.v2"
    set_repository(other, tree)
    for name in ("README.md", *notebooks.listed(tree)):
        assert opened((tree / name).read_text(), repository=other, root=tree)
    assert not [name for name in FILES if ADA in (tree / name).read_text()]
    set_repository(ADA, tree)
    assert all_text(tree) == first
    set_repository(None, tree)
    assert all_text(tree) == unset


def test_until_then_there_is_no_badge_and_the_readme_says_so(tree):
    assert notebooks.repository(tree) is None
    for name in ("README.md", *notebooks.listed(tree)):
        text = (tree / name).read_text()
        assert "colab.research" not in text
        assert "git+https" not in text
    assert not {"repository", "launch_buttons"} & settings(tree).keys()
    assert "make set-repository REPO=owner/name" in (tree / "README.md").read_text()
    assert "repository-code" not in yaml.safe_load((tree / "CITATION.cff").read_text())


def test_this_tree_is_as_it_was_written(tree):
    set_repository(notebooks.repository(), tree)
    for name in ("README.md", "_config.yml", "CITATION.cff"):
        assert (tree / name).read_text() == (ROOT / name).read_text(), "run `make set-repository`"


@pytest.mark.parametrize(
    "name",
    [
        *("", "big-steps", "ada/", "/big-steps", "ada/big/steps", "ada/big steps", "ada/big-steps\n"),
        *("https://github.com/ada/big-steps", "ada/big-steps.git", "-ada/big-steps", "ada-/big-steps"),
        *("a--da/big-steps", "ada/..", "ada/$(id)", 'ada/x"y'),
    ],
)
def test_a_malformed_name_is_refused_in_one_sentence_and_changes_nothing(tree, name):
    before = all_text(tree)
    with pytest.raises(ValueError, match="REPO must be owner/name as GitHub has it") as refusal:
        set_repository(name, tree)
    assert repr(name) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert all_text(tree) == before


def test_on_the_command_line_a_refusal_is_no_traceback():
    command = [sys.executable, "book/tools/repository.py", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "REPO must be owner/name as GitHub has it, for example REPO=ada/big-steps, got 'nonsense'\n"
    )


# The built pages


def build(root: Path) -> Path:
    """Build a small book of the copy, its first page and one notebook, without running them."""
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n  - file: book/survey/constant\n"
    )
    index = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# Index\n"
    (root / "book/index.md").write_text(index)
    notebook = nbformat.read(root / "book/survey/constant.ipynb", as_version=4)
    # Its other texts have links to pages that are not in this book, which would be warnings.
    head, *rest = notebook.cells
    head.source = re.sub(r"(?<!!)\[([^]!]*)\]\([\w./]*\.ipynb\)", r"\1", head.source)
    notebook.cells = [head, *(cell for cell in rest if cell.cell_type == "code")]
    nbformat.write(notebook, root / "book/survey/constant.ipynb")
    config = (root / "_config.yml").read_text()
    (root / "_config.yml").write_text(config.replace("execute_notebooks: force", 'execute_notebooks: "off"'))
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"]
    done = subprocess.run([*command, "--quiet"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "_build/html"


def test_badge_and_launch_button_of_a_built_page_lead_to_its_notebook(tree):
    set_repository(ADA, tree)
    html = build(tree)
    page = html / "book/survey/constant.html"
    soup = BeautifulSoup(page.read_text(), "html.parser")
    links = [link for link in soup.find_all("a", href=True) if "colab.research" in link["href"]]
    for link in links:
        assert opened(link["href"], repository=ADA, root=tree) == ["book/survey/constant.ipynb"]
    assert any(link.find_parent(class_="bd-article") for link in links), "no badge"
    assert any(link.find_parent(class_="dropdown-launch-buttons") for link in links), "no launch button"
    badge = soup.select_one(".bd-article img.colab-badge")
    assert badge["alt"] == "Open in Colab"
    assert (page.parent / badge["src"]).resolve() == (html / "_static/colab.svg").resolve()
    assert (html / "_static/colab.svg").is_file()
    assert not [image["src"] for image in soup.find_all("img", src=True) if "//" in image["src"]]
    # The first page is Markdown, which Colab could not open.
    assert "colab.research.google.com/github" not in (html / "book/index.html").read_text()
    # The first cell is for Colab alone.
    assert "google.colab" not in soup.select_one(".bd-article").get_text()


def test_unset_the_pages_have_no_way_to_colab(tree):
    html = build(tree)
    for name in ("book/index.html", "book/survey/constant.html"):
        assert "colab.research" not in (html / name).read_text()
        assert "launch-buttons" not in (html / name).read_text()


# The first cell


@pytest.mark.parametrize("name", [None, ADA])
def test_every_notebook_begins_with_the_first_cell(tree, name):
    set_repository(name, tree)
    for path in notebooks.listed(tree):
        cells = nbformat.read(tree / path, as_version=4).cells
        (first, *others) = [cell for cell in cells if cell.cell_type == "code"]
        assert first.id == notebooks.FIRST_ID
        assert notebooks.FIRST_ID not in [cell.id for cell in others]
        assert "remove-cell" in first.metadata.tags  # the pages do not show it
        assert len(first.source.splitlines()) <= 12
        assert max(map(len, first.source.splitlines())) <= 72
        python = re.sub(r"^(\s*)%.*$", r"\1pass", first.source, flags=re.M)  # without IPython's own lines
        (branch,) = [node for node in ast.parse(python).body if isinstance(node, ast.If)]
        assert ast.unparse(branch.test) == "'google.colab' in sys.modules"  # elsewhere it does nothing
        assert not branch.orelse


def test_on_colab_the_cell_says_what_is_missing_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    exec(notebooks.first_cell(repository=None, tag="v1.0"), {})
    said = capsys.readouterr().out
    assert "make set-repository" in said
    assert said.endswith(".\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", [None, ADA])
def test_first_cells_are_in_the_style_of_the_book(tmp_path, name):
    (tmp_path / "ruff.toml").write_text('[lint]\nselect = ["E", "F", "I"]\nignore = ["E402", "E501"]\n')
    code = nbformat.v4.new_code_cell(notebooks.first_cell(repository=name, tag="v0.1.0"))
    nbformat.write(nbformat.v4.new_notebook(cells=[code]), tmp_path / "one.ipynb")
    for words in (["check"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", "line-length=72", "--no-cache"]
        done = subprocess.run([*command, tmp_path / "one.ipynb"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
