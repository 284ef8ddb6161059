"""A recipe that joins the registry changes nothing of what the book says about the survey."""

from __future__ import annotations

import pytest

from lrbook.chapters import analysis, claims, drop_based, first_page, shared, table_1_1
from lrbook.chapters.claims import definitions, verdicts
from lrbook.classroom.assignment import assignment
from lrlib import preset, stats
from lrlib.runs.config import PRESETS
from lrlib.runs.published import published
from lrlib.runs.store import load_runs, studies
from lrlib.schedules.recipes import (
    RECIPES,
    SOURCE,
    SOURCE_RECIPES,
    SURVEY,
    ConstantRecipe,
    get_recipe,
    in_order,
)
from lrlib.stats import rankings
from synthetic import synthetic_run


class ZigzagRecipe(ConstantRecipe):
    """A recipe that nobody published."""

    @property
    def label(self) -> str:
        return "zigzag"


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(RECIPES, "zigzag", ZigzagRecipe())


def all_that_is_said() -> dict[str, object]:
    """Return the book's tables, counts and verdicts, of all functions that take no choice of schedules."""
    survey = load_runs("survey-digits")
    return {
        "table 1.1": table_1_1.table_1_1(),
        "parts": [(part.title, part.rows, part.counts) for part in table_1_1.parts()],
        "first page": first_page.five_findings_text().text,
        "drop-based decay": drop_based.what_we_found_text().text,
        "verdicts": verdicts.decide_all(),
        "sentences": claims.what_we_found_text().text,
        "cards": [verdicts.card(each, "") for each in verdicts.decide_all().values()],
        "words": definitions.WORDS,
        "family": stats.family(),
        "comparisons": stats.compare_all(survey),
        "recorded": [run.config.identity() for run in shared.recorded(*studies())],
        "enough": rankings.enough_seeds("survey-laptop", "survey-digits"),
        "published": published(),
        "decisions": analysis.decision_table(stats.compare_all(survey)).html,
        "decided": analysis.decisions_text().text,
        "race": analysis.own_rates_text().text,
        "map": analysis.map_text().text,
        "assignment": assignment(12),
        "order": in_order(["linear", "constant", "cosine5", "another"]),
    }


def test_no_table_count_or_verdict_changes(registered, monkeypatch):
    with_it = all_that_is_said()
    monkeypatch.delitem(RECIPES, "zigzag")
    assert with_it == all_that_is_said()


def test_it_can_be_trained_all_the_same(registered):
    assert get_recipe("zigzag").label == "zigzag"
    for name in PRESETS:
        assert preset(name, recipe="zigzag").recipe.label == "zigzag"


def test_the_surveys_set_is_eight_of_the_registry_and_the_sources_five_of_those():
    assert len(SURVEY) == 8
    assert set(SURVEY) <= set(RECIPES)
    assert tuple(SOURCE_RECIPES) == SOURCE == SURVEY[:5]


def test_a_run_outside_the_surveys_set_has_no_row_in_its_table(registered):
    with pytest.raises(ValueError, match=r"schedule must be one of constant, .*, cosine5, got 'zigzag'"):
        table_1_1.from_runs([synthetic_run(get_recipe("zigzag"))], title="t", note="n")
