"""Studies: the plan of a file, and a scheduler that can be killed, run twice and run dry of time."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout

from lrlib import preset
from lrlib.runs.config import ConfigError
from lrlib.runs.record import RecordError
from lrlib.runs.store import read_run, write_run
from lrlib.schedules.recipes import DropRecipe
from lrlib.sweeps.local import run_study, work, worker_code
from lrlib.sweeps.one_run import do
from lrlib.sweeps.study import Planned, StudyError, plan, read_study, status
from lrlib.sweeps.timing import hours_left
from lrlib.training.run import train

ROOT = Path(__file__).parents[3]
SMALL = {
    "preset": "digits",
    "recipes": ["constant", "linear"],
    "seeds": [1, 2],
    "changes": {"train_images": 100, "test_images": 50, "epochs": 4},
}


def file_of(folder, *, seeds, **changes):
    data = {**SMALL, "seeds": seeds, "changes": {**SMALL["changes"], **changes}}
    lines = [f"{key} = {value!r}" for key, value in data.items() if key != "changes"]
    lines += ["[changes]", *(f"{key} = {value}" for key, value in data["changes"].items())]
    path = folder / "small.toml"
    path.write_text("\n".join(lines))
    return path


def one_run(folder):
    """A study of one run of one epoch."""
    few = {"train_images": 50, "test_images": 50, "epochs": 1}
    return plan("small", {**SMALL, "recipes": ["linear"], "seeds": [1], "changes": few}, folder)


def test_seed_by_seed_over_all_schedules(tmp_path):
    study = plan("small", SMALL, tmp_path)
    assert [run.name for run in study.runs] == [
        "constant-seed1",
        "linear-seed1",
        "constant-seed2",
        "linear-seed2",
    ]
    changed = preset("digits", recipe="linear", seed=2, train_images=100, test_images=50, epochs=4)
    assert study.runs[3].config == changed
    assert study.runs[3].record == tmp_path / "linear-seed2.json"


def test_a_title_is_the_studys_own_or_its_name(tmp_path):
    assert plan("small", {**SMALL, "title": "A title"}, tmp_path).title == "A title"
    assert plan("small", SMALL, tmp_path).title == "small"


def test_records_go_to_the_package_in_a_checkout_and_to_runs_elsewhere(tmp_path, monkeypatch):
    path = file_of(tmp_path, seeds=[1])
    monkeypatch.chdir(tmp_path)
    assert read_study(path).runs[0].record == Path("runs/small/constant-seed1.json")
    Path("lrlib/recorded").mkdir(parents=True)
    assert read_study(path).runs[0].record == Path("lrlib/recorded/small/constant-seed1.json")


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("survey-laptop", 40),
        ("source", 5),
        ("resnet50", 8),
        ("horizon", 24),
        ("horizon-digits", 36),
        ("data-digits", 30),
        ("task-digits", 15),
        ("network-digits", 30),
        ("warmup-digits", 18),
        ("warmup-rule", 288),
        ("rates-digits", 63),
        ("resnet50-gpu", 8),
        ("source-gpu", 5),
        ("laptop-map-gpu", 96),
        ("modern-digits", 630),
        ("fair-digits", 360),
        ("snapshots", 15),
        ("map15-gpu", 112),
        ("fair-gpu", 80),
        ("path-graph", 6),
        ("path-plain-gpu", 6),
    ],
)
def test_the_studies_of_the_book(name, runs):
    study = read_study(ROOT / "studies" / f"{name}.toml")
    assert len({run.config.identity() for run in study.runs}) == len(study.runs) == runs


def test_what_the_issue_fixes_of_them():
    laptop, resnet50, horizon = (
        read_study(ROOT / "studies" / f"{name}.toml").runs
        for name in ("survey-laptop", "resnet50", "horizon")
    )
    assert [run.config.seed for run in laptop] == [seed for seed in (1, 2, 3, 4, 5) for _ in range(8)]
    (drop,) = [run.config for run in resnet50 if run.config.recipe.label == "drop"]
    assert drop.recipe == DropRecipe(drop_factor=0.5, drop_fraction=0.1)
    # Half every 10 epochs of 391 updates, held.
    schedule = drop.schedule()
    assert [schedule(391 * epoch) for epoch in (0, 9, 10, 19, 20)] == [1, 1, 0.5, 0.5, 0.25]
    assert sorted({run.config.epochs for run in horizon}) == [5, 10, 20, 40]
    assert {run.config.recipe.label for run in horizon} == {"constant", "drop", "linear"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seeds": []}, "seeds is missing"),
        ({"preset": None}, "preset is missing"),
        ({"seeds": 3}, "seeds must be a list of at least one, got 3"),
        ({"seeds": ["a"]}, "a number is needed, got 'a'"),
        ({"seeds": [1, 1]}, "would both be called constant-seed1"),
        ({"recipes": ["linear", {"kind": "linear_recipe", "version": 1}]}, "both be called linear-seed1"),
        ({"recipes": ["lineer"]}, "did you mean 'linear'?"),
        ({"recipes": [{"kind": "linear_recipe"}]}, "version of 'linear_recipe' must be 1"),
        ({"recipes": [5]}, "recipe must be a Recipe or the name of one, got 5"),
        ({"preset": "labtop"}, "did you mean 'laptop'?"),
        ({"sedes": [1]}, "did you mean 'seeds'?"),
        ({"changes": {"epoch": 1}}, "did you mean 'epochs'?"),
        ({"variants": ["parity"]}, "variants must be a table of tables, got ['parity']"),
        ({"variants": {"parity": 2}}, "variants must be a table of tables, got {'parity': 2}"),
        ({"variants": {"a/b": {}}}, "must be small letters and digits, got 'a/b'"),
        ({"variants": {"odd": {"tsk": "parity"}}}, "did you mean 'task'?"),
        (
            {"variants": {"long": {"epochs": 9}}, "epochs": [2]},
            "epochs is set by variant 'long' and by epochs",
        ),
        ({"epochs": []}, "epochs must be a list of at least one, got []"),
        ({"preset": ["digits"]}, "preset must be a name, got ['digits']"),
        ({"changes": 3}, "changes must be a table, got 3"),
        ({"changes": {"seed": 3}}, "seed is set by changes and by seeds; leave one out"),
        ({"changes": {"epochs": 3}, "epochs": [2]}, "epochs is set by changes and by epochs; leave one out"),
        ({"variants": {"odd": {"seed": 9}}}, "seed is set by variant 'odd' and by seeds"),
        ({"own_peak_lrs": [0.1]}, "own_peak_lrs must be a table of a rate for each recipe, got [0.1]"),
        ({"own_peak_lrs": {"linear": 0.1}}, "a rate for each recipe and no other, see constant"),
        ({"own_peak_lrs": {"constant": 0.1, "linear": 0.1, "time": 0.1}}, "and no other, see time"),
        (
            {"own_peak_lrs": {"constant": 0.1, "linear": 0.1}, "peak_lrs": [0.1]},
            "peak_lr is set by peak_lrs and by own_peak_lrs; leave one out",
        ),
        (
            {"own_peak_lrs": {"constant": 0.1, "linear": 0.1}, "changes": {"peak_lr": 0.1}},
            "peak_lr is set by changes and by own_peak_lrs; leave one out",
        ),
        ({"own_peak_lrs": {"constant": -1, "linear": 0.1}}, "peak_lr"),
    ],
)
def test_bad_studies_are_one_sentence(change, words, tmp_path):
    with pytest.raises((StudyError, ConfigError)) as caught:
        plan("small", {**SMALL, **change}, tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_variants_change_other_fields_and_enter_the_names(tmp_path):
    variants = {"images50": {"train_images": 50, "epochs": 8}, "parity": {"task": "parity"}}
    study = plan("small", {**SMALL, "seeds": [3], "recipes": ["linear"], "variants": variants}, tmp_path)
    assert [run.name for run in study.runs] == ["linear-seed3-images50", "linear-seed3-parity"]
    few, odd = (run.config for run in study.runs)
    # 50 images for 8 epochs are as many updates of 5 as 100 images for 4: 80.
    assert (few.train_images, few.epochs, few.total_steps, few.task) == (50, 8, 80, "classes")
    assert (odd.train_images, odd.epochs, odd.total_steps, odd.task) == (100, 4, 80, "parity")


def test_each_recipe_may_have_a_peak_rate_of_its_own(tmp_path):
    recipes = ["constant", {"kind": "drop_recipe", "version": 1, "drop_factor": 0.5, "drop_fraction": 0.1}]
    own = {"constant": 0.01, "drop": 0.3}
    study = plan("small", {**SMALL, "seeds": [3, 4], "recipes": recipes, "own_peak_lrs": own}, tmp_path)
    assert [(run.name, run.config.peak_lr) for run in study.runs] == [
        ("constant-seed3", 0.01),
        ("drop-seed3", 0.3),
        ("constant-seed4", 0.01),
        ("drop-seed4", 0.3),
    ]


def test_the_studies_of_factors_change_one_thing():
    """Each run has a partner in survey-digits, and the same number of updates."""
    partners = {
        (run.config.recipe.label, run.config.seed): run.config
        for run in read_study(ROOT / "studies" / "survey-digits.toml").runs
    }
    changed = {
        "data-digits": {"train_images", "epochs"},
        "task-digits": {"task"},
        "network-digits": {"network", "peak_lr"},
    }
    for name, fields in changed.items():
        for run in read_study(ROOT / "studies" / f"{name}.toml").runs:
            partner = partners[run.config.recipe.label, run.config.seed]
            assert run.config.total_steps == partner.total_steps == 1600
            both = zip(run.config, partner, strict=True)
            different = {field for (field, mine), (_, other) in both if mine != other}
            assert different == (fields if "slow" in run.name else fields - {"peak_lr"})


def test_files_that_are_no_studies(tmp_path):
    with pytest.raises(StudyError, match="there is no such file"):
        read_study(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("preset = ")
    with pytest.raises(StudyError, match="not a TOML file"):
        read_study(tmp_path / "bad.toml")
    (tmp_path / "wrong.toml").write_text("preset = 'digits'\nrecipes = ['lineer']\nseeds = [1]")
    with pytest.raises(StudyError, match=r"wrong\.toml: .*did you mean 'linear'"):
        read_study(tmp_path / "wrong.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(StudyError, match=r"folder\.toml: cannot be read \(Is a directory\)"):
        read_study(tmp_path / "folder.toml")
    (tmp_path / "old.toml").write_bytes("title = 'Größe'".encode("latin-1"))
    with pytest.raises(StudyError, match=r"old\.toml: is not in UTF-8 \(see byte 12\); save it again with"):
        read_study(tmp_path / "old.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(StudyError, match=r"deep\.toml: "):
        read_study(tmp_path / "deep.toml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_study_as_notepad_and_powershell_save_it(encoding, tmp_path):
    text = 'title = "Größe"\r\npreset = "digits"\r\nrecipes = ["linear"]\r\nseeds = [1]\r\n'
    (tmp_path / "two.toml").write_bytes(text.encode(encoding))
    assert read_study(tmp_path / "two.toml").title == "Größe"


def test_states(tmp_path):
    study = plan("small", SMALL, tmp_path)
    finished, diverged, cut, missing = study.runs
    do(finished)
    bad = diverged.config.changed(peak_lr=1e6)
    diverged = Planned(bad, diverged.record)
    do(diverged)
    train(cut.config, checkpoint=cut.checkpoint, progress=False)
    states = [run.state() for run in (finished, diverged, cut, missing)]
    assert states == ["finished", "diverged", "cut", "missing"]
    with missing.lock():
        assert missing.state() == "running"
        assert do(missing) is None
    assert missing.state() == "missing"
    counts = {state: len(runs) for state, runs in status(study_of(finished, diverged, cut, missing)).items()}
    assert counts == {"finished": 1, "diverged": 1, "running": 0, "cut": 1, "missing": 1}
    assert not list(tmp_path.glob(".*"))


def study_of(*runs):
    from lrlib.sweeps.study import Study

    return Study("these", "These", runs)


def test_hours_left_goes_by_the_studys_own_records_on_this_machine(tmp_path):
    few = {"train_images": 50, "test_images": 50}
    study = plan("small", {**SMALL, "seeds": [1], "epochs": [1, 2], "changes": few}, tmp_path)
    assert hours_left(study) is None

    def record(planned, **changes):
        run = train(planned.config, progress=False)
        provenance = run.provenance.model_copy(update=changes)
        write_run(run.model_copy(update={"provenance": provenance}), planned.record)

    # The runs: two of one epoch, two of two. What another machine did is done, and says nothing of this one.
    record(study.runs[0], hardware="Another", seconds=999.0)
    assert hours_left(study) is None
    # An epoch takes 36 seconds here, 0.01 hours, and four are left.
    record(study.runs[1], seconds=36.0)
    assert hours_left(study) == pytest.approx(0.04)
    assert hours_left(study, jobs=2) == pytest.approx(0.02)


def test_a_run_computes_as_it_is_told_and_says_so(tmp_path):
    how = do(one_run(tmp_path).runs[0], threads=2, path="fast", command="lrlib x").provenance
    assert (how.threads, how.path, how.command) == (2, "fast", "lrlib x")


def test_a_record_of_another_config_is_not_taken_for_ours(tmp_path):
    study = plan("small", SMALL, tmp_path)
    ours = study.runs[0]
    write_run(train(ours.config.changed(seed=9), progress=False), ours.record)
    with pytest.raises(StudyError, match="holds a run of another config"):
        ours.recorded()


def test_a_file_in_the_current_folder_is_not_taken_for_a_module(tmp_path, monkeypatch):
    """A worker starts where the student is, beside a random.py of the student's own."""
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    for path in (["", *sys.path], sys.path):  # a notebook has the current folder first, as ""
        monkeypatch.setattr(sys, "path", path)
        code = worker_code().removesuffix("from lrlib.cli import main\nmain()")
        assert code.endswith("sys.argv = ['lrlib', 'study', 'work']\n")
        asked = f"{code}import random, lrlib; print(random.randrange(1), lrlib.__name__)"
        done = subprocess.run([sys.executable, "-P", "-c", asked], capture_output=True, text=True)
        assert done.stdout == "0 lrlib\n", done.stderr


def test_one_run_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    """One process does one run after another; only after the one that fails comes a new process."""
    started, popen = [], subprocess.Popen

    def start(*words, **how):
        started.append(popen(*words, **how))
        return started[-1]

    monkeypatch.setattr("lrlib.sweeps.local.subprocess", SimpleNamespace(Popen=start, PIPE=subprocess.PIPE))
    study = plan("small", SMALL, tmp_path)
    study.runs[1].checkpoint.write_bytes(b"not a checkpoint")
    lines = []
    assert run_study(study, say=lines.append) is False
    assert [run.state() for run in study.runs] == ["finished", "cut", "finished", "finished"]
    (complaint,) = [line for line in lines if "failed" in line]
    assert complaint.startswith("linear-seed1: failed: ")
    assert complaint.endswith("not a checkpoint that this lrlib can read; delete it to start again")
    assert lines[-1] == "small: 3 of 4 runs are recorded."
    assert any(line.startswith("[3/4] ") and "test accuracy" in line for line in lines)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)
    last = study.runs[3]  # it came second in its process, and is what it would have been alone
    assert read_run(last.record).measured() == train(last.config, progress=False).measured()
    before = [run.record.read_bytes() for run in study.runs if run.record.exists()]
    study.runs[1].checkpoint.unlink()
    assert run_study(study, say=lines.append) is True
    assert before == [study.runs[i].record.read_bytes() for i in (0, 2, 3)]


@pytest.fixture
def told(monkeypatch):
    """Workers that do their run at once, in this process; a list of what each was told."""
    tasks = []

    def write(line):
        tasks.append(json.loads(line)["how"])
        monkeypatch.setattr("sys.stdin", [line])
        work()

    def start(*_, **__):
        stdin = SimpleNamespace(write=write, flush=lambda: None, close=lambda: None)
        return SimpleNamespace(
            stdin=stdin, poll=lambda: None, terminate=lambda: None, wait=lambda: 0, returncode=0
        )

    monkeypatch.setattr("lrlib.sweeps.local.subprocess", SimpleNamespace(Popen=start, PIPE=None))
    return tasks


def test_a_worker_computes_as_the_study_is_told(tmp_path, told):
    study = one_run(tmp_path)
    assert run_study(study, threads=2, path="fast", command="lrlib study", say=[].append) is True
    how = read_run(study.runs[0].record).provenance
    assert (how.threads, how.path, how.command) == (2, "fast", "lrlib study")


@pytest.mark.parametrize(
    ("options", "threads"),
    [({"jobs": 2}, 4), ({"jobs": 1}, None), ({"jobs": 16}, 1), ({"jobs": 2, "threads": 3}, 3)],
    ids=str,
)
def test_several_jobs_share_the_cores(options, threads, tmp_path, monkeypatch, told):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert run_study(one_run(tmp_path), **options, say=[].append) is True
    assert [how["threads"] for how in told] == [threads]


@pytest.mark.parametrize(("seconds", "recorded"), [(3599.0, 1), (3600.0, 0)])
def test_an_hour_is_an_hour(seconds, recorded, tmp_path, monkeypatch, told):
    begin, lines = iter([0.0]), []
    monkeypatch.setattr("lrlib.sweeps.local.monotonic", lambda: next(begin, seconds))
    assert run_study(one_run(tmp_path), hours=1, say=lines.append) is True
    assert (len(told), lines[-1]) == (recorded, f"small: {recorded} of 1 runs are recorded.")


def command(path, out, *more):
    words = [sys.executable, "-m", "lrlib.cli", "study", "run", str(path), "--out", str(out), *more]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def test_killed_twice_a_study_ends_as_if_undisturbed(tmp_path):
    """SIGKILL for the scheduler and its workers at once, at moments that nothing in them chose."""
    path = file_of(tmp_path, seeds=[1], epochs=20)
    study = read_study(path, out=tmp_path / "out")
    for delay in (0.6, 0.2):
        process = command(path, tmp_path / "out", "--jobs", "2", "--threads", "1")
        limit = time.monotonic() + 600  # a busy machine is slow, not wrong
        before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*.pt")}
        while {f: f.stat().st_mtime_ns for f in (tmp_path / "out").glob("*.pt")} == before:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < limit
            time.sleep(0.01)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert sum(run.record.exists() for run in study.runs) < 2

    # Two at a time: each record is written once.
    both = [command(path, tmp_path / "out", "--threads", "1") for _ in range(2)]
    for process in both:
        text, _ = process.communicate(timeout=600)
        assert process.returncode == 0, text
        assert "small: 2 of 2 runs are recorded." in text or "left to another process" in text
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert files == sorted(run.record.name for run in study.runs)
    for run in study.runs:
        assert read_run(run.record).measured() == train(run.config, progress=False, threads=1).measured()


def test_out_of_time_it_leaves_a_checkpoint_and_says_what_is_recorded(tmp_path, monkeypatch):
    study = read_study(file_of(tmp_path, seeds=[1], epochs=4000), out=tmp_path / "out")
    first = study.runs[0]
    # The clock jumps past the deadline as soon as there is a checkpoint, however fast this machine is.
    monkeypatch.setattr("lrlib.sweeps.local.monotonic", lambda: 3601.0 if first.checkpoint.exists() else 0.0)
    lines = []
    assert run_study(study, hours=1, say=lines.append) is True
    assert lines == ["small: 0 of 2 runs are recorded."]
    assert [run.state() for run in study.runs] == ["cut", "missing"]


def test_a_polite_kill_ends_the_workers_too(tmp_path):
    path = file_of(tmp_path, seeds=[1], epochs=4000)
    first = read_study(path, out=tmp_path / "out").runs[0]
    process = command(path, tmp_path / "out")
    limit = time.monotonic() + 600
    while not first.checkpoint.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert first.state() == "running"
    process.terminate()
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 143, text
    assert first.state() == "cut"


def test_two_records_of_one_name_and_the_first_wins(tmp_path):
    run = train(plan("small", SMALL, tmp_path).runs[0].config, progress=False)
    write_run(run, tmp_path / "run.json")
    with pytest.raises(RecordError, match="a record is there already"):
        write_run(run, tmp_path / "run.json")


def test_a_worker_that_complains_at_length_ends(tmp_path, monkeypatch):
    """More than a pipe holds: read only after the end, it would have kept the worker from ending."""
    loud = "import sys\nsys.stderr.write('x' * 300_000 + chr(10) + 'lrlib: too much')\nsys.exit(3)"
    monkeypatch.setattr("lrlib.sweeps.local.worker_code", lambda: loud)
    lines = []
    study = plan("small", {**SMALL, "seeds": [1]}, tmp_path / "out")
    assert run_study(study, jobs=2, say=lines.append) is False
    assert sorted(lines)[:2] == ["constant-seed1: failed: too much", "linear-seed1: failed: too much"]


def test_a_path_that_is_none_is_refused_before_any_worker_starts(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'fast'"):
        run_study(plan("small", SMALL, tmp_path), path="fsat")
    assert list(tmp_path.iterdir()) == []


def test_tidy_leaves_the_files_of_a_longer_name_alone(tmp_path):
    run = plan("small", {**SMALL, "seeds": [1], "recipes": ["linear"], "peak_lrs": [1]}, tmp_path).runs[0]
    assert run.name == "linear-seed1-lr1"
    mine, other = (tmp_path / f".linear-seed1-lr{x}.json.77.tmp" for x in ("1", "1.5"))
    mine.touch()
    other.touch()
    run.tidy()
    assert list(tmp_path.iterdir()) == [other]


def test_a_look_at_the_state_does_not_keep_a_worker_off(tmp_path):
    run = one_run(tmp_path).runs[0]
    with run.lock():
        assert run.state() == "running"
        with pytest.raises(Timeout), run.held():
            pass
    lock = FileLock(run.record.with_suffix(".lock"), thread_local=False)
    lock.acquire()
    threading.Timer(0.2, lock.release).start()  # as a look would, only longer
    with run.held():
        pass


NO_LOCKS = [
    NotImplementedError("FileSystem does not appear to support flock"),
    OSError(errno.ENOSYS, "Function not implemented"),
    OSError(errno.ENOTSUP, "Operation not supported"),
]


def refuse_locks(monkeypatch, error):
    def acquire(*_, **__):
        raise error

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)


@pytest.mark.parametrize("error", NO_LOCKS, ids=str)
def test_a_drive_without_locks_is_worked_on_without(error, tmp_path, monkeypatch):
    run = one_run(tmp_path).runs[0]
    refuse_locks(monkeypatch, error)
    with run.held():
        pass


def test_a_lock_that_is_not_allowed_is_no_drive_without_locks(tmp_path, monkeypatch):
    run = one_run(tmp_path).runs[0]
    refuse_locks(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    with pytest.raises(PermissionError, match="Permission denied"), run.held():
        pass


def test_status_on_the_command_line(lrlib, tmp_path):
    path = file_of(tmp_path, seeds=[1, 2])
    study = read_study(path, out=tmp_path / "out")
    do(study.runs[0])
    code, out, _ = lrlib("study", "status", path, "--out", tmp_path / "out")
    assert code == 0
    assert "1 of 4 runs are recorded" in out
    assert re.search(r"finished +1 +constant-seed1$", out, re.M)
    assert re.search(r"missing +3 +linear-seed1, constant-seed2, linear-seed2$", out, re.M)
    assert re.search(r"hours left on this machine, 1 at a time: about \d", out)


def test_status_tells_the_hours_of_so_many_jobs(lrlib, tmp_path, monkeypatch):
    monkeypatch.setattr("lrlib.sweeps.timing.hours_left", lambda study, *, jobs=1: 12 / jobs)
    path = file_of(tmp_path, seeds=[1])
    code, out, _ = lrlib("study", "status", path, "--out", tmp_path / "out", "--jobs", "3")
    assert code == 0
    assert out.endswith("hours left on this machine, 3 at a time: about 4.0\n")


@pytest.mark.parametrize(("done", "expected"), [(True, 0), (False, 1)])
def test_run_on_the_command_line(done, expected, lrlib, tmp_path, monkeypatch):
    """Its options reach the scheduler, and its exit status says whether nothing failed."""
    seen = {}
    monkeypatch.setattr(
        "lrlib.cli_study.signal.signal", lambda *_: None
    )  # these are the tests' own signals here
    monkeypatch.setattr("lrlib.sweeps.local.run_study", lambda study, **options: seen.update(options) or done)
    options = "--hours 2.5 --jobs 3 --threads 2 --path fast"
    code, _, _ = lrlib("study", "run", file_of(tmp_path, seeds=[1]), *options.split())
    assert code == expected
    assert seen.pop("command")[:3] == ["lrlib", "study", "run"]
    assert seen.pop("say")
    assert seen == {"hours": 2.5, "jobs": 3, "threads": 2, "path": "fast", "deterministic": False}
