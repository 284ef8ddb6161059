"""Who runs what, and the list that goes through a spreadsheet."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from lrbook.classroom import ClassError, assignment, read_list, write_list


@pytest.mark.parametrize("students", [1, 2, 5, 6, 10, 11, 29, 30, 31])
@pytest.mark.parametrize(
    "schedules", [["constant", "drop", "linear"], ["time", "drop", "linear", "poly5", "cosine"]]
)
def test_schedules_come_equally_often_and_nobody_is_alone(students, schedules):
    assigned = assignment(students, schedules=schedules)
    assert [a.number for a in assigned] == list(range(1, students + 1))
    assert len({(a.schedule, a.seed) for a in assigned}) == students
    often = Counter(a.schedule for a in assigned)
    counts = [often[name] for name in schedules]
    assert max(counts) - min(counts) <= 1
    shared = Counter(a.seed for a in assigned)
    assert students == 1 or min(shared.values()) >= 2
    assert sorted(shared) == list(range(11, 11 + math.ceil(students / len(schedules))))


def test_a_class_of_thirty_has_ten_seeds_of_three_schedules():
    assigned = assignment(30)
    assert Counter(a.schedule for a in assigned) == dict.fromkeys(["constant", "drop", "linear"], 10)
    assert (assigned[4].schedule, assigned[4].seed) == ("drop", 12)


def test_a_class_of_thirty_has_six_seeds_of_table_1_1():
    table = ["constant", "time", "drop", "linear", "poly5"]
    assigned = assignment(30, schedules=table)
    assert Counter(a.schedule for a in assigned) == dict.fromkeys(table, 6)
    assert (assigned[6].schedule, assigned[6].seed) == ("time", 12)


def test_the_list_goes_through_a_spreadsheet(tmp_path):
    assigned = assignment(["Ada L.", "Emmy; N.", ""], first_seed=7)
    path = write_list(assigned, tmp_path / "class.csv")
    assert read_list(path) == assigned
    rows = path.read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "number,student,schedule,seed"
    # A spreadsheet with commas for decimals writes semicolons, and a mark in front.
    path.write_text("number;student;schedule;seed\n1;Ada;linear;7\n", encoding="utf-8-sig")
    ((number, student, schedule, seed),) = read_list(path)
    assert (number, student, schedule, seed) == (1, "Ada", "linear", 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "its first line must name number, student, schedule, seed"),
        ("number,student,schedule,seed\n", "the list is empty"),
        ("number,student,schedule,seed\n1,Ada,lineer,7\n", "line 2: schedule must be one of"),
        ("number,student,schedule,seed\n1,Ada,linear,7\n2,Emmy,linear,x\n", "line 3: invalid literal"),
        ("number,student,schedule,seed\n1," + "a" * 200_000 + ",linear,7\n", "line 2: not a line of a list"),
    ],
)
def test_a_bad_list_is_one_sentence(text, words, tmp_path):
    path = tmp_path / "class.csv"
    path.write_text(text)
    with pytest.raises(ClassError, match=r"class\.csv") as caught:
        read_list(path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"students": "Ada"}, "students must be a number or a list of names, got 'Ada'"),
        ({"students": 3, "schedules": []}, "schedules must be at least one"),
        ({"students": 3, "schedules": ["linear", "linear"]}, "none twice"),
        ({"students": 3, "schedules": ["lineer"]}, "did you mean 'linear'"),
        ({"students": [1, 2]}, "a number or a list of names, got 1 in the list"),
        ({"students": 2.5}, "students must be a number or a list of names, got 2.5"),
        ({"students": -1}, "students must be >= 0, got -1"),
        ({"students": 3, "first_seed": -2}, "first_seed must be >= 0, got -2"),
    ],
)
def test_a_bad_assignment_is_refused(arguments, error):
    with pytest.raises(ValueError, match=error):
        assignment(**arguments)
