"""Ray: one cluster for all tests here, whose workers are killed, and a driver that is.

Each new worker costs some seconds, so a test that kills one looks at all that may go wrong then. In
`make torture` more are killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest

pytest.importorskip("ray")

import psutil
import ray

from lrlib.runs.store import read_run
from lrlib.sweeps import ray as engine
from lrlib.sweeps import ray_cluster
from lrlib.sweeps.engines import Resources
from lrlib.sweeps.ray_worker import mark_of
from lrlib.sweeps.study import StudyError
from on_clusters import FEW, MODULES, are_as_if_alone, study_of, until


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """A folder with a file of a student's, named as a package that workers import."""
    folder = tmp_path_factory.mktemp("student")
    (folder / "sklearn.py").write_text("raise SystemExit('the wrong module')")
    return folder


@pytest.fixture(scope="module")
def cluster(away):
    """The address of a cluster of two workers, in which this process is a driver."""
    with contextlib.chdir(away), ray_cluster.connected(None, cpus=2, start_seconds=600):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """No words on a worker that is slow to start."""
    monkeypatch.setattr(engine, "PATIENCE", 600.0)


def workers():
    """The processes of this cluster that do a run now."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith("ray::stream"):
                found.append(process)
    return found


def test_a_killed_worker_costs_no_run(cluster, tmp_path, monkeypatch, capfd):
    """It has two runs in company: one keeps its checkpoints in the folder, one sends them."""
    study, lines = study_of(tmp_path), []
    shared, sent = study.runs
    # The worker of the second finds another lock beside its record than this one.
    monkeypatch.setattr(engine, "mark_of", lambda file: 0 if file == sent.checkpoint else mark_of(file))

    def kill():
        until(lambda: shared.checkpoint.exists() and sent.checkpoint.exists())
        (worker,) = workers()
        os.kill(worker.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    # By its address a worker may be anywhere: it gets what checkpoint there is.
    resources = Resources(address=cluster, together=2)
    how = {"say": lines.append, "command": ["lrlib", "x"]}
    assert engine.run_on_ray(study, resources=resources, **how) is True
    thread.join()
    lost = "lost its worker, and goes on from its checkpoint with another"
    assert sorted(lines[:2]) == [f"{run.name}: {lost}" for run in study.runs]
    assert lines[-1] == "small: 2 of 2 runs are recorded."
    assert are_as_if_alone(study)
    for run in study.runs:
        told = read_run(run.record).provenance
        assert (told.together, told.threads, told.parts, told.command) == (2, 1, 2, "lrlib x")
    assert capfd.readouterr() == ("", "")


def test_records_are_those_of_this_machine(cluster, tmp_path, capfd):
    study, lines = study_of(tmp_path, seeds=[1, 2], epochs=[4]), []
    first = study.runs[0]
    with first.held():  # by another process, as it were
        assert engine.run_on_ray(study, resources=Resources(), say=lines.append) is True
    assert lines[0] == "constant-seed1: left to another process"
    assert lines[1].startswith("[1/4] ")
    assert lines[-1] == "small: 3 of 4 runs are recorded."
    assert engine.run_on_ray(study, resources=Resources(), say=lines.append) is True
    assert lines[-1] == "small: 4 of 4 runs are recorded."
    assert are_as_if_alone(study)
    assert {read_run(run.record).provenance.parts for run in study.runs} == {1}
    assert capfd.readouterr() == ("", "")


def test_a_killed_driver_costs_no_run(cluster, away, tmp_path, lrlib, monkeypatch):
    monkeypatch.setattr("lrlib.cli_study.signal.signal", lambda *_: None)
    study = study_of(tmp_path / "out", recipes=["linear"], epochs=[40, 4])
    changes = "\n".join(f"{name} = {value}" for name, value in FEW.items())
    text = f'preset = "digits"\nrecipes = ["linear"]\nseeds = [1]\nepochs = [40, 4]\n[changes]\n{changes}\n'
    (tmp_path / "small.toml").write_text(text)
    words = ["study", "run", str(tmp_path / "small.toml"), "--out", str(tmp_path / "out")]
    words += ["--engine", "ray", "--address", cluster, "--jobs", "1"]
    code = f"import sys; sys.argv = {['lrlib', *words]!r}\nfrom lrlib.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        cwd=away,
        env={**os.environ, "PYTHONPATH": MODULES},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(study.runs[0].checkpoint.exists, process=process)
    process.kill()
    said, _ = process.communicate()
    assert said in ("", "small: no worker is free yet; waiting for one\n")  # on a slow machine
    until(lambda: not workers())  # they end with their driver
    assert [run.state() for run in study.runs] == ["cut", "missing"]
    code, out, err = lrlib(*words)
    assert (code, err) == (0, "")
    assert out.endswith("small: 2 of 2 runs are recorded.\n")
    assert are_as_if_alone(study)
    assert [read_run(run.record).provenance.parts for run in study.runs] == [2, 1]


def test_what_a_run_cannot_do_is_said_and_out_of_retries_it_fails(cluster, tmp_path):
    study, lines = study_of(tmp_path, epochs=[4000]), []
    bad, lost = study.runs
    bad.checkpoint.write_bytes(b"not a checkpoint")

    def kill():
        until(lost.checkpoint.exists)
        for worker in workers():
            os.kill(worker.pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    resources = Resources(retries=0, block=2)
    assert engine.run_on_ray(study, resources=resources, say=lines.append) is False
    thread.join()
    assert lines[0].startswith("constant-seed1: failed: ")
    assert lines[0].endswith("not a checkpoint that this lrlib can read; delete it to start again")
    assert lines[1].startswith("linear-seed1: failed: lost its worker (The worker died")
    assert lines[2:] == ["small: 0 of 2 runs are recorded."]
    assert [run.state() for run in study.runs] == ["cut", "cut"]
    with pytest.raises(StudyError, match="this machine has 0 for Ray"):
        engine.run_on_ray(study, resources=Resources(gpus=1), say=lines.append)


def test_out_of_time_workers_end_and_let_go(cluster, tmp_path, monkeypatch):
    study, lines = study_of(tmp_path, epochs=[4000]), []
    cut = study.runs[0]
    monkeypatch.setattr(engine, "monotonic", lambda: 3601.0 if cut.checkpoint.exists() else 0.0)
    assert engine.run_on_ray(study, resources=Resources(), jobs=1, hours=1, say=lines.append) is True
    assert lines == ["small: 0 of 2 runs are recorded."]
    assert [run.state() for run in study.runs] == ["cut", "missing"]
    until(lambda: not workers())


WAIT = "RAY_gcs_server_port_wait_time_s"


@pytest.fixture
def no_ray(monkeypatch):
    """In the place of Ray, one whose start fails and whose nodes come late; it notes what is set then."""
    told, asked = [], []

    def node(*_):
        asked.append(1)
        if len(asked) < 3:
            raise RuntimeError("no such node")
        return "a node"

    def init(*_, **how):
        told.append((os.environ.get(WAIT), services.get_node(), Path(how["_temp_dir"])))
        raise OSError("no node came up")

    services = types.SimpleNamespace(get_node=node)
    false = types.SimpleNamespace(
        init=init, shutdown=lambda: None, _private=types.SimpleNamespace(services=services)
    )
    monkeypatch.setattr(ray_cluster, "ray", false)
    monkeypatch.delenv(WAIT, raising=False)
    return types.SimpleNamespace(told=told, services=services, node=node)


def test_ray_is_given_time_to_start_and_three_tries(no_ray):
    sentence = r"on this machine: no node came up \(if it is slow, give it more than 600 seconds by --start"
    with contextlib.ExitStack() as stack, pytest.raises(StudyError, match=sentence):
        ray_cluster._start_here(1, 600.0, stack)
    assert [(seconds, node) for seconds, node, _ in no_ray.told] == [("200", "a node")] * 3
    assert not any(folder.exists() for _, _, folder in no_ray.told)
    assert no_ray.services.get_node is no_ray.node
    assert WAIT not in os.environ


def test_a_start_that_takes_too_long_is_given_up(no_ray):
    with contextlib.ExitStack() as stack, pytest.raises(StudyError, match=r"no such node \(if it is slow"):
        ray_cluster._start_here(1, 0.01, stack)
    assert no_ray.told == []  # its node would have answered to a third look


def test_folders_of_killed_drivers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_cluster.tempfile, "gettempdir", lambda: str(tmp_path)[-200:])
    monkeypatch.setattr(ray_cluster, "MOST_LETTERS", 1000)
    (tmp_path / "lrlib-ray-old").mkdir()
    with ray_cluster._own_folder() as first, ray_cluster._own_folder() as second:
        assert first != second
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert list(tmp_path.iterdir()) == []
