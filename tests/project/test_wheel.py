"""What a reader on Colab has: lrlib from its wheel in an empty folder, over Colab's versions of all else.

Here one notebook runs, over the packages of this environment. `make test-wheel` runs all of them, over the
versions of the newest tests/helpers/colab-packages-*.txt (see wheel.py).
"""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from bare import ROOT, Bare, build_wheel
from colab_packages import COLAB, LIST, PROJECT, needed
from tools import notebooks

EVERY = notebooks.listed()
FULL = os.environ.get("LRLIB_WHEEL") == "all"
SOME = EVERY if FULL else EVERY[:1]
BASE = os.environ.get("LRLIB_WHEEL_PYTHON", sys.executable)

# Colab's kernel has loaded this module before the first cell.
FAKE_COLAB = """
import sys, types
sys.modules |= {name: types.ModuleType(name) for name in ("google", "google.colab")}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory, wheel) -> Bare:
    environment = Bare(tmp_path_factory.mktemp("bare") / "env", base=BASE)
    environment.install(wheel)
    return environment


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / name, as_version=4)


def outputs(notebook: nbformat.NotebookNode, cell: int) -> str:
    """The text that a cell wrote to its standard output."""
    return "".join(output.get("text", "") for output in notebook.cells[cell].outputs)


# The wheel


def test_the_wheel_has_library_book_code_and_records_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "lrlib").rglob("*.py")}
    wanted |= {
        path.relative_to(ROOT / "book").as_posix()
        for ending in ("py", "js", "css", "html", "json")  # the explorer; what six frameworks gave
        for path in (ROOT / "book/lrbook").rglob(f"*.{ending}")
    }
    wanted |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "lrlib/recorded").rglob("*.json")}
    assert {name for name in names if ".dist-info/" not in name} == wanted


def test_the_checkout_cannot_be_imported(bare, tmp_path):
    program = """
import importlib.util, lrlib
assert importlib.util.find_spec("conftest") is None
assert importlib.util.find_spec("book") is None
print(lrlib.__file__)
"""
    assert Path(bare.run(program, tmp_path).strip()) == bare.site / "lrlib/__init__.py"
    assert bare.versions(tmp_path)["lrlib"] == PROJECT["version"]


@pytest.mark.parametrize("name", SOME)
def test_a_notebook_runs_in_an_empty_folder(bare, tmp_path, name):
    folder = tmp_path / "empty"
    folder.mkdir()
    ran = bare.run_notebook(read(name), folder)
    drawn = [cell for cell in ran.cells if "figure" in cell.metadata.get("tags", [])]
    shown = [{kind for output in cell.outputs for kind in output.get("data", {})} for cell in drawn]
    assert all(shown), "a figure's cell shows nothing"  # one whose record is missing says so in words
    pages = "".join(
        output.data.get("text/html", "") for cell in drawn for output in cell.outputs if "data" in output
    )
    assert "<svg" in pages or any(kinds & {"image/svg+xml", "image/png"} for kinds in shown), "no figure"
    left = [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert left == [], "it leaves more behind than records"


def test_off_colab_the_first_cell_shows_nothing(bare, tmp_path):
    for repository in (None, "ada/big-steps"):
        code = notebooks.first_cell(repository=repository, tag="v0.1.0")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        assert bare.run_notebook(notebook, tmp_path).cells[0].outputs == []


# The audit's first figure is what eight loops of torch applied.
@pytest.mark.parametrize("name", [name for name in EVERY if name != "book/beyond/audit.ipynb"])
def test_the_first_figure_loads_no_torch(tmp_path, name):
    code = [cell for cell in read(name).cells if cell.cell_type == "code"]
    figures = [i for i, cell in enumerate(code) if "figure" in cell.metadata.get("tags", [])]
    assert figures, "no figure"
    first = figures[0]
    program = "\n".join(cell.source for cell in code[: first + 1])
    program += "\nimport sys\nassert 'matplotlib' in sys.modules\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=os.environ | path_to_here(), check=True)


def path_to_here() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


# On Colab


@pytest.fixture
def on_colab(tmp_path, monkeypatch) -> tuple[Bare, Path]:
    """An environment that believes to be Colab's, without lrlib, and an empty folder.

    GitHub is a repository beside it: git takes the one address for the other. pip may ask no index.
    """
    github = tmp_path / "github/ada/big-steps"
    for package in ("lrlib", "book/lrbook"):
        shutil.copytree(ROOT / package, github / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / file, github / file)
    git = ["git", "-C", str(github), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-q", "-m", "A version"],
        ["tag", notebooks.tag()],
    ):
        subprocess.run([*git, *words], check=True)
    environment = Bare(tmp_path / "env")
    # A path file, and no sitecustomize: Debian's Python has one of its own, which comes first.
    (environment.site / "fake_colab.py").write_text(FAKE_COLAB)
    (environment.site / "fake_colab.pth").write_text("import fake_colab\n")
    environment.env |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{(tmp_path / 'github').as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's word for "do not isolate" is the wrong way round
        "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
    }
    # Whatever this machine has, the reader of this test has no GPU.
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    empty = tmp_path / "empty"
    empty.mkdir()
    return environment, empty


@pytest.mark.parametrize("name", SOME[:1])
def test_on_colab_the_first_cell_installs_lrlib_and_changes_nothing_else(on_colab, tmp_path, name):
    environment, empty = on_colab
    before = environment.versions(empty)
    # The packages beside may tell of an editable lrlib; it cannot be imported.
    assert environment.run("import importlib.util as u; print(u.find_spec('lrlib'))", empty).strip() == "None"
    code = notebooks.first_cell(repository="ada/big-steps", tag=notebooks.tag())
    page = read(name)
    cells = [cell for cell in page.cells if cell.id != notebooks.FIRST_ID]
    first_figure = next(i for i, cell in enumerate(cells) if "figure" in cell.metadata.get("tags", []))
    last = nbformat.v4.new_code_cell("import lrlib; print(lrlib.__file__)")
    first = nbformat.v4.new_code_cell(code)
    page.cells = [cells[0], first, *cells[1 : first_figure + 1], last]
    page = environment.run_notebook(page, empty)
    assert Path(outputs(page, -1).strip()) == environment.site / "lrlib/__init__.py"
    said = outputs(page, 1)
    assert "No GPU today; normal on the free tier." in said
    after = environment.versions(empty)
    assert after["lrlib"] == PROJECT["version"]
    assert {**after, "lrlib": None} == {**before, "lrlib": None}
    # Run again, it finds lrlib and installs nothing.
    environment.env["PATH"] = str(tmp_path)  # no git
    again = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    assert outputs(environment.run_notebook(again, empty), 0).startswith("No GPU today")


# Colab's versions


@pytest.mark.parametrize("requirement", needed(), ids=str)
def test_the_ranges_accept_what_colab_has(requirement):
    version = COLAB[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"Colab has {requirement.name} {version}"


def test_the_list_says_where_it_comes_from():
    text = LIST.read_text()
    assert re.search(r"commit [0-9a-f]{7,} of \d+ \w+ 20\d\d", text)
    (python,) = re.findall(r"^# Python ([\d.]+)$", text, re.M)
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert len(COLAB) > 50


def imported(source: str) -> Iterator[str]:
    python = TransformerManager().transform_cell(source)  # IPython's own lines become calls
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


distributions = functools.cache(packages_distributions)


def strangers(source: str) -> set[str]:
    """The imports of a file that are neither Python's, nor lrlib's, nor on the list."""
    homes, found = distributions(), set()
    for name in imported(source):
        package = name.partition(".")[0]
        if package in {*sys.stdlib_module_names, "lrlib", "lrbook"} or name.startswith("google.colab"):
            continue
        if not any(canonicalize_name(home) in COLAB for home in homes.get(package, [])):
            found.add(name)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_every_import_of_a_notebook_is_on_colab(name):
    code = [cell.source for cell in read(name).cells if cell.cell_type == "code"]
    assert set().union(*map(strangers, code)) == set()


def test_every_import_of_lrlib_is_on_colab():
    """But for the packages of the engines: each is looked for before the module that imports it is."""
    files = [path for package in ("lrlib", "book/lrbook") for path in (ROOT / package).rglob("*.py")]
    found = {(path.stem, name.partition(".")[0]) for path in files for name in strangers(path.read_text())}
    assert found <= {("ray", "ray"), ("ray_cluster", "ray"), ("slurm", "submitit")}


def test_the_rule_for_imports_bites():
    assert strangers("import keras\nfrom sphinx.application import Sphinx\nimport os, numpy, torch.nn") == {
        "keras",
        "sphinx.application",
    }
    assert strangers("from sklearn.datasets import load_digits\nfrom PIL import Image") == set()
