"""Who runs what, and the list that goes through a spreadsheet."""

from __future__ import annotations

import csv
import math
from collections import Counter

import pytest

from lrbook.classroom import ClassError, assignment, mine, read_list, write_list


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
        (
            "number,student,schedule,seed\n1,Ada,linear,7\n2,Emmy,linear,x\n",
            "line 3: seed must be a whole number >= 0, got 'x'",
        ),
        (
            "number,student,schedule,seed\n0,Ada,linear,7\n",
            "line 2: number must be a whole number >= 1, got '0'",
        ),
        ("number,schedule,seed\n1,linear\n", "line 2: seed must be a whole number >= 0, got ''"),
        ("number,student,schedule,seed\n1," + "a" * 200_000 + ",linear,7\n", "line 2: not a line of a list"),
    ],
)
def test_a_bad_list_is_one_sentence(text, words, tmp_path):
    path = tmp_path / "class.csv"
    path.write_text(text)
    with pytest.raises(ClassError, match=r"class\.csv") as caught:
        read_list(path)
    assert words in str(caught.value)


SAVED = {
    "rows without content": "number,student,schedule,seed\n1,Ada,linear,7\n,,,\n2,Zoë,drop,7\n,,,\n\n",
    "tabs": "number\tstudent\tschedule\tseed\n1\tAda\tlinear\t7\n2\tZoë\tdrop\t7\n",
    "sep": "sep=;\nnumber;student;schedule;seed\n1;Ada;linear;7\n2;Zoë;drop;7\n",
    "carriage returns": "number,student,schedule,seed\r1,Ada,linear,7\r2,Zoë,drop,7\r",
    "other columns and capitals": "Schedule, Seed,Note,Number,Student\nlinear,7.0,x,1,Ada\ndrop,7,,2,Zoë\n",
    "decimal commas": "number;student;schedule;seed\n1,0;Ada;linear;7,00\n2;Zoë;drop;7;;\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", SAVED.values(), ids=SAVED)
def test_a_list_as_spreadsheets_save_it(text, encoding, tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(text.encode(encoding))
    assert read_list(path) == [(1, "Ada", "linear", 7), (2, "Zoë", "drop", 7)]


def test_a_list_in_an_older_encoding_is_one_sentence_with_the_way_out(tmp_path):
    path = tmp_path / "class.csv"
    path.write_bytes(SAVED["tabs"].encode("latin-1"))
    with pytest.raises(ClassError, match=r"the list is not in UTF-8 \(see byte .*\); save it again with"):
        read_list(path)


def test_a_name_is_no_formula(tmp_path):
    names = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "'=x", "O'Neil"]
    path = write_list(assignment(names), tmp_path / "class.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [row["student"] for row in csv.DictReader(file)]
    assert cells == [f"'{names[0]}", "'+1", "'-1", "'@SUM(A1)", "'=x", "O'Neil"]
    assert [a.student for a in read_list(path)] == [*names[:4], "=x", "O'Neil"]


@pytest.mark.parametrize("number", [0, -1, 31, "4", True, 2.5, None])
def test_a_number_that_nobody_has_is_one_sentence(number):
    with pytest.raises(ClassError) as caught:
        mine(number, students=30)
    assert str(caught.value) == f"number must be a whole number from 1 to 30, got {number!r}"


def test_a_number_on_the_list():
    assert [mine(n, students=30).number for n in (1, 4, 30)] == [1, 4, 30]
    assert mine(4, students=30) == (4, "", "constant", 12)


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
