"""Ray: one cluster for all tests here, whose workers are killed, and a driver that is."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("ray")

import psutil
import ray

from lrlib.runs.store import read_run
from lrlib.sweeps import ray as engine
from lrlib.sweeps import ray_cluster
from lrlib.sweeps.engines import Resources
from lrlib.sweeps.study import StudyError, plan
from lrlib.training.run import train

ROOT = Path(__file__).parents[3]
LIMIT = 600  # seconds; a busy machine is slow, not wrong


def study_of(folder, *, seeds=(1,), epochs=4, recipes=("constant", "linear")):
    few = {"train_images": 100, "test_images": 50, "epochs": epochs}
    return plan(
        "small", {"preset": "digits", "recipes": list(recipes), "seeds": list(seeds), "changes": few}, folder
    )


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """A folder with a file of a student's, named as a package that workers import."""
    folder = tmp_path_factory.mktemp("student")
    (folder / "sklearn.py").write_text("raise SystemExit('the wrong module')")
    return folder


@pytest.fixture(scope="module")
def cluster(away):
    """The address of a cluster of two workers, in which this process is a driver."""
    with contextlib.chdir(away), ray_cluster.connected(None, cpus=2):
        yield ray.get_runtime_context().gcs_address


def is_as_if_alone(study):
    for planned in study.runs:
        run = read_run(planned.record)
        assert run.measured() == train(planned.config, progress=False, threads=1).measured()
    names = sorted(planned.record.name for planned in study.runs)
    return sorted(os.listdir(study.runs[0].record.parent)) == names


def until(done, *, process=None):
    limit = time.monotonic() + LIMIT
    while not done():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)


def workers(of=None):
    """The processes of this cluster that do a run now."""
    found = []
    for process in psutil.Process(of).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::stream"):
                found.append(process)
    return found


def test_records_are_those_of_this_machine(cluster, tmp_path, capfd):
    study = study_of(tmp_path, seeds=[1, 2])
    first, lines = study.runs[0], []
    with first.held():  # by another process, as it were
        assert engine.run_on_ray(study, resources=Resources(), say=lines.append) is True
    assert lines[0] == "constant-seed1: left to another process"
    assert lines[1].startswith("[1/4] ")
    assert lines[-1] == "small: 3 of 4 runs are recorded."
    # Two in company, the one that was left over and a new one.
    more = study_of(tmp_path, seeds=[1, 2, 3], recipes=("constant",))
    resources = Resources(together=2)
    assert engine.run_on_ray(more, resources=resources, say=lines.append, command=["lrlib", "x"]) is True
    assert lines[-1] == "small: 3 of 3 runs are recorded."
    here = [read_run(run.record).provenance for run in more.runs]
    assert [(one.together, one.threads) for one in here] == [(2, 1), (1, 1), (2, 1)]
    assert here[2].command == "lrlib x"
    assert sorted(os.listdir(tmp_path)) == sorted({run.record.name for run in (*study.runs, *more.runs)})
    for planned in (*study.runs, more.runs[2]):
        run = read_run(planned.record)
        assert run.measured() == train(planned.config, progress=False, threads=1).measured()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seen", [True, False], ids=["shared folder", "checkpoints sent"])
def test_a_killed_worker_costs_no_run(seen, cluster, tmp_path, monkeypatch, capfd):
    study = study_of(tmp_path, epochs=40)
    if not seen:  # the workers find another lock beside the record than this one
        monkeypatch.setattr(engine, "mark_of", lambda checkpoint: 0)
    killed = []

    def kill():
        until(lambda: any(run.checkpoint.exists() for run in study.runs))
        until(workers)
        killed.append(workers()[0].pid)
        os.kill(killed[0], signal.SIGKILL)

    thread, lines = threading.Thread(target=kill), []
    thread.start()
    assert engine.run_on_ray(study, resources=Resources(), say=lines.append) is True
    thread.join()
    assert [line for line in lines if "lost its worker, and " in line], lines
    assert is_as_if_alone(study)
    assert capfd.readouterr() == ("", "")


def test_out_of_retries_a_run_fails_and_keeps_its_checkpoint(cluster, tmp_path):
    study, lines = study_of(tmp_path, epochs=4000, recipes=("linear",)), []

    def kill():
        until(study.runs[0].checkpoint.exists)
        for worker in workers():
            os.kill(worker.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    assert engine.run_on_ray(study, resources=Resources(retries=0), say=lines.append) is False
    thread.join()
    assert lines[0].startswith("linear-seed1: failed: lost its worker (The worker died")
    assert lines[1:] == ["small: 0 of 1 runs are recorded."]
    assert study.runs[0].state() == "cut"


def test_out_of_time_workers_end_and_let_go(cluster, tmp_path, monkeypatch):
    study = study_of(tmp_path, epochs=4000)
    cut, lines = study.runs[0], []
    monkeypatch.setattr(engine, "monotonic", lambda: 3601.0 if cut.checkpoint.exists() else 0.0)
    assert engine.run_on_ray(study, resources=Resources(), jobs=1, hours=1, say=lines.append) is True
    assert lines == ["small: 0 of 2 runs are recorded."]
    assert [run.state() for run in study.runs] == ["cut", "missing"]
    until(lambda: not workers())


def test_what_a_run_cannot_do_is_said_and_the_others_go_on(cluster, tmp_path):
    study, lines = study_of(tmp_path), []
    study.runs[0].checkpoint.write_bytes(b"not a checkpoint")
    assert engine.run_on_ray(study, resources=Resources(), say=lines.append) is False
    (complaint,) = [line for line in lines if "failed" in line]
    assert complaint.startswith("constant-seed1: failed: ")
    assert complaint.endswith("not a checkpoint that this lrlib can read; delete it to start again")
    assert [run.state() for run in study.runs] == ["cut", "finished"]
    with pytest.raises(StudyError, match="this machine has 0 for Ray"):
        engine.run_on_ray(study, resources=Resources(gpus=1), say=lines.append)


def test_a_killed_driver_costs_no_run(cluster, away, tmp_path):
    study = study_of(tmp_path / "out", epochs=40)
    changes = "train_images = 100\ntest_images = 50\nepochs = 40"
    text = f'preset = "digits"\nrecipes = ["constant", "linear"]\nseeds = [1]\n[changes]\n{changes}\n'
    (tmp_path / "small.toml").write_text(text)
    words = ["study", "run", str(tmp_path / "small.toml"), "--out", str(tmp_path / "out")]
    code = f"import sys; sys.argv = {['lrlib', *words, '--engine', 'ray', '--address', cluster]!r}\n"
    code += "from lrlib.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "book")))}
    driver = [sys.executable, "-P", "-c", code]
    process = subprocess.Popen(
        driver, cwd=away, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    until(lambda: any(run.checkpoint.exists() for run in study.runs), process=process)
    process.kill()
    said, _ = process.communicate()
    assert said == ""
    until(lambda: not workers())  # they end with their driver
    assert {run.state() for run in study.runs} & {"cut"}
    done = subprocess.run(driver, cwd=away, env=env, capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("small: 2 of 2 runs are recorded.\n")
    assert is_as_if_alone(study)
    assert any(read_run(run.record).provenance.parts > 1 for run in study.runs)


def test_folders_of_killed_drivers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster.tempfile, "gettempdir", lambda: str(tmp_path)[-200:])
    monkeypatch.setattr(ray_cluster, "MOST_LETTERS", 1000)
    (tmp_path / "lrlib-ray-old").mkdir()
    with ray_cluster._own_folder() as first, ray_cluster._own_folder() as second:
        assert first != second
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert list(tmp_path.iterdir()) == []
