"""The class study: who runs what, and what a folder of records, good and bad, comes to."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections import Counter
from itertools import product

import pytest

from lrbook.classroom import ClassError, ClassStudy, assignment, hand_in, inbox, merge, read_list, write_list
from lrlib import preset
from lrlib.runs.record import read_run, write_run
from lrlib.training.run import train
from synthetic import synthetic_run

# Final test accuracies by schedule and seed. By hand: constant has mean 0.92 and standard deviation 0.02, so
# the interval is 0.92 -+ 4.3027 * 0.02 / sqrt(3) = 0.92 -+ 0.0497. The differences are 5, 4 and 3 points.
ACCURACIES = {
    ("constant", 11): 0.90,
    ("constant", 12): 0.92,
    ("constant", 13): 0.94,
    ("linear", 11): 0.95,
    ("linear", 12): 0.96,
    ("linear", 13): 0.97,
}
SIX = assignment(6, schedules=["constant", "linear"])


@pytest.fixture(scope="module")
def trained():
    """One real run of each schedule, as small as can be: 10 updates."""
    configs = [preset("digits", recipe=name, epochs=1, train_images=50) for name in ("constant", "linear")]
    return {config.recipe.label: train(config, progress=False, threads=1) for config in configs}


@pytest.fixture
def run_of(trained):
    """Make the run of a schedule and seed with a given accuracy; it is never shipped."""

    def make(schedule, seed, accuracy, *, started="2026-03-03T09:00:00+00:00", **changes):
        run = trained[schedule]
        epoch = run.epochs[0].model_copy(update={"test_accuracy": accuracy})
        provenance = run.provenance.model_copy(update={"started": started})
        fields = {"config": run.config.changed(seed=seed), "epochs": (epoch,), "provenance": provenance}
        return run.model_copy(update={**fields, **changes})

    return make


@pytest.fixture
def folder(run_of, tmp_path):
    """The records of six students, some in sub-folders, under names of their own."""
    place = tmp_path / "handed in"
    names = iter(["a.json", "b/record.json", "b/record (1).json", "MY RUN.JSON", "c/d/e.json", "f.json.txt"])
    for (schedule, seed), accuracy in ACCURACIES.items():
        write_run(run_of(schedule, seed, accuracy), place / next(names))
    return place


def kinds(study):
    return Counter(finding.kind for finding in study.findings)


def one(study, kind):
    (finding,) = [finding for finding in study.findings if finding.kind == kind]
    return finding


def one_sentence(study, file):
    (finding,) = [finding for finding in study.findings if finding.file == file]
    return finding.sentence


def nothing_is_lost(study):
    """Every file is in the table or in a finding."""
    named = set(study.runs) | {finding.file for finding in study.findings if finding.file}
    return len(named) == study.files


# Who runs what


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


def test_a_class_of_thirty_has_six_seeds_of_table_1_1():
    assigned = assignment(30)
    assert Counter(a.schedule for a in assigned) == dict.fromkeys(
        ["constant", "time", "drop", "linear", "poly5"], 6
    )
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


# Handing in


def test_a_record_is_handed_in_once_and_never_overwritten(run_of, tmp_path):
    first = hand_in(run_of("linear", 11, 0.95), number=7, folder=tmp_path)
    assert first.name == "class-07-linear-seed11.json"
    later = run_of("linear", 11, 0.95, started="2026-03-03T09:30:00+00:00")
    assert hand_in(later, number=7, folder=tmp_path) == first
    other = hand_in(run_of("linear", 11, 0.90), number=7, folder=tmp_path)
    assert other.name == "class-07-linear-seed11-2.json"
    assert [read_run(path).epochs[-1].test_accuracy for path in (first, other)] == [0.95, 0.90]


# Merging


def test_the_table_of_six_good_records(folder):
    study = merge(folder, assigned=SIX)
    assert study.findings == ()
    assert (study.files, len(study.runs)) == (6, 6)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in study.table().splitlines()]
    assert rows[0] == ["schedule", "n", "test accuracy", "95 % interval", "training loss"]
    assert rows[2][:4] == ["constant", "3", "92.0%", "87.0% to 97.0%"]
    assert rows[3][:3] == ["linear", "3", "96.0%"]
    assert len({len(line) for line in study.table().splitlines()}) == 1
    html = study._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>constant</td><td>3</td><td>92.0%</td><td>87.0% to 97.0%</td>" in html
    (comparison,) = study.comparisons()
    assert (comparison.schedule, comparison.reference, comparison.n) == ("linear", "constant", 3)
    assert comparison.mean_difference_points == pytest.approx(4.0)
    assert "linear against constant: " in study.report()


def test_the_report_says_what_the_experiment_was():
    # 50 images in batches of 5 are 10 updates an epoch
    for accuracies, images, length in (
        ([0.5, 0.75], 50, "2 epochs of 10 updates"),
        ([0.5], 5, "1 epoch of 1 update"),
    ):
        run = synthetic_run("linear", {"test_accuracy": accuracies}, train_images=images)
        study = ClassStudy(runs={"a.json": run}, findings=(), files=1, schedules=("linear",))
        experiment = f"resnet8 on digits, {length} (batches of 5), peak rate 0.1."
        assert study.report().splitlines()[1] == f"The experiment: {experiment}"


def test_an_interval_past_the_whole_is_explained(folder):
    words = "An interval that reaches past 100 %"
    assert words not in merge(folder).report()
    # 0.96 and 0.97 leave 0.965 -+ 12.7062 * 0.0071 / sqrt(2) = 0.965 -+ 0.0635, which ends above 1
    (path,) = [
        path for path, run in merge(folder).runs.items() if (run.label, run.config.seed) == ("linear", 11)
    ]
    (folder / path).unlink()
    assert words in merge(folder).report()


def test_the_loss_has_the_penalty_in_it_as_in_the_survey(folder, trained):
    row = merge(folder).table().splitlines()[2]
    epoch = trained["constant"].epochs[-1]
    assert row.split("|")[5].strip() == f"{epoch.train_loss + epoch.penalty:.4f}"


def test_ten_files_two_of_them_bad(folder, run_of, lrlib):
    """The teacher's case: ten files, one with a digit changed and one cut short, and no list."""
    for schedule, accuracy in (("constant", 0.93), ("linear", 0.98)):
        write_run(run_of(schedule, 14, accuracy), folder / f"{schedule}-14.json")
    text = (folder / "a.json").read_text()
    (folder / "edited.json").write_text(text.replace('"test_accuracy": 0.9', '"test_accuracy": 0.99'))
    (folder / "cut.json").write_text(text[: len(text) // 2])
    study = merge(folder)
    assert (study.files, len(study.runs)) == (10, 8)
    assert kinds(study) == {"edited": 1, "unreadable": 1}
    assert one(study, "edited").file == "edited.json"
    assert "its digest does not fit" in one(study, "edited").sentence
    assert one(study, "unreadable").file == "cut.json"
    assert "not whole JSON" in one(study, "unreadable").sentence
    assert nothing_is_lost(study)
    code, out, err = lrlib("class", "merge", folder)
    assert (code, err) == (0, "")
    assert "| constant | 4" in out
    assert "- edited.json: changed after it was written" in out
    assert "- cut.json: not whole JSON" in out


def test_duplicates_are_told_apart(folder, run_of):
    (folder / "copy.json").write_bytes((folder / "a.json").read_bytes())
    later = "2026-03-03T10:00:00+00:00"
    write_run(run_of("constant", 12, 0.92, started=later), folder / "anew.json")
    write_run(run_of("constant", 13, 0.91, started=later), folder / "other.json")
    study = merge(folder, assigned=SIX)
    sentences = {finding.file: finding.sentence for finding in study.findings}
    assert kinds(study) == {"duplicate": 3}
    assert sentences["copy.json"] == "the very record of a.json, copied"
    assert "same result as b/record.json digit for digit" in sentences["anew.json"]
    assert "(91.00% and not 94.00%); the one started first counts" in sentences["other.json"]
    assert nothing_is_lost(study)
    assert "| constant | 3    | 92.0%" in study.table()


def test_a_diverged_run_counts_as_chance(folder, run_of):
    lost = run_of("linear", 14, 0.1, status="diverged", final=None)
    epoch = lost.epochs[0].model_copy(update={"train_loss": math.nan, "test_loss": math.nan})
    lost = lost.model_copy(update={"epochs": (epoch,)})
    for name in ("lost.json", "again.json"):
        write_run(lost, folder / name)
    study = merge(folder)
    assert one(study, "diverged").sentence.startswith("linear with seed 14 diverged in epoch 1 of 1")
    assert one(study, "duplicate").sentence == "the very record of again.json, copied"
    # (0.95 + 0.96 + 0.97 + 0.10) / 4 = 0.745, and a loss that is no number has no mean.
    assert "| linear   | 4    | 74.5%" in study.table()
    assert study.table().splitlines()[3].split("|")[5].strip() == "diverged"


def test_missing_and_unlisted_runs_are_named(folder, run_of):
    (folder / "a.json").unlink()
    write_run(run_of("linear", 99, 0.99), folder / "mine.json")
    names = ["Ada", "Emmy", "Grace", "Sofia", "Mary", "Rosa"]
    study = merge(folder, assigned=assignment(names, schedules=["constant", "linear"]))
    assert kinds(study) == {"missing": 1, "extra": 1}
    assert one(study, "missing").sentence == "number 1 (Ada): constant with seed 11"
    assert one(study, "extra").file == "mine.json"
    assert "96.0%" in study.table().splitlines()[3], "a run on nobody's list does not count"
    assert nothing_is_lost(study)


def test_foreign_files_are_sorted_out(folder, run_of):
    other = run_of("linear", 11, 0.99)
    write_run(
        other.model_copy(update={"config": other.config.changed(weight_decay=0.5)}), folder / "decay.json"
    )
    later = json.loads((folder / "a.json").read_text())
    (folder / "later.json").write_text(json.dumps({**later, "schema_version": 2}))
    (folder / "page.json").write_text("<!DOCTYPE html><title>Sign in</title>")
    (folder / "notes.json").write_text('{"name": "Ada"}')
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (folder / "empty.json").write_bytes(b"")
    study = merge(folder, assigned=SIX)
    sentences = {finding.file: finding.sentence for finding in study.findings}
    assert kinds(study) == {"foreign": 5, "unreadable": 1}
    assert sentences["decay.json"] == "another experiment: weight_decay 0.5, the class has 0.0001"
    assert "schema 2, and this lrlib reads schema 1; upgrade lrlib" in sentences["later.json"]
    assert sentences["page.json"] == "not a record, not even JSON; ask for the .json file"
    assert "no schema_version" in sentences["notes.json"]
    assert sentences["empty.json"] == "the file is empty; have it sent again"
    assert nothing_is_lost(study)
    assert len(study.runs) == 6


def test_the_same_name_of_a_schedule_with_other_numbers_is_another_experiment(folder):
    from lrlib.schedules.recipes import CosineRecipe, TimeRecipe

    slow, usual = (TimeRecipe(decay_times_epochs=x) for x in (0.01, 0.1))
    for seed, recipe in ((11, usual), (12, usual), (13, slow)):
        config = preset("digits", recipe=recipe, epochs=1, train_images=50, seed=seed)
        write_run(train(config, progress=False, threads=1), folder / f"time-{seed}.json")
    config = preset("digits", recipe=CosineRecipe(cycles=3), epochs=1, train_images=50, seed=11)
    write_run(train(config, progress=False, threads=1), folder / "cosine3.json")
    study = merge(folder)
    assert one(study, "foreign").file == "time-13.json"
    assert (
        "decay_times_epochs=0.01, every_update=False), the class has TimeRecipe("
        in one(study, "foreign").sentence
    )
    assert study.schedules == ("constant", "time", "linear", "cosine3")
    assert len(study.comparisons()) == 5  # three against constant, two more against linear


def test_runs_that_did_not_share_their_start_are_named(folder, run_of, trained):
    same = {label: (run.start, run.epochs[0].batches) for label, run in trained.items()}
    assert same["constant"] == same["linear"], "a shared seed is a shared start, whatever the schedule"
    write_run(run_of("constant", 14, 0.9), folder / "one.json")
    write_run(run_of("linear", 14, 0.9, start="0" * 16), folder / "two.json")
    study = merge(folder)
    assert kinds(study) == {"apart": 1}
    assert one(study, "apart").sentence.startswith("seed 14, but not the start or the batches of one.json")
    assert len(study.runs) == 8
    assert "two.json: seed 14, but not the start" in study.report()  # it is named, and counts all the same
    assert max(comparison.n for comparison in study.comparisons()) == 4


MADE_UP = {
    "deep": b"[" * 100_000,
    "not a number": b'{"schema_version": 1, "config": {}, "digest": NaN}',
    "long number": b'{"schema_version": ' + b"9" * 5000 + b"}",
    "list": b"[1, 2]",
    "text": "äö".encode("latin-1"),
    "null": b"null",
}


@pytest.mark.parametrize("name", MADE_UP)
def test_no_made_up_file_stops_a_merge(name, folder):
    (folder / "made-up.json").write_bytes(MADE_UP[name])
    study = merge(folder, assigned=SIX)
    (finding,) = study.findings
    assert finding.file == "made-up.json"
    assert len(finding.sentence) <= 300
    assert "\n" not in finding.sentence
    assert len(study.runs) == 6


def test_a_signed_record_that_is_absurd_does_not_stop_a_merge(folder):
    from lrlib.runs.record import _digest

    data = json.loads((folder / "a.json").read_text())
    data["config"] |= {"epochs": 10**400, "seed": 12}
    (folder / "absurd.json").write_text(json.dumps({**data, "digest": _digest(data)}))
    study = merge(folder, assigned=SIX)
    assert [finding.file for finding in study.findings] == ["absurd.json"]
    assert len(study.runs) == 6


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_a_zip_of_a_learning_platform_is_read(folder, tmp_path):
    files = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    inner = zipped({"g/again.json": files.popitem()[1]})
    litter = {"__MACOSX/._a.json": b"?", ".DS_Store": b"?"}
    (tmp_path / "class.zip").write_bytes(zipped({**files, **litter, "late/ada.zip": inner}))
    study = merge(tmp_path / "class.zip", assigned=SIX)
    assert study.findings == ()
    assert len(study.runs) == 6
    assert "class.zip: late/ada.zip: g/again.json" in study.runs
    place = tmp_path / "folder"
    place.mkdir()
    (tmp_path / "class.zip").rename(place / "export.zip")
    assert len(merge(place, assigned=SIX).runs) == 6


def test_a_hostile_zip_does_no_harm(folder, tmp_path):
    record = (folder / "a.json").read_bytes()
    hostile = {"../../escaped.json": record, "/absolute.json": record, "bomb.json": b"0" * 6_000_000}
    (folder / "hostile.zip").write_bytes(zipped({**hostile, "bell\a.json": b"x"}))
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and then nothing")
    matryoshka = zipped({"1.zip": zipped({"2.zip": zipped({"3.json": record})})})
    (folder / "deep.zip").write_bytes(matryoshka)
    before = set(tmp_path.rglob("*"))
    study = merge(folder, assigned=SIX)
    assert set(tmp_path.rglob("*")) == before
    sentences = {finding.file: finding.sentence for finding in study.findings}
    assert sentences["hostile.zip: bomb.json"] == "more than 5 MB unpacked, which no record has"
    assert sentences["hostile.zip: ../../escaped.json"] == "the very record of a.json, copied"
    assert "hostile.zip: bell?.json" in sentences
    assert sentences["broken.zip"].startswith("a zip that cannot be opened")
    assert sentences["deep.zip: 1.zip: 2.zip"] == "a zip in a zip in a zip; unpack it by hand"
    assert len(study.runs) == 6


def test_files_whose_names_look_alike_are_both_kept(folder, run_of, tmp_path):
    one, two = (
        write_run(run_of("linear", seed, 0.98), tmp_path / f"{seed}.json").read_bytes() for seed in (14, 15)
    )
    (folder / "same.zip").write_bytes(zipped({"bell\a.json": one, "bell\b.json": two}))
    os.mkfifo(folder / "pipe.json")
    study = merge(folder)
    assert {"same.zip: bell?.json", "same.zip: bell?.json (2)"} <= set(study.runs)
    assert one_sentence(study, "pipe.json") == "no file that can be read"
    assert (study.files, len(study.runs)) == (9, 8)


def test_a_zip_may_not_fill_the_memory(folder, tmp_path, monkeypatch):
    files = {f"{i}.json": b"0" * 1_000_000 for i in range(4)}
    (folder / "large.zip").write_bytes(zipped(files))
    monkeypatch.setattr(inbox, "MOST_IN_ALL", 2_500_000)
    study = merge(folder, assigned=SIX)
    assert one_sentence(study, "large.zip: 2.json").startswith(
        "more than 0 MB unpacked, more than can be read"
    )
    assert len(study.runs) == 6


# The command line


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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["merge", "nowhere"], "nowhere: there is no such folder or zip"),
        (["merge", ".", "--list", "nowhere.csv"], "nowhere.csv: the list cannot be read"),
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
