"""`make set-repository` in a copy of the tree: every link leads to a notebook; without it there are none."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from tools import notebooks, repository

ROOT = Path(__file__).parents[2]

FILES = ("_config.yml", "_toc.yml", "README.md", "CITATION.cff", "pyproject.toml", "Makefile")
COLAB_LINK = re.compile(r"https://colab\.research\.google\.com/github/[^)\s\"]+")
ENTRY = {"cpu_seconds": 31.0, "memory_mb": 812, "gpu_runs": 2}


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the tree whose repository is not named, whatever the tree itself says."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    repository.set_repository(None, tmp_path)
    return tmp_path


def all_text(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def links(root: Path) -> dict[str, list[str]]:
    """The addresses of Colab's notebooks in README and notebooks, file by file."""
    files = ["README.md", *notebooks.listed(root)]
    return {name: COLAB_LINK.findall((root / name).read_text(encoding="utf-8")) for name in files}


def target(address: str, *, repository: str, root: Path) -> str:
    """Follow a launch link by the rule of Colab's addresses; return the file of this tree that it opens."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("https", "colab.research.google.com")
    found = re.fullmatch(r"/github/([^/]+/[^/]+)/blob/([^/]+)/(.+)", parts.path)
    assert found, address
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.M)[1]
    assert found.group(1, 2) == (repository, f"v{version}")
    assert (root / found[3]).is_file(), f"{address} opens nothing"
    assert found[3].endswith(".ipynb")
    return found[3]


# Links


def test_every_notebook_has_its_own_badge_and_every_link_leads_to_a_notebook(tree):
    repository.set_repository("ada/big-steps", tree)
    names = notebooks.listed(tree)
    assert len(names) >= 3
    found = links(tree)
    for name in names:
        head = nbformat.read(tree / name, as_version=4).cells[0].source
        assert [target(link, repository="ada/big-steps", root=tree) for link in found[name]] == [name]
        assert found[name][0] in head
        assert head.startswith("# ")
        assert head.count("[![Open in Colab](") == 1
    opened = [target(link, repository="ada/big-steps", root=tree) for link in found["README.md"]]
    assert opened == names


def test_the_repository_stands_in_settings_and_citation(tree):
    before = {name: (tree / name).read_text() for name in ("_config.yml", "CITATION.cff")}
    repository.set_repository("ada/big-steps", tree)
    settings = yaml.safe_load((tree / "_config.yml").read_text())
    assert settings["repository"]["url"] == "https://github.com/ada/big-steps"
    assert settings["repository"]["path_to_book"] == ""
    assert settings["launch_buttons"] == {"colab_url": "https://colab.research.google.com"}
    citation = yaml.safe_load((tree / "CITATION.cff").read_text())
    assert citation["repository-code"] == "https://github.com/ada/big-steps"
    for name, text in before.items():  # comments and order are left alone
        assert (tree / name).read_text().startswith(text)


def test_twice_is_once_and_another_name_replaces_the_first(tree):
    unset = all_text(tree)
    assert repository.set_repository("ada/big-steps", tree)
    first = all_text(tree)
    assert repository.set_repository("ada/big-steps", tree) == []
    assert all_text(tree) == first
    repository.set_repository("Grace-H/rates.v2", tree)
    assert not [name for name, text in all_text(tree).items() if "ada/big-steps" in text and name in FILES]
    for found in links(tree).values():
        assert found
        assert all("/github/Grace-H/rates.v2/blob/" in link for link in found)
    repository.set_repository("ada/big-steps", tree)
    assert all_text(tree) == first
    repository.set_repository(None, tree)
    assert all_text(tree) == unset


def test_until_then_there_is_no_badge_and_the_readme_says_so(tree):
    assert notebooks.repository(tree) is None
    assert not any(links(tree).values())
    for name in notebooks.listed(tree):
        text = (tree / name).read_text()
        assert "colab.research" not in text
        assert "git+https" not in text
    settings = yaml.safe_load((tree / "_config.yml").read_text())
    assert not {"repository", "launch_buttons"} & settings.keys()
    assert "make set-repository REPO=owner/name" in (tree / "README.md").read_text()
    assert "repository-code" not in yaml.safe_load((tree / "CITATION.cff").read_text())


def test_what_others_write_into_the_settings_later_stays(tree):
    repository.set_repository("ada/big-steps", tree)
    with (tree / "_config.yml").open("a") as file:
        file.write("\nonly_added: later\n")
    repository.set_repository("ada/other", tree)
    settings = yaml.safe_load((tree / "_config.yml").read_text())
    assert settings["only_added"] == "later"
    assert settings["repository"]["url"].endswith("/ada/other")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "big-steps",
        "ada/",
        "/big-steps",
        "ada/big/steps",
        "ada/big steps",
        "https://github.com/ada/big-steps",
        "ada/big-steps.git",
        "-ada/big-steps",
        "ada-/big-steps",
        "a--da/big-steps",
        "ada/..",
        "ada/$(id)",
        'ada/x"y',
        "ada/big-steps\n",
    ],
)
def test_a_malformed_name_is_refused_in_one_sentence_and_changes_nothing(tree, name):
    before = all_text(tree)
    with pytest.raises(ValueError, match="REPO must be owner/name as GitHub has it") as refusal:
        repository.set_repository(name, tree)
    assert repr(name) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert all_text(tree) == before


def test_on_the_command_line_a_refusal_is_no_traceback():
    done = subprocess.run(
        [sys.executable, "book/tools/repository.py", "nonsense"], cwd=ROOT, capture_output=True, text=True
    )
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
    page = root / "book/survey/constant.ipynb"
    notebook = nbformat.read(page, as_version=4)
    # Pages that are not there would be warnings.
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells.insert(0, nbformat.read(page, as_version=4).cells[0])
    notebook.cells[0].source = re.sub(
        r"(?<!!)\[([^]!]*)\]\([\w./]*\.ipynb\)", r"\1", notebook.cells[0].source
    )
    nbformat.write(notebook, page)
    config = (
        (root / "_config.yml").read_text().replace("execute_notebooks: force", 'execute_notebooks: "off"')
    )
    (root / "_config.yml").write_text(config)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("jupyter-book")),
            "build",
            ".",
            "-W",
            "-n",
            "--keep-going",
            "--quiet",
        ],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return root / "_build/html"


def addresses(page: Path) -> list[str]:
    return [link["href"] for link in BeautifulSoup(page.read_text(), "html.parser").find_all("a", href=True)]


def test_badge_and_launch_button_of_a_built_page_lead_to_its_notebook(tree):
    repository.set_repository("ada/big-steps", tree)
    html = build(tree)
    page = html / "book/survey/constant.html"
    soup = BeautifulSoup(page.read_text(), "html.parser")
    found = [link for link in soup.find_all("a", href=True) if "colab.research" in link["href"]]
    assert [target(link["href"], repository="ada/big-steps", root=tree) for link in found] == [
        "book/survey/constant.ipynb"
    ] * len(found)
    assert any(link.find_parent(class_="bd-article") for link in found), "no badge"
    assert any(link.find_parent(class_="dropdown-launch-buttons") for link in found), "no launch button"
    badge = soup.select_one(".bd-article img.colab-badge")
    assert badge["alt"] == "Open in Colab"
    assert (page.parent / badge["src"]).resolve() == (html / "_static/colab.svg").resolve()
    assert (html / "_static/colab.svg").is_file()
    assert not [image["src"] for image in soup.find_all("img", src=True) if urlsplit(image["src"]).netloc]
    # The first page is Markdown: Colab could not open it.
    assert not [link for link in addresses(html / "book/index.html") if "colab.research" in link]
    # The first cell is for Colab alone.
    assert "google.colab" not in soup.select_one(".bd-article").get_text()


def test_unset_the_pages_have_no_way_to_colab(tree):
    html = build(tree)
    for name in ("book/index.html", "book/survey/constant.html"):
        assert "colab.research" not in (html / name).read_text()
        assert "launch-buttons" not in (html / name).read_text()


# The first cell


def plain_python(code: str) -> ast.Module:
    """Parse a cell; a line of IPython's own counts as `pass`."""
    return ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", code, flags=re.M))


@pytest.mark.parametrize("name", [None, "ada/big-steps"])
def test_every_notebook_begins_with_the_first_cell(tree, name):
    repository.set_repository(name, tree)
    for path in notebooks.listed(tree):
        cells = nbformat.read(tree / path, as_version=4).cells
        assert [cell.id for cell in cells if cell.id == notebooks.FIRST_ID] == [notebooks.FIRST_ID]
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert code[0].id == notebooks.FIRST_ID
        assert "remove-cell" in code[0].metadata.tags  # the pages do not show it
        assert len(code[0].source.splitlines()) <= 12
        assert max(map(len, code[0].source.splitlines())) <= 72
        (branch,) = [node for node in plain_python(code[0].source).body if isinstance(node, ast.If)]
        assert ast.unparse(branch.test) == "'google.colab' in sys.modules"  # elsewhere it does nothing
        assert not branch.orelse


def test_on_colab_the_cell_says_what_is_missing_in_one_sentence(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    exec(notebooks.first_cell(repository=None, tag="v1.0"), {})
    said = capsys.readouterr().out
    assert "make set-repository" in said
    assert said.endswith(".\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", [None, "ada/big-steps"])
def test_first_cells_are_in_the_style_of_the_book(tree, name):
    repository.set_repository(name, tree)
    (tree / "ruff.toml").write_text('[lint]\nselect = ["E", "F", "I"]\nignore = ["E402", "E501"]\n')
    page = tree / "one.ipynb"
    code = notebooks.first_cell(repository=name, tag="v0.1.0")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), page)
    width = ["--config", "line-length=72"]
    for command in (["check"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *width, "--no-cache", str(page)],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


# Cards


def test_a_card_has_what_was_measured_and_keeps_what_the_author_wrote():
    line = "12 minutes to read · 15 seconds to run on a CPU · nothing to download · survey 1.1.2, figure 1.2"
    written = (
        "12 minutes to read · 35 seconds to run on a CPU · 0.9 GB of memory · "
        "nothing to download (with a GPU: 140 MB) · survey 1.1.2, figure 1.2"
    )
    assert notebooks.card(line, ENTRY) == written
    assert notebooks.card(written, ENTRY) == written
    without = notebooks.card(written, {**ENTRY, "gpu_runs": 0})
    assert without == written.replace(" (with a GPU: 140 MB)", "")
    # A time on a GPU is there once it was measured, for each card, and goes when it does.
    timed = {
        "Tesla T4": {"seconds": 61.2, "together": 1},
        "NVIDIA H100": {"seconds": 11.0, "together": 8},
    }
    both = notebooks.card(written, ENTRY, timed)
    assert both == (
        f"{written} · 2 minutes on a GPU (Tesla T4)"
        " · 15 seconds on a GPU (NVIDIA H100, 8 notebooks at a time)"
    )
    assert notebooks.card(both, ENTRY, timed) == both
    assert notebooks.card(both, ENTRY) == written


def test_a_card_gives_no_time_on_a_gpu_that_nobody_measured():
    known = notebooks.cards()
    for name in notebooks.listed():
        head = nbformat.read(ROOT / name, as_version=4).cells[0].source
        line = notebooks.CARD_LINE.search(head)[0]
        assert line.count(" on a GPU (") == len(notebooks.timed_on_gpus(name, known)), name
        assert "estimate" not in line


def test_a_measured_time_gets_onto_the_card_of_its_notebook(tree):
    name, other = notebooks.listed(tree)[:2]
    path = tree / "book/cards.json"
    known = json.loads(path.read_text())
    known["gpu"] = {"Tesla T4": {"measured": "2026-12-01", "together": 1, "seconds": {name: 58.0}}}
    path.write_text(json.dumps(known))
    notebooks.dress(tree)
    assert " · 1 minute on a GPU (Tesla T4)" in nbformat.read(tree / name, as_version=4).cells[0].source
    assert "Tesla" not in nbformat.read(tree / other, as_version=4).cells[0].source


def test_measuring_runs_the_notebook_and_counts_what_a_gpu_would_do(tmp_path):
    code = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A chapter"),
            code("assert 1", id=notebooks.FIRST_ID),
            code("from lrlib import plots, preset, Constant", metadata={"tags": ["figure"]}),
            code(
                "from lrbook.colab import live, train_or_resume\n"
                "config = live('linear', epochs=3, runs=2)\n"
                "for seed in (0, 1):\n"
                "    run = train_or_resume(config.changed(seed=seed, train_images=640))\n"
                "    assert len(run.epochs) == 3"
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, tmp_path / "page.ipynb")
    # In a process of its own: what talks to a kernel leaves sockets to the garbage collector.
    program = (
        "import sys, json, nbformat; from tools import cards\n"
        "print(json.dumps(cards.measure(nbformat.read(sys.argv[1], as_version=4))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "page.ipynb"],
        cwd=ROOT / "book",
        env=os.environ | {"LRLIB_PROGRESS": "off"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    entry = json.loads(done.stdout)
    assert entry["gpu_runs"] == 2
    assert 0 < entry["first_figure_seconds"] < entry["first_curve_seconds"] <= entry["cpu_seconds"]
    assert entry["memory_mb"] > 100  # torch alone


# This tree


@pytest.mark.parametrize("name", notebooks.listed())
def test_badge_first_cell_and_card_of_this_tree_are_as_they_have_to_be(name):
    known = notebooks.cards()["notebooks"]
    assert name in known, f"{name} has not been measured: run `make cards`"
    text = (ROOT / name).read_text(encoding="utf-8")
    wanted = nbformat.writes(notebooks.dressed(nbformat.reads(text, as_version=4), name)) + "\n"
    assert text == wanted, f"{name}: run `make first-cells`"


def test_the_readme_of_this_tree_says_where_it_is():
    readme = (ROOT / "README.md").read_text()
    assert repository._readme(readme, notebooks.repository(), ROOT) == readme, "run `make set-repository`"
