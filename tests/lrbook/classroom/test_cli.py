"""`lrlib class assign` and `lrlib class merge`."""

from __future__ import annotations

from itertools import product

import pytest


def test_the_teachers_path(lrlib, folder, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Ada\n\nEmmy\nGrace\nSofia\nMary\nRosa\nMax\n", encoding="utf-8")
    words = ["--schedules", "constant, linear", "--out", tmp_path / "class.csv"]
    code, out, _ = lrlib("class", "assign", names, *words)
    assert code == 0
    assert out.splitlines()[3].split() == ["4", "Sofia", "linear", "seed", "12"]
    code, out, err = lrlib("class", "merge", folder, "--list", tmp_path / "class.csv")
    assert (code, err) == (0, "")
    assert "6 files looked at: 6 runs in the table." in out
    assert "Missing: 1\n- number 7 (Max): constant with seed 14" in out


def test_schedules_and_first_seed_are_the_same_words_to_assign_and_merge(lrlib, folder):
    # Of the folder's seeds 11 to 13 the first is on nobody's list, and seed 14 is missing.
    words = ["--schedules", "linear,constant", "--first-seed", 12]
    code, out, _ = lrlib("class", "assign", 6, *words)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        [str(number), schedule, "seed", str(seed)]
        for number, (seed, schedule) in enumerate(product((12, 13, 14), ("linear", "constant")), 1)
    ]
    code, out, err = lrlib("class", "merge", folder, "--students", 6, *words)
    assert (code, err) == (0, "")
    assert "6 files looked at: 4 runs in the table." in out
    assert "Missing: 2\n- number 5: linear with seed 14\n- number 6: constant with seed 14" in out


def test_nothing_usable_ends_with_one(lrlib, tmp_path):
    (tmp_path / "page.json").write_text("<html>")
    code, out, err = lrlib("class", "merge", tmp_path, "--students", 2)
    assert code == 1
    assert "- page.json: not a record" in out
    assert "Missing: 2" in out
    assert err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_names_as_editors_save_them(lrlib, encoding, tmp_path):
    names = tmp_path / "names.txt"
    names.write_bytes('Łukasz\r\n\r\n"Zoë N."\r\n,,\r\n'.encode(encoding))
    code, out, _ = lrlib("class", "assign", names)
    assert code == 0
    assert [line.split("  ")[2].strip() for line in out.splitlines()] == ["Łukasz", "Zoë N."]


def test_names_in_an_older_encoding_and_an_assigned_list_are_told_what_to_do(lrlib, tmp_path):
    names = tmp_path / "names.txt"
    names.write_bytes("Zoë".encode("latin-1"))
    code, _, err = lrlib("class", "assign", names)
    assert (code, err) == (
        1,
        f"lrlib: {names} is not in UTF-8 (see byte 3); save it again with the encoding UTF-8\n",
    )
    assert lrlib("class", "assign", 3, "--out", tmp_path / "class.csv")[0] == 0
    code, _, err = lrlib("class", "assign", tmp_path / "class.csv")
    assert code == 1
    assert err.endswith("is a list that was assigned already; give it to merge with --list\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["merge", "nowhere"], "nowhere: there is no such folder or zip"),
        (["merge", ".", "--list", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["assign", "."], ". cannot be read (Is a directory)"),
        (["assign", "3", "--out", "."], ". is a folder; name a file in it"),
        (["merge", ".", "--list", "a.csv", "--students", 3], "take --list or --students, not both"),
        (["assign", "thirty"], "students must be a number or a text file, got thirty"),
        (["assign", "0"], "students must be at least one, got none"),
        (["assign", "3", "--schedules", "lineer"], "did you mean 'linear'?"),
    ],
)
def test_bad_words_are_one_sentence(lrlib, words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = lrlib("class", *words)
    assert code == 1
    assert err.startswith("lrlib: ")
    assert sentence in err
    assert err.count("\n") == 1
