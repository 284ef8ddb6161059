"""Many runs in one process: the same records as one at a time, cut and stopped at any moment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from lrlib.runs.store import read_run, write_run
from lrlib.sweeps import together
from lrlib.sweeps.local import missing, run_study
from lrlib.sweeps.study import StudyError, plan, read_study
from lrlib.sweeps.timing import hours_left
from lrlib.sweeps.together import run_together
from lrlib.training.checkpoint import Due
from lrlib.training.run import train

FEW = {"train_images": 100, "test_images": 50, "epochs": 3}


def study_in(folder, *, seeds=(1, 2), recipes=("constant", "linear"), **changes):
    data = {"preset": "digits", "recipes": list(recipes), "seeds": list(seeds), "changes": {**FEW, **changes}}
    return plan("small", data, folder)


def test_records_are_those_of_runs_alone_and_a_slot_goes_to_the_next(tmp_path):
    study, lines = study_in(tmp_path), []
    assert run_together(study, together=3, path="graph", command="lrlib x", say=lines.append) is True
    for planned in study.runs:
        run = read_run(planned.record)
        p = run.provenance
        assert (p.together, p.path, p.deterministic, p.command) == (3, "graph", False, "lrlib x")
        assert run.measured() == train(planned.config, progress=False, path="graph").measured()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(run.record.name for run in study.runs)
    begun = [line.split()[2] for line in lines if line.endswith(": begins")]
    assert begun == [f"{run.name}:" for run in study.runs]
    first_end = next(i for i, line in enumerate(lines) if "finished after 3 epochs" in line)
    assert lines.index(next(line for line in lines if "linear-seed2: begins" in line)) > first_end
    assert lines[-1] == "small: 4 of 4 runs are recorded."
    before = [run.record.read_bytes() for run in study.runs]
    assert run_together(study, together=3, path="graph", say=lines.append) is True  # nothing is left to do
    assert [run.record.read_bytes() for run in study.runs] == before


def test_studies_beside_one_another_are_each_what_they_are_alone(tmp_path):
    """Two of the first at a time and one of the second, which ends long before."""
    large, small, lines = study_in(tmp_path / "a", epochs=9), study_in(tmp_path / "b"), []
    small = type(small)("few", "Few", small.runs)
    assert run_together(large, together=2, beside=[(small, 1)], path="graph", say=lines.append) is True
    for planned in large.runs + small.runs:
        run = read_run(planned.record)
        assert run.provenance.together == 3
        assert run.measured() == train(planned.config, progress=False, path="graph").measured()
    events = [(line.split()[2].strip(":"), line.split()[3]) for line in lines if line.endswith("begins")]
    assert [name for name, _ in events[:3]] == ["constant-seed1", "linear-seed1", "constant-seed1"]
    ends = [line.split()[2] for line in lines if "finished after" in line]
    assert ends[:2] == ["[1/4]", "[2/4]"]  # both of the small study
    assert lines[-2:] == ["small: 4 of 4 runs are recorded.", "few: 4 of 4 runs are recorded."]
    with pytest.raises(ValueError, match="beside must name other studies, each once, got small twice"):
        run_together(large, together=1, beside=[(large, 1)])
    with pytest.raises(ValueError, match="runs of few at a time must be >= 1, got 0"):
        run_together(large, together=1, beside=[(small, 0)])


def test_how_far_a_run_is_is_told_once_a_minute(tmp_path, monkeypatch):
    now = [0.0]

    def a_minute_an_epoch():
        now[0] += 10.0
        return now[0]

    monkeypatch.setattr(together, "monotonic", a_minute_an_epoch)
    lines = []
    run_together(study_in(tmp_path, seeds=[1], recipes=["linear"], epochs=9), together=1, say=lines.append)
    told = [line.split(": ")[1] for line in lines if "epochs of 9" in line]
    epochs = [int(line.split()[0]) for line in told]
    assert epochs == sorted(set(epochs))
    assert 0 < len(epochs) < 8


def test_on_the_plain_path_too(tmp_path):
    study = study_in(tmp_path, seeds=[1])
    run_together(study, together=2, say=[].append)
    for planned in study.runs:
        assert read_run(planned.record).measured() == train(planned.config, progress=False).measured()


@pytest.mark.parametrize("asked", [1, 2, 4])
def test_asked_to_stop_runs_end_with_their_epoch_and_go_on_bit_for_bit(asked, tmp_path):
    study, lines, count = study_in(tmp_path), [], iter(range(1000))
    assert (
        run_together(study, together=2, path="graph", say=lines.append, stop=lambda: next(count) > asked)
        is True
    )
    states = [run.state() for run in study.runs]
    assert "cut" in states
    assert lines[-1] == f"small: {states.count('finished')} of 4 runs are recorded."
    assert run_together(study, together=2, path="graph", say=lines.append) is True
    for planned in study.runs:
        run = read_run(planned.record)
        assert run.measured() == train(planned.config, progress=False, path="graph").measured()
    assert 2 in {read_run(planned.record).provenance.parts for planned in study.runs}
    assert not list(tmp_path.glob("*.pt"))


def test_minutes_are_minutes(tmp_path, monkeypatch):
    """Of a run that takes long, what was done when the time is up stays; the next is not begun."""
    study = study_in(tmp_path, seeds=[1], epochs=500)
    first = study.runs[0]
    clock = lambda: 61.0 if first.checkpoint.exists() else 0.0  # noqa: E731
    monkeypatch.setattr(together, "monotonic", clock)
    assert run_together(study, together=1, minutes=1, say=[].append) is True
    assert [run.state() for run in study.runs] == ["cut", "missing"]
    with pytest.raises(ValueError, match="minutes must be > 0 and finite, got 0"):
        run_together(study, together=1, minutes=0)


def test_whole_begins_no_run_that_the_minutes_do_not_reach_for(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("lrlib.sweeps.together.monotonic", lambda: now[0])
    took = {1: 30.0, 2: 50.0, 3: 1.0}  # of 100 s: after 80, a third run like the second would not end

    def doing(planned, target, **_):
        yield
        now[0] += took[planned.config.seed]
        return train(planned.config, progress=False)

    monkeypatch.setattr("lrlib.sweeps.together.doing", doing)
    study = study_in(tmp_path, seeds=[1, 2, 3], recipes=["linear"], epochs=1)
    begun, said = [], []
    for whole, runs in ((True, [1, 2]), (False, [1, 2, 3])):
        now[0], said[:] = 0.0, []
        assert run_together(study, together=1, minutes=100 / 60, whole=whole, say=said.append)
        begun.append(
            [planned.config.seed for planned in study.runs if f"{planned.name}: begins" in "".join(said)]
        )
        assert begun[-1] == runs
        assert ("not begun" in "".join(said)) == whole


def test_one_run_that_fails_does_not_stop_the_others(tmp_path):
    study, lines = study_in(tmp_path), []
    study.runs[1].checkpoint.write_bytes(b"not a checkpoint")
    assert run_together(study, together=2, say=lines.append) is False
    assert [run.state() for run in study.runs] == ["finished", "cut", "finished", "finished"]
    (complaint,) = [line for line in lines if "failed" in line]
    assert "linear-seed1: failed: " in complaint
    assert complaint.endswith("delete it to start again")


def test_a_diverged_run_is_recorded_and_its_slot_goes_on(tmp_path):
    study = study_in(tmp_path, seeds=[1], recipes=["constant"], peak_lr=1e6)
    follows = study_in(tmp_path, seeds=[2], recipes=["linear"])
    both = type(study)("both", "Both", study.runs + follows.runs)
    assert run_together(both, together=1, say=[].append) is True
    assert [run.state() for run in both.runs] == ["diverged", "finished"]


def test_what_another_process_holds_is_left_to_it(tmp_path):
    study = study_in(tmp_path, seeds=[1])
    with FileLock(study.runs[0].record.with_suffix(".lock")):
        run_together(study, together=2, say=[].append)
        assert [run.state() for run in study.runs] == ["running", "finished"]


def test_sigterm_ends_each_run_with_its_epoch(tmp_path):
    """From outside, at a moment that nothing in it chose; going on gives the records of undisturbed runs."""
    path = tmp_path / "small.toml"
    path.write_text(
        'preset = "digits"\nrecipes = ["constant", "linear"]\nseeds = [1]\n'
        "[changes]\ntrain_images = 200\ntest_images = 50\nepochs = 8\n"
    )
    out = tmp_path / "out"
    words = [
        sys.executable,
        "-m",
        "lrlib.cli",
        "study",
        "run",
        str(path),
        "--together",
        "2",
        "--path",
        "graph",
    ]
    words += ["--out", str(out), "--threads", "1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    limit = time.monotonic() + 600
    while not list(out.glob("*.pt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert "Stopping: each run ends with its epoch and keeps a checkpoint." in text
    assert text.endswith("small: 0 of 2 runs are recorded.\n")
    study = read_study(path, out=out)
    assert [run.state() for run in study.runs] == ["cut", "cut"]
    assert run_together(study, together=2, path="graph", threads=1, say=[].append) is True
    for planned in study.runs:
        run = read_run(planned.record)
        assert run.measured() == train(planned.config, progress=False, path="graph").measured()
        assert run.provenance.parts == 2


def test_options_reach_it_and_exclude_each_other(lrlib, tmp_path, monkeypatch):
    path = tmp_path / "small.toml"
    path.write_text('preset = "digits"\nrecipes = ["linear"]\nseeds = [1]\n')
    seen = {}
    monkeypatch.setattr("lrlib.sweeps.together.signal.signal", lambda *_: None)
    monkeypatch.setattr(
        "lrlib.sweeps.together.run_together", lambda study, **options: seen.update(options) or True
    )
    options = "--together 4 --path graph --minutes 7 --whole --deterministic"
    code, _, _ = lrlib("study", "run", path, *options.split())
    assert code == 0
    assert {
        name: seen[name] for name in ("together", "minutes", "whole", "path", "deterministic", "threads")
    } == {
        "together": 4,
        "minutes": 7.0,
        "whole": True,
        "path": "graph",
        "deterministic": True,
        "threads": None,
    }
    assert seen["beside"] == []
    lrlib("study", "run", path, "--together", "1", "--hours", "0.5")
    assert seen["minutes"] == 30.0
    other = tmp_path / "other.toml"
    other.write_text(path.read_text())
    lrlib(
        "study", "run", path, "--together", "1", "--beside", f"{other}:3", "--out", tmp_path / "x" / "small"
    )
    ((beside, runs),) = seen["beside"]
    assert (beside.name, runs) == ("other", 3)
    assert {run.record.parent for run in beside.runs} == {tmp_path / "x" / "other"}
    for words, complaint in (
        ("--together 2 --jobs 2", "give --together or --jobs, not both (got 2 and 2)"),
        ("--beside other:2", "--beside is for runs that share a GPU; give --together too"),
        ("--together 2 --beside other", "--beside takes NAME:RUNS, as laptop-map-gpu:16, got 'other'"),
        ("--whole", "--whole is for runs that share a GPU; give --together too"),
        ("--hours 1 --minutes 2", "give --hours or --minutes, not both (got 1.0 and 2.0)"),
    ):
        code, _, err = lrlib("study", "run", path, *words.split())
        assert (code, err) == (1, f"lrlib: {complaint}\n")


def rerecord(planned, **provenance):
    """Record a run as if it had been done elsewhere."""
    run = train(planned.config, progress=False)
    changed = run.provenance.model_copy(update=provenance)
    write_run(run.model_copy(update={"provenance": changed}), planned.record)


@pytest.mark.parametrize("begin", [run_study, lambda study, **how: run_together(study, together=1, **how)])
def test_a_study_that_a_gpu_began_does_not_go_on_on_a_cpu(begin, tmp_path):
    study = study_in(tmp_path, seeds=[1])
    rerecord(study.runs[0], device="cuda", path="graph")
    with pytest.raises(
        StudyError, match="small was recorded on cuda by path graph, and would go on on cpu by path"
    ):
        begin(study, say=[].append)
    assert study.runs[1].state() == "missing"


def test_on_cpus_paths_may_mix_and_a_whole_study_needs_no_device(tmp_path):
    study = study_in(tmp_path, seeds=[1])
    rerecord(study.runs[0], path="fast")
    assert missing(study) == [study.runs[1]]
    rerecord(study.runs[1], device="cuda", path="graph")
    assert missing(study) == []


def test_seconds_in_company_count_once(tmp_path):
    study = study_in(tmp_path, seeds=[1, 2])
    # Two of four runs took an hour together: so will the other two.
    for planned in study.runs[:2]:
        rerecord(planned, seconds=3600.0, together=2)
    assert hours_left(study) == pytest.approx(1.0)


@pytest.mark.parametrize("together", [1, 16])
def test_writing_checkpoints_takes_at_most_a_fiftieth_of_the_time(together, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("lrlib.training.checkpoint.time.perf_counter", lambda: now[0])
    due = Due(together)
    assert due()  # the first epoch's is always written
    with due.timed():
        now[0] += 0.01
    assert due()  # so is every one that takes no time
    with due.timed():
        now[0] += 0.3
    now[0] += 15.0 * together - 0.1  # all runs of the process wait for each one's
    assert not due()
    now[0] += 0.1
    assert due()


def test_a_large_net_keeps_a_checkpoint_when_it_is_stopped_between(tmp_path, monkeypatch):
    """No checkpoint was due since the first epoch; asked to stop, it is written all the same."""
    monkeypatch.setattr(Due, "SHARE", 1e-9)
    monkeypatch.setattr(Due, "QUICK", 0.0)
    study = study_in(tmp_path, seeds=[1], recipes=["linear"], epochs=5)
    (planned,) = study.runs
    epochs = []

    def stop():
        epochs.append(planned.checkpoint.exists() and planned.checkpoint.stat().st_mtime_ns)
        return len(epochs) == 5  # asked once before it begins: after the fourth epoch

    run_together(study, together=1, say=[].append, stop=stop)
    assert epochs[2] == epochs[3] == epochs[4] != 0  # written once, and not again until it was stopped
    assert planned.checkpoint.stat().st_mtime_ns > epochs[4]
    run_together(study, together=1, say=[].append)
    run = read_run(planned.record)
    assert run.provenance.parts == 2
    assert run.measured() == train(planned.config, progress=False).measured()


def test_a_record_says_its_company(tmp_path):
    study = study_in(tmp_path, seeds=[1], recipes=["linear"], epochs=1)
    run_together(study, together=2, say=[].append)
    written = json.loads(study.runs[0].record.read_text())["provenance"]
    assert (written["together"], written["deterministic"]) == (2, False)
