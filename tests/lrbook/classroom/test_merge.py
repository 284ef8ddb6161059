"""What a folder of records, good and bad, comes to."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest

from lrbook.classroom import ClassStudy, assignment, merge
from lrlib import preset
from lrlib.runs.store import write_run
from lrlib.training.run import train
from synthetic import synthetic_run

SIX = assignment(6, schedules=["constant", "linear"])


def kinds(study):
    return Counter(finding.kind for finding in study.findings)


def one(study, kind):
    (finding,) = [finding for finding in study.findings if finding.kind == kind]
    return finding


def nothing_is_lost(study):
    """Every file is in the table or in a finding."""
    named = set(study.runs) | {finding.file for finding in study.findings if finding.file}
    return len(named) == study.files


def test_the_table_of_six_good_records(folder):
    study = merge(folder, assigned=SIX)
    assert study.findings == ()
    assert (study.files, len(study.runs)) == (6, 6)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in study.table().splitlines()]
    assert rows[0] == ["schedule", "n", "test accuracy", "95% interval", "training loss"]
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


def test_what_cannot_be_compared_is_said():
    def said(*labels):
        runs = {f"{label}.json": synthetic_run(label, {"test_accuracy": [0.5]}) for label in labels}
        return ClassStudy(runs=runs, findings=(), files=len(runs), schedules=labels).report()

    assert "Nothing to compare: all runs have the schedule linear." in said("linear")
    assert "compares with constant and with linear, and neither was run" in said("drop", "time")


def test_an_interval_past_the_whole_is_explained(folder):
    words = "An interval that reaches past 100%"
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
    from lrlib.runs.record import digest

    data = json.loads((folder / "a.json").read_text())
    data["config"] |= {"epochs": 10**400, "seed": 12}
    (folder / "absurd.json").write_text(json.dumps({**data, "digest": digest(data)}))
    study = merge(folder, assigned=SIX)
    assert [finding.file for finding in study.findings] == ["absurd.json"]
    assert len(study.runs) == 6
