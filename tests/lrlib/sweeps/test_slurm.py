"""Slurm: submitit's tasks on this machine, killed and cancelled; and what a false sbatch is asked for."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

pytest.importorskip("submitit")

import psutil

from lrlib.runs.store import read_run
from lrlib.sweeps import slurm
from lrlib.sweeps.engines import Resources
from lrlib.sweeps.study import StudyError
from on_clusters import MODULES, are_as_if_alone, data_of, study_of, until

HERE = Resources(address="local")


def tasks():
    """The processes of this one that do runs for submitit."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "submitit.core._submit" in process.cmdline():
                found.append(process)
    return found


def test_a_killed_task_costs_no_run_and_a_failed_run_is_named(tmp_path, monkeypatch):
    """In the folder of a student whose file has the name of a package that tasks import."""
    (tmp_path / "student").mkdir()
    (tmp_path / "student/sklearn.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path / "student")
    study, lines = study_of(tmp_path / "out", recipes=["linear"], epochs=[40, 4, 5]), []
    lost, short, bad = study.runs
    bad.checkpoint.parent.mkdir()
    bad.checkpoint.write_bytes(b"not a checkpoint")

    def kill():
        until(lost.checkpoint.exists)
        os.kill(tasks()[0].pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    resources = Resources(address="local", block=3)
    assert slurm.run_on_slurm(study, resources=resources, say=lines.append, command=["lrlib", "x"]) is False
    thread.join()
    assert lines[0] == f"{lost.name}: lost its task, and goes on from its checkpoint in another"
    failed, logs, recorded = lines[-3:]
    assert failed.startswith(f"{bad.name}: failed: ")
    assert failed.endswith("not a checkpoint that this lrlib can read; delete it to start again")
    assert logs == f"small: the tasks' logs are in {tmp_path / 'out/.queue'}"
    assert recorded == "small: 2 of 3 runs are recorded."
    shutil.rmtree(tmp_path / "out/.queue")
    bad.checkpoint.unlink()
    assert are_as_if_alone(replace(study, runs=(lost, short)))
    first = read_run(lost.record).provenance
    assert (first.command, first.threads, first.parts) == ("lrlib x", 1, 2)


def test_out_of_time_tasks_end(tmp_path, monkeypatch):
    study, lines = study_of(tmp_path, epochs=[4000]), []
    cut = study.runs[0]
    monkeypatch.setattr(slurm, "monotonic", lambda: 3601.0 if cut.checkpoint.exists() else 0.0)
    assert slurm.run_on_slurm(study, resources=HERE, jobs=1, hours=1, say=lines.append) is True
    assert lines == ["small: 0 of 2 runs are recorded."]
    until(lambda: not tasks())
    assert [run.state() for run in study.runs] == ["cut", "missing"]


def test_a_killed_driver_leaves_its_tasks_to_the_next(tmp_path):
    study = study_of(tmp_path / "out", recipes=["linear"])
    code = f"""
from pathlib import Path
from lrlib.sweeps.engines import Resources, engine
from lrlib.sweeps.study import plan
study = plan("small", {data_of(recipes=["linear"])}, Path({str(tmp_path / "out")!r}))
engine("slurm", Resources(address="local"))(study)
"""
    env = {**os.environ, "PYTHONPATH": MODULES}
    driver = subprocess.Popen([sys.executable, "-P", "-c", code], env=env)
    until(lambda: study.runs[0].record.with_suffix(".lock").exists())
    driver.kill()
    driver.wait()
    lines = []
    assert slurm.run_on_slurm(study, resources=HERE, say=lines.append) is True
    assert lines[0] in ("linear-seed1: left to another process", "small: 1 of 1 runs are recorded.")
    until(study.runs[0].record.exists)
    assert slurm.run_on_slurm(study, resources=HERE, say=lines.append) is True
    assert lines[-1] == "small: 1 of 1 runs are recorded."
    assert are_as_if_alone(study)  # what the killed one has left goes too


def program(folder, name, text):
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def false_slurm(tmp_path, monkeypatch):
    """A queue that takes every job, starts none, and notes what it was asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "srun", "exit 1")
    program(folder, "sbatch", f'cp "$1" {folder}/script; echo Submitted batch job 77')
    program(folder, "scancel", f'echo "$@" >> {folder}/cancelled')
    rows = "\\n".join(["JobID|State|NodeList", *(f"77_{i}|PENDING|" for i in range(4))])
    program(folder, "sacct", f"printf '{rows}\\n'")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(slurm, "LOOK", 0.01)
    return folder


def test_what_slurm_is_asked_for(false_slurm, tmp_path, monkeypatch):
    study, lines = study_of(tmp_path / "out", seeds=[1, 2]), []
    clock = iter(range(10_000))
    monkeypatch.setattr(slurm, "monotonic", lambda: 1000.0 * next(clock))
    queue = ["slurm_partition=students", "timeout_min=90"]
    resources = Resources(gpus=1, queue=queue)
    options = {"jobs": 3, "threads": 2, "hours": 1}
    assert slurm.run_on_slurm(study, resources=resources, say=lines.append, **options) is True
    assert lines == ["small: 0 of 4 runs are recorded."]
    script = (false_slurm / "script").read_text()
    asked = dict(re.findall(r"#SBATCH --([\w-]+)=(\S+)", script))
    wanted = {"array": "0-3%3", "cpus-per-task": "2", "gpus-per-node": "1", "partition": "students"}
    assert wanted.items() <= asked.items()
    assert (asked["time"], asked["job-name"], asked["nodes"]) == ("90", "lrlib-small", "1")
    assert (false_slurm / "cancelled").read_text().split() == [f"77_{i}" for i in range(4)]


def test_a_second_start_finds_its_tasks_in_the_queue(false_slurm, tmp_path, monkeypatch):
    study, lines = study_of(tmp_path / "out", seeds=[1, 2, 3]), []
    (tmp_path / "out/.queue").mkdir(parents=True)
    note = [{"id": f"77_{i}", "runs": [study.runs[i].name]} for i in range(4)]
    (tmp_path / "out/.queue/tasks.json").write_text(json.dumps(note))
    clock = iter(range(10_000))
    monkeypatch.setattr(slurm, "monotonic", lambda: 1000.0 * next(clock))
    assert slurm.run_on_slurm(study, resources=Resources(), hours=1, say=lines.append) is True
    assert lines[0] == "small: 4 runs are in the queue already"
    assert "--array=0-1%" in (false_slurm / "script").read_text()


def test_without_slurm_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudyError, match=r"Slurm could not be asked \(.*\); start on a machine with sbatch"):
        slurm.run_on_slurm(study_of(tmp_path / "out"), resources=Resources())


def test_more_runs_than_an_array_holds_are_done_several_a_task(false_slurm, tmp_path, monkeypatch):
    study = study_of(tmp_path / "out", seeds=range(8))
    monkeypatch.setattr(slurm, "ARRAY", 5)
    clock = iter(range(10_000))
    monkeypatch.setattr(slurm, "monotonic", lambda: 1000.0 * next(clock))
    assert slurm.run_on_slurm(study, resources=Resources(), hours=1, say=[].append) is True
    assert "--array=0-3%" in (false_slurm / "script").read_text()  # 16 runs, 4 a task
