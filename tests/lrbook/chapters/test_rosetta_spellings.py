"""Rosetta: each spelling, run in its framework at all updates and six beyond, gives what is recorded."""

from __future__ import annotations

import inspect
import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest

import rosetta_runs as runs
from lrbook.chapters.rosetta_spellings import BEYOND, FRAMEWORKS, LENGTHS, PEAK, ROWS
from lrlib.schedules.recipes import SURVEY, get_recipe

RECORD = json.loads(runs.OUT.read_text(encoding="utf-8"))
NEEDS = {"torch": (), "optax": ("optax", "jax")}
pytestmark = pytest.mark.filterwarnings("ignore")  # of the frameworks


def marked(framework, *values):
    marks = pytest.mark.rosetta(*NEEDS.get(framework, (framework,)))
    return pytest.param(*values, marks=marks, id="-".join(map(str, values)))


def same(found, recorded):
    """Equal words and whole numbers; other numbers within the third digit, of which the last may round."""
    if isinstance(recorded, dict):
        assert found.keys() == recorded.keys()
        for name in recorded:
            same(found[name], recorded[name])
    elif isinstance(recorded, list):
        assert len(found) == len(recorded)
        for one, other in zip(found, recorded, strict=True):
            same(one, other)
    elif isinstance(recorded, float):
        assert found == pytest.approx(recorded, rel=0.011, abs=1e-9)
    else:
        assert found == recorded


@pytest.mark.parametrize(
    ("row", "framework"),
    [
        marked(name, row, name)
        for row, entry in ROWS.items()
        for name in FRAMEWORKS
        if name == "lightning" or name in entry.spellings
    ],
)
def test_a_spelling_gives_what_is_recorded(row, framework):
    same(runs.table_cell(row, framework), RECORD["cells"][row][framework])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.rosetta(*needs), id=name)
        for name, (needs, _) in runs.SURPRISES.items()
    ],
)
def test_a_surprise_is_what_is_recorded(name):
    same(json.loads(json.dumps(runs.SURPRISES[name][1]())), RECORD["surprises"][name])


def test_the_record_was_made_with_the_pinned_versions():
    pins = (runs.ROOT / "constraints.txt").read_text(encoding="utf-8")
    for name, made_with in RECORD["versions"].items():
        pinned = re.search(rf"^{name}==([^\s;]+)", pins, re.M)[1]
        assert made_with == pinned, "python tests/helpers/rosetta_runs.py writes the record again"
    assert tuple(RECORD["versions"]) == runs.PACKAGES


def test_the_record_has_each_spelling_and_no_other():
    assert list(RECORD["cells"]) == list(ROWS)
    for row, entry in ROWS.items():
        assert set(RECORD["cells"][row]) == {*entry.spellings, "lightning"}
        assert set(entry.spellings) <= set(FRAMEWORKS) - {"lightning"}
        assert "torch" in entry.spellings
    assert set(RECORD["surprises"]) == set(runs.SURPRISES)


def test_the_first_eight_are_the_surveys():
    assert tuple(ROWS)[:8] == SURVEY
    for name in set(SURVEY) - {"time"}:  # whose decay the recipe takes from the number of epochs
        recipe = get_recipe(name).build(total_steps=100, steps_per_epoch=1)
        wanted = [PEAK * recipe(t) for t in range(100)]
        assert runs.planned(ROWS[name].lrlib, 100, 100) == pytest.approx(wanted), name


def plain(name, t, total):
    """The factor by the formula of the source, written again without lrlib."""
    cycle = -(-total // 5)
    cosine = lambda z: (1 + math.cos(math.pi * z)) / 2  # noqa: E731
    rise = round(0.3 * total)
    held = min(t / 10, 1)
    at, length = t, 10
    while at >= length:
        at, length = at - length, 2 * length
    z = t / total
    return {
        "time": 1 / (1 + 0.01 * t),
        "cosine5": cosine((t % cycle) / cycle),
        "milestones": 0.25 ** sum(b <= t for b in range(10, total, 15)),
        "exponential": 0.01**z,
        "warm_cosine": t / 10 if t < 10 else cosine((t - 10) / (total - 10)),
        "noam": min((t + 1) / 10, math.sqrt(10 / (t + 1))),
        "1cycle": 1 / 25 + (1 - 1 / 25) * cosine(1 - t / rise)
        if t < rise
        else 4e-6 + (1 - 4e-6) * cosine((t - rise) / (total - rise)),
        "sgdr": cosine(at / length),
        "clr": 0.1 + 0.9 * min(t % 40, 40 - t % 40) / 20,
        "wsd": min(held, (total - t) / 20),
        "wsd_sqrt": held if t < total - 20 else 1 - math.sqrt((t - total + 20) / 20),
        "rex": (1 - z) / (1 - z / 2),
    }[name]


@pytest.mark.parametrize("total", LENGTHS)
@pytest.mark.parametrize("name", [*list(ROWS)[8:], "time", "cosine5"])
def test_what_lrlib_is_asked_for_is_the_formula(name, total):
    wanted = [PEAK * plain(name, t, total) for t in range(total)]
    assert runs.planned(ROWS[name].lrlib, total, total) == pytest.approx(wanted, rel=1e-12, abs=1e-15)


def test_verdicts_by_hand():
    line = np.linspace(0.1, 0, 11)[:-1]
    assert runs.verdict(line * (1 + 1e-12), line) == {"verdict": "equal"}
    assert runs.verdict(line * (1 + 5e-7), line) == {"verdict": "rounding"}
    late = runs.verdict(np.array([0.0, *line[:-1]]), line)
    assert (late["verdict"], late["first"], late["worst"], late["at"]) == ("shifted", 0.0, 1.0, 0)
    other = np.where(np.arange(10) == 4, 0.09, line)
    assert runs.verdict(other, line) == {
        "verdict": "differs",
        "count": 1,
        "worst": 0.3,
        "at": 4,
        "got": 0.9,
        "wanted": 0.6,
    }
    found = runs.compared([0.1, 0.05, 0.02, None], [0.1, 0.05, 0.0, 0.0], 2)
    assert found == {"verdict": "equal", "after": [0.2, None], "due": [0.0, 0.0]}
    assert runs.compared([0.1, 0.05, 0.0], [0.1, 0.05, 0.0], 2) == {"verdict": "equal"}
    assert BEYOND == 6


def test_the_measured_rate_is_what_moves_a_weight():
    """Momentum, which OneCycleLR sets, does not come in; a scheduler that refuses ends the list."""
    code = "OneCycleLR(opt, max_lr=peak, total_steps=4)"
    rates = runs.applied("torch", code, 4, 7)
    assert rates[5:] == [None, None]
    assert rates[:5] == pytest.approx([0.004, 0.1, 0.05, 4e-7, 0.05], rel=0.6)
    assert max(rates[:5]) <= 0.1 + 1e-12


#: Said in a note: the callable, the argument, its default.
DEFAULTS = [
    ("torch", "constant", "ConstantLR", "factor", 1 / 3),
    ("torch", "poly5", "PolynomialLR", "total_iters", 5),
    ("keras", "linear", "S.PolynomialDecay", "end_learning_rate", 0.0001),
    ("timm", "linear", "PolyLRScheduler", "power", 0.5),
    ("timm", "cosine5", "CosineLRScheduler", "cycle_limit", 1),
]


@pytest.mark.parametrize(
    ("framework", "row", "callable_", "argument", "default"),
    [marked(case[0], *case) for case in DEFAULTS],
)
def test_a_default_that_a_note_names(framework, row, callable_, argument, default):
    made = runs.built(framework, callable_, 100)
    found = inspect.signature(made).parameters[argument].default
    assert found == default
    written = "1/3" if default == 1 / 3 else f"{default}"
    assert ROWS[row].spellings[framework].note == f"{argument} is {written} by default"


@pytest.mark.rosetta("transformers")
def test_defaults_of_transformers_that_notes_name():
    import transformers.optimization as optimization

    defaults = {
        name: inspect.signature(getattr(optimization, f"get_{name}")).parameters
        for name in ("polynomial_decay_schedule_with_warmup", "wsd_schedule")
    }
    assert defaults["polynomial_decay_schedule_with_warmup"]["lr_end"].default == 1e-7
    assert defaults["wsd_schedule"]["decay_type"].default == "cosine"
    assert ROWS["poly5"].spellings["transformers"].note == "lr_end is 1e-07 by default"
    assert ROWS["wsd"].spellings["transformers"].note == "decay_type is 'cosine' by default"


def test_notes_that_are_checked_in_torch():
    with pytest.raises(ValueError, match="Starting multiplicative factor"):
        runs.built("torch", "LinearLR(opt, 0.0, 1.0, 10)", 100, runs.optimizer())
    early = runs.applied("torch", "OneCycleLR(opt, max_lr=peak, total_steps=T)", 100, 100)
    right = runs.applied("torch", ROWS["1cycle"].spellings["torch"].code, 100, 100)
    assert (int(np.argmax(early)), int(np.argmax(right))) == (29, 30)
    assert early[99] == pytest.approx(4e-7)
    assert right[99] > 4e-6
    assert all(a >= b for a, b in pairwise(right[30:]))
