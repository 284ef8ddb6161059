"""The page on six frameworks: its findings stand on the record and on the torch that is here."""

from __future__ import annotations

import copy
import re

import pytest
from bs4 import BeautifulSoup

import findings as rules
from lrbook.chapters import rosetta
from lrbook.chapters.rosetta_spellings import FRAMEWORKS, ROWS
from lrlib import CosineAnnealing, LinearDecay

RECORD, RATES = rosetta.record(), rosetta.torch_rates


def recorded(*path, value):
    """The record says something else at a place; None takes it out."""
    changed = copy.deepcopy(RECORD)
    *way, last = path
    at = changed
    for step in way:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return rules.constants(rosetta, record=lambda: changed)


def cell(row, name, verdict, **more):
    found = {"verdict": verdict, "worst": 0.1, "first": 0.0, "count": 3, "at": 0, **more}
    return recorded("cells", row, name, value={"100": found, "103": found})


def rates(name, value):
    """A torch scheduler gives these parts of the peak instead."""
    return rules.constants(rosetta, torch_rates=lambda asked: value if asked == name else RATES(asked))


def of_all(name, value):
    """All frameworks give the same for an argument."""
    found = {key: {**each, name: value} for key, each in RECORD["surprises"]["decay_steps"].items()}
    return recorded("surprises", "decay_steps", value=found)


def only_two_frameworks(records):
    changed = copy.deepcopy(RECORD)
    for cells in changed["cells"].values():
        for name in ("torch", "optax", "timm"):
            cells.pop(name, None)
    rules.constants(rosetta, record=lambda: changed)(records)


ALTERATIONS = {
    "a spelling that agreed parts": cell("linear", "timm", "differs"),
    "the inverse square root is right": cell("noam", "timm", "equal"),
    "the inverse square root differs otherwise": cell("noam", "timm", "differs"),
    "1cycle in optax is right at both lengths": cell("1cycle", "optax", "rounding"),
    "timm rounds": cell("linear", "timm", "rounding"),
    "Keras is exact": cell("linear", "keras", "equal"),
    "Lightning is not torch": cell("linear", "lightning", "not as torch"),
    "torch's linear decay climbs": cell("linear", "torch", "equal", after=[0.0, 0.1], due=[0.0, 0.0]),
    "transformers' cosine stays": cell("cosine", "transformers", "equal"),
    "Keras's cosine climbs": cell("cosine", "keras", "rounding", after=[0.0, 0.1], due=[0.0, 0.0]),
    "only two frameworks are left": only_two_frameworks,
    "nothing parts": lambda records: all_equal(records),
    "LinearLR falls": rates("linear", LinearDecay(total_steps=30).values(30)),
    "LinearLR falls again": rates("linear", [0.3, 0.6, 1.0, *[0.5] * 27]),
    "OneCycleLR stays": rates("onecycle", [*RATES("onecycle")[:10], 0.0]),
    "OneCycleLR ends high": rates("onecycle", [0.5] * 11),
    "OneCycleLR with lines stays": rates("onecycle, linear", [*RATES("onecycle, linear")[:10], 0.0]),
    "the cosine stays at zero": rates("cosine", CosineAnnealing(total_steps=100).values(201)),
    "the cosine is high at its end": rates("cosine", [1.0] * 201),
    "chained restarts do not overshoot": rates("restarts first", [1.0] * 30),
    "chained restarts keep the warm-up": rates("restarts last", [0.1] * 30),
    "Keras reads the integer": recorded("surprises", "integer_zero", "0", value=[0.0, 0.5, 1.0]),
    "Keras is wrong with a point too": recorded("surprises", "integer_zero", "0.0", value=[0.0, 0.5]),
    "Keras counts updates": recorded("surprises", "accumulation", "applied", value=[1.0, *[0.5] * 6, 0.0]),
    "decay_steps is the same everywhere": of_all("zero_at", 100),
    "decay_steps is without the warm-up everywhere": of_all("zero_at", 110),
    "all reach the peak": of_all("highest", 1.0),
    "the last rate is right": recorded(
        "surprises", "float32_cosine", "keras", "11730", value={"zeros": 0, "last_of_exact": 1.0}
    ),
    "no rate is lost": recorded(
        "surprises", "float32_cosine", "keras", "39100", value={"zeros": 0, "last_of_exact": 1.0}
    ),
    "timm steps": recorded("surprises", "silent_step_update", "lowest", value=0.0),
    "timm's step counts": recorded("surprises", "silent_step_update", "lowest_by_step", value=0.0),
    "Lightning steps each update": recorded(
        "surprises", "per_epoch", "applied", value=LinearDecay(total_steps=30).values(30)
    ),
}
ALLOWED = (
    r"`[^`]*`|in 32 bits|1cycle|0\.1 becomes 0|ten of these|one update too late|1706\.03762|issues/91765"
)


def all_equal(records):
    equal = {"verdict": "equal"}
    cells = {
        row: {name: {"100": equal, "103": equal} for name in cells} for row, cells in RECORD["cells"].items()
    }
    rules.constants(rosetta, record=lambda: {**RECORD, "cells": cells})(records)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(rosetta, ALTERATIONS, ALLOWED)
)
test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(rosetta)


def test_headings_findings_and_code_of_the_page():
    rules.check_page(rosetta, plain_headings={"How this was run"})


def test_there_are_ten_surprises_each_under_its_finding():
    headings = [
        line for cell in rules.cells("rosetta") for line in cell["source"].splitlines() if line[:3] == "## "
    ]
    assert headings[0] == "## Said with the right arguments, the rates agree"
    assert headings[-2:] == ["## How this was run", "## Remember"]
    assert len(headings[1:-2]) == 10


def test_the_cells_in_torch_print_what_their_sentences_say(capsys):
    shown = [
        cell["source"]
        for cell in rules.cells("rosetta")
        if cell["cell_type"] == "code" and "remove-input" not in cell["metadata"].get("tags", [])
    ]
    names, said = {}, []
    for source in shown:
        exec(source, names)
        said.append([float(number) for number in re.findall(r"-?\d\.\d+", capsys.readouterr().out)])
    start, end, cosine, chain = said
    assert start == pytest.approx([0.1 * rate for rate in RATES("linear")[:8]], abs=5e-4)
    wanted = [0.1 * rate for name in ("onecycle", "onecycle, linear") for rate in RATES(name)[9:]]
    assert end == pytest.approx(wanted, abs=1e-7)
    assert end[3] < 0 < end[1]
    assert cosine == [0.1, 0.05, 0.0, 0.05, 0.1]
    assert chain == pytest.approx([0.1 * rate for rate in RATES("restarts first")[:12]], abs=5e-4)


def test_the_table_has_each_spelling_as_it_was_run():
    page = BeautifulSoup(rosetta.spellings().html, "html.parser").find_all("details")
    assert [fold.summary.text for fold in page] == [entry.title for entry in ROWS.values()]
    for fold, (row, entry) in zip(page, ROWS.items(), strict=True):
        lines = {line.th.text.lower(): line.find_all("td") for line in fold.tbody.find_all("tr")}
        assert list(lines) == ["lrlib", *FRAMEWORKS]
        assert lines["lrlib"][0].text == entry.lrlib
        for name in set(FRAMEWORKS) - {"lightning"}:
            if name in entry.spellings:
                assert lines[name][0].code.text == entry.spellings[name].code
                assert lines[name][1].text == rosetta.difference(RECORD["cells"][row][name])
            else:
                assert [each.text for each in lines[name]] == ["cannot say it"]


@pytest.mark.parametrize(
    ("row", "name", "said"),
    [
        ("linear", "torch", "nothing"),
        ("linear", "keras", "rounding, less than a millionth of the peak"),
        ("noam", "timm", "one update: late, by up to 0.1 of the peak"),
        ("cosine", "torch", "nothing, beyond T climbs again"),
        ("cosine5", "torch", "nothing, beyond T begins again at the peak"),
        ("cosine5", "timm", "T = 100: nothing; T = 103: nothing, beyond T ends some updates later"),
        ("1cycle", "torch", "nothing, beyond T goes up once, then refuses"),
        ("time", "timm", "nothing, beyond T falls to zero"),
        ("linear", "lightning", "what torch differs by"),
    ],
)
def test_what_is_said_of_a_record(row, name, said):
    assert rosetta.difference(RECORD["cells"][row][name]) == said


def test_the_overview_has_a_mark_for_each():
    table = BeautifulSoup(rosetta.glance().html, "html.parser")
    heads = [head.text.lower() for head in table.thead.find_all("th")]
    assert heads == ["schedule", *FRAMEWORKS]
    marks = {line.th.text: [each.get_text(" ") for each in line.find_all("td")] for line in table.tbody("tr")}
    assert marks["linear decay"] == ["=", "≈", "≈", "=", "=", "as torch"]
    assert marks["REX"] == ["= own function", "–", "≈ own function", "= own function", "–", "as torch"]
    assert marks["1cycle, two halves of a cosine"] == ["=", "–", "≈ / ≠", "–", "–", "as torch"]
    assert marks["warm-up 10, then inverse square root"][3:5] == ["1 late", "1 late"]


def test_the_figure_shows_the_record_and_the_plans():
    axes = rosetta.surprises_figure().wide.axes
    drawn = [[list(line.get_ydata()) for line in each.lines[1:]] for each in axes]
    found = RECORD["surprises"]
    assert drawn[0][0] == pytest.approx([1 - t / 30 for t in range(30)])
    assert drawn[0][1] == RATES("linear")
    assert drawn[1][1][10] < 0 <= drawn[1][0][10]
    assert drawn[2][1] == RATES("restarts first")
    assert drawn[3] == [found["accumulation"]["planned"], found["accumulation"]["applied"]]
    assert set(drawn[4][1]) == {1.0}
    assert drawn[5] == [found["per_epoch"]["planned"], found["per_epoch"]["applied"]]
