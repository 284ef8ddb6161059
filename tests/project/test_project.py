"""The project's files agree with one another: pins, versions, licences, documentation, sizes."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HOMES = (ROOT, ROOT / "book")  # where lrlib and lrbook lie
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: File -> dotted name of every module of both packages.
MODULES = {
    path: ".".join(path.relative_to(home).with_suffix("").parts).removesuffix(".__init__")
    for home, package in zip(HOMES, ("lrlib", "lrbook"), strict=True)
    for path in sorted((home / package).rglob("*.py"))
}
PUBLIC = [name for path, name in MODULES.items() if "__all__ =" in path.read_text() and name != "lrlib.cli"]

MOST_CODE = 300  # what fits a reader's head, 250 as a rule; docstrings are for looking up and do not count
MOST_LINES = 450
MOST_OF_A_FINDING, MOST_OF_A_CHAPTER = 120, 900


def requirements(lines: list[str]) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


CONSTRAINTS = requirements((ROOT / "constraints.txt").read_text().splitlines())
DIRECT = requirements([*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)])


def pin(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", requirement
    return specifier.version


def pinned(name: str, machine: str, system: str = "linux") -> list[str]:
    """The versions that constraints.txt names for a package on one kind of machine."""
    environment = {**default_environment(), "platform_machine": machine, "sys_platform": system}
    return [
        pin(requirement)
        for requirement in CONSTRAINTS.get(name, [])
        if requirement.marker is None or requirement.marker.evaluate(environment)
    ]


def test_seven_extras_and_a_small_core():
    assert set(EXTRAS) == {"train", "book", "test", "source-check", "rosetta", "ray", "slurm"}
    core = requirements(PROJECT["dependencies"])
    assert not core.keys() & {"torch", "torchvision", "matplotlib", "jupyter-book"}
    assert len(core) <= 5


def test_requirements_are_ranges():
    # A wheel that pins torch would make Colab install another one.
    for name, found in DIRECT.items():
        for requirement in found:
            operators = {specifier.operator for specifier in requirement.specifier}
            assert operators in ({">="}, {">=", "<"}), name


def test_jupyter_book_stays_below_2():
    (requirement,) = DIRECT["jupyter-book"]
    assert not requirement.specifier.contains("2.0.0")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", sorted(DIRECT))
def test_constraints_cover_every_direct_requirement(name, machine):
    (version,) = pinned(name, machine)
    for requirement in DIRECT[name]:
        assert requirement.specifier.contains(version), f"{name} {version} is outside of {requirement}"


def test_constraints_name_each_package_once_for_each_machine():
    for name in CONSTRAINTS:
        for machine, system in [
            ("x86_64", "linux"),
            ("aarch64", "linux"),
            ("arm64", "darwin"),
            ("AMD64", "win32"),
        ]:
            assert len(pinned(name, machine, system)) <= 1, name


def test_torch_differs_by_machine():
    assert (pinned("torch", "x86_64"), pinned("torchvision", "x86_64")) == (["2.14.1"], ["0.29.1"])
    assert (pinned("torch", "aarch64"), pinned("torchvision", "aarch64")) == (["2.9.1"], ["0.24.1"])
    assert pinned("triton", "aarch64") == pinned("nvidia-cudnn-cu13", "aarch64") == []


def test_environment_yml_has_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (section,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    options = [line for line in section if line.startswith("-")]
    assert options == ["-c constraints.txt", "-e .[train,book]"]
    pins = requirements([line for line in section if line not in options])
    assert pins.keys() == requirements([*PROJECT["dependencies"], *EXTRAS["train"], *EXTRAS["book"]]).keys()
    for name, found in pins.items():
        assert {str(line) for line in found} == {str(line) for line in CONSTRAINTS[name]}
    python = next(part for part in environment["dependencies"] if str(part).startswith("python="))
    assert python.removeprefix("python=") in {"3.11", "3.12", "3.13"}


def test_citation_has_the_version_and_the_licences():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    assert {"message", "title", "authors", "date-released"} <= citation.keys()
    settings = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert citation["title"] == settings["title"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]


def test_licences_are_there():
    assert PROJECT["license-files"] == ["LICENSE", "LICENSE-text"]
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
    text = (ROOT / "LICENSE-text").read_text()
    assert all(f"Section {number} -- " in text for number in range(1, 9))


def test_settings_and_workflows_are_yaml():
    for name in [
        ".pre-commit-config.yaml",
        "_config.yml",
        "_toc.yml",
        *Path(".github/workflows").glob("*.yml"),
    ]:
        assert isinstance(yaml.safe_load((ROOT / name).read_text()), dict), name


def test_pre_commit_runs_the_tools_of_make():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    names = {hook["id"] for repo in hooks["repos"] for hook in repo["hooks"]}
    assert {"ruff-check", "ruff-format", "nbstripout", "codespell"} <= names


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert module.__all__
    for public in module.__all__:
        thing = getattr(module, public)
        if inspect.isclass(thing) or callable(thing):
            text = inspect.getdoc(thing) or ""
            assert ">>>" in text, f"{name}.{public} has no example"
            assert "+SKIP" not in text, f"the example of {name}.{public} does not run"


@pytest.mark.parametrize("path", MODULES, ids=MODULES.get)
def test_files_fit_a_readers_head(path):
    source = path.read_text()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [
        node.body[0].end_lineno - node.body[0].lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented) and ast.get_docstring(node)
    ]
    lines = len(source.splitlines())
    if "@finding(" in source:
        # A chapter's module is read beside its page, a figure or a finding at a time: words, numbers, claims.
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        assert max(node.end_lineno - node.lineno + 1 for node in functions) <= MOST_OF_A_FINDING
        assert lines <= MOST_OF_A_CHAPTER
        return
    assert lines - sum(docstrings) <= MOST_CODE
    assert lines <= MOST_LINES


def tracked() -> list[Path]:
    """The files of the project: those that git knows or would add, or all where there is no git."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in done.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        built = {".git", ".venv", "_build", "__pycache__"}
        paths = [path for path in ROOT.rglob("*") if not built & set(path.parts)]
    return [path for path in paths if path.is_file()]


# Made of parts, so that this file does not find itself. The home of "me" may stand in examples.
FOLDERS = ["home/(?!me/)", "Users/(?!me/)", "root/", "tmp/", "work/"]
FORBIDDEN = re.compile(r"(?<![\w.*\])}/])/(" + "|".join(FOLDERS) + r")|\bpypi\.[a-z]")


def test_no_file_names_a_folder_of_one_machine():
    paths = tracked()
    assert ROOT / "pyproject.toml" in paths
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1):
            if FORBIDDEN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found


def test_only_ci_knows_the_folder_beside_the_project():
    beside = "/".join(["..", "shared"])
    assert [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if beside in path.read_text(encoding="utf-8", errors="ignore")
    ] == [".ci/run"]
