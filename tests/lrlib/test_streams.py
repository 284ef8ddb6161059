"""Names that the stream cannot hold: shown as far as it can, and no result is lost for them."""

from __future__ import annotations

import csv
import io
import sys

import pytest

from lrlib import cli

NAMES = ["Ada", "Łukasz", "李明", "Zoë"]


@pytest.fixture(params=["cp1252", "cp437"])  # of "ascii" click itself makes UTF-8
def piped(request, monkeypatch):
    """Call lrlib with stdout and stderr as Python has them for a file or a pipe on Windows."""

    def call(*words):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=request.param) for _ in range(2)]
        monkeypatch.setattr(sys, "argv", ["lrlib", *map(str, words)])
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            try:
                cli.main()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
            for stream in streams:
                stream.flush()
        return code, *(stream.buffer.getvalue().decode(request.param) for stream in streams)

    return call


def test_a_class_list_is_written_and_shown(piped, tmp_path):
    names, out = tmp_path / "names.txt", tmp_path / "class.csv"
    names.write_text("\n".join(NAMES), encoding="utf-8")
    code, said, err = piped("class", "assign", names, "--out", out)
    assert (code, err) == (0, "")
    assert "\\u0141ukasz" in said
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["student"] for row in csv.DictReader(file)] == NAMES


def test_a_file_with_a_foreign_name_does_not_cost_the_report(piped, tmp_path):
    (tmp_path / "李明.txt").write_text("hello")
    code, said, err = piped("class", "merge", tmp_path)
    assert code == 1
    assert "- \\u674e\\u660e.txt: not a record" in said
    assert err.endswith("no record in it can be used\n")


def test_a_title_in_polish(piped, tmp_path):
    file = tmp_path / "study.toml"
    text = 'title = "Łódź"\npreset = "digits"\nrecipes = ["linear"]\nseeds = [1]\n'
    file.write_text(text, encoding="utf-8")
    code, said, err = piped("study", "status", file, "--out", tmp_path / "Łódź")
    assert (code, err) == (0, "")
    assert "study: \\u0141ód\\u017a\n" in said


def test_an_error_that_names_a_foreign_file(piped):
    code, _, err = piped("show", "Łukasz.json")
    assert code == 1
    assert err == "lrlib: \\u0141ukasz.json: there is no such file\n"
