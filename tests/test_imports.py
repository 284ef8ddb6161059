"""Imports go one way, torch stays where it belongs, and `import lrlib` needs the standard library only."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lrlib"
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")

# A module imports only from lines above its own. A new module has to be given its place here.
LAYERS = [
    "_driver _figure _files _html _sizes _spec _text",
    "schedules",
    "compose",
    "recipes",
    "adapters valley",
    "areas config two_weights",
    "records",
    "_outcomes",
    "curves published stats",
    "_handed_in",
    "_assignment",
    "classroom",
    "_cli_class",
    "diagrams factors jumps luck plots reading",
    "charts measured tables",
    "decisions race",
    "_exercise",
    "_exercise_judges",
    "_exercises_analysis _exercises_claims _exercises_constant _exercises_contest _exercises_cosine"
    " _exercises_drop_based _exercises_factors _exercises_grid_search _exercises_introduction"
    " _exercises_linear _exercises_micro_batches _exercises_polynomial _exercises_table_source"
    " _exercises_time_based _exercises_triangle",
    "exercises",
    "words",
    "curve_rules ranking_rules",
    "claims",
    "ledger",
    "_cifar10_decode _seeds _source_resnet",
    "_augment _cifar10",
    "data models",
    "_fast _optimizer _progress",
    "_machine",
    "_checkpoint _measure",
    "_loop",
    "_graph",
    "train",
    "_gpu_check _timing",
    "_gpu_race",
    "doctor",
    "_plan",
    "study",
    "_together",
    "cli notebook",
]
PLACE = {name: number for number, line in enumerate(LAYERS) for name in line.split()}
# These know shapes (and how to refuse a wrong name), but nothing of configs, records and figures.
NARROW = {"adapters", "data", "models", "valley"}
SHAPES = {"schedules", "compose", "recipes"}
TORCH = {"adapters", "data", "doctor", "models", "study", "train"}
TORCH_PRIVATE = {
    "_augment",
    "_checkpoint",
    "_cifar10",
    "_fast",
    "_gpu_check",
    "_gpu_race",
    "_graph",
    "_loop",
    "_machine",
    "_measure",
    "_optimizer",
    "_seeds",
    "_source_resnet",
    "_timing",
}


def imports(source: str) -> set[str]:
    """The dotted names that a file imports, inside functions and for type checks too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = f"lrlib.{node.module or ''}".rstrip(".") if node.level else node.module
            found |= {f"{module}.{alias.name}" for alias in node.names}
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lrlib"
        ):
            found.add(f"lrlib.{node.attr}")
    return found


def neighbours(source: str) -> set[str]:
    """The modules of lrlib that a file imports; names of the package count for their module."""
    import lrlib

    found = set()
    for name in imports(source):
        package, _, rest = name.partition(".")
        if package == "lrlib" and rest:
            first = rest.partition(".")[0]
            found.add(
                first if first in PLACE else lrlib._LAZY.get(first, "recipes" if first[0] != "_" else "")
            )
    return found - {""}


def packages(source: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(source)}


def wrong_imports(module: str, source: str) -> list[str]:
    above = {name for name, place in PLACE.items() if place < PLACE.get(module, 0)}
    if module in NARROW:
        above = {name for name in above if name in SHAPES or name.startswith("_")}
    return sorted(neighbours(source) - above)


def test_every_module_has_its_place():
    assert set(MODULES) <= set(PLACE), "give the new module its line in LAYERS"


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module):
    assert wrong_imports(module, (PACKAGE / f"{module}.py").read_text()) == []


@pytest.mark.parametrize("module", [name for name in MODULES if name not in TORCH | TORCH_PRIVATE])
def test_torch_stays_where_it_belongs(module):
    assert not packages((PACKAGE / f"{module}.py").read_text()) & {"torch", "torchvision"}


@pytest.mark.parametrize(
    "module", ["_files", "_sizes", "_spec", "schedules", "compose", "recipes", "__init__"]
)
def test_shapes_need_the_standard_library_only(module):
    assert packages((PACKAGE / f"{module}.py").read_text()) <= {*sys.stdlib_module_names, "lrlib"}


def test_importing_lrlib_loads_the_standard_library_only():
    program = (
        "import sys; old = set(sys.modules); import lrlib, json; print(json.dumps([*set(sys.modules) - old]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "lrlib" in loaded
    assert not loaded - {*sys.stdlib_module_names, "lrlib"}


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("schedules", "from lrlib.compose import hold", ["compose"]),
        ("schedules", "def f():\n    from lrlib import records", ["records"]),
        ("schedules", "from .config import preset", ["config"]),
        ("records", "import lrlib\nlrlib.train.train", ["train"]),
        ("plots", "from lrlib import load_runs, to_torch", []),
        ("records", "import lrlib.plots as p", ["plots"]),
        ("config", "from lrlib import load_runs", ["records"]),
        ("valley", "from lrlib.schedules import Schedule\nfrom lrlib.compose import hold", []),
        ("models", "from lrlib.config import preset", ["config"]),
        ("train", "from lrlib.data import load\nfrom lrlib.study import run", ["study"]),
    ],
)
def test_the_rule_for_imports_bites(module, source, wrong):
    assert wrong_imports(module, source) == wrong


def test_the_rule_for_torch_sees_nested_imports():
    assert "torch" in packages("def f():\n    if True:\n        from torch.nn import functional as F")
