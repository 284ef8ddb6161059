"""The class study's page for teachers: a played class, some of its lines, and what a class can see."""

from __future__ import annotations

import re
from pathlib import Path

import findings as rules
from findings import constants
from lrbook.classroom import teacher_page
from lrlib.stats import detectable

PAGE = Path(__file__).parents[3] / "book/teach/class_study_teacher.md"
ALTERATIONS = {
    "a class that decides nothing": constants(teacher_page, played=lambda: NothingDecided()),
    "fewer and fewer seeds": constants(teacher_page, SEEDS=(10, 6, 4)),
}


class NothingDecided:
    def comparisons(self):
        return [each for each in PLAYED.comparisons() if each.verdict == "not decidable"]


PLAYED = teacher_page.played()


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(teacher_page, ALTERATIONS, r"80% of classes")
)


def test_the_page_shows_each_of_them_once():
    calls = re.findall(r"^teacher_page\.(\w+)\(\)$", PAGE.read_text(encoding="utf-8"), re.M)
    assert calls == ["played", "some_lines_text", "detectable_text"]


def test_what_ten_seeds_of_three_schedules_can_see():
    text = teacher_page.detectable_text().text
    low, middle, high = (detectable(n=10, sd=sd, family=3) for sd in (0.5, 1, 2))
    assert f"- **10 seeds** for each schedule: {low:.1f}, {middle:.1f}, or {high:.1f} points" in text
    assert "(3 comparisons," in " ".join(text.split())
