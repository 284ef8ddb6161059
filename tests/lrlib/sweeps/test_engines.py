"""The engines' common door: names, resources, and what is said where a package is not there."""

import importlib.util
import os
import sys

import pytest

from lrlib.sweeps import engines
from lrlib.sweeps.engines import Resources, engine
from lrlib.sweeps.local import run_study
from lrlib.sweeps.one_run import do
from on_clusters import are_as_if_alone, study_of

STUDY = 'preset = "digits"\nrecipes = ["linear"]\nseeds = [1]\n'


def test_local_is_the_engine_of_this_machine():
    assert engine("local") is run_study
    with pytest.raises(ValueError, match="'local' has jobs and threads"):
        engine("local", Resources())


@pytest.mark.parametrize(("name", "package"), [("local", "torch"), ("ray", "ray"), ("slurm", "submitit")])
def test_what_recorded_runs_have_left_over_goes_where_nothing_is_missing(name, package, tmp_path):
    """As after a kill between the record and the removal of its checkpoint, in the last run of all."""
    pytest.importorskip(package)
    study = study_of(tmp_path / "out", recipes=["linear"], epochs=[2, 3])
    for planned in study.runs:
        do(planned, threads=1)
        planned.checkpoint.write_bytes(b"what a killed process had")
        planned.checkpoint.with_name(f".{planned.checkpoint.name}.123.tmp").write_bytes(b"half of it")
    resources = Resources(address="local" if name == "slurm" else None)
    lines = []
    run = engine(name) if name == "local" else engine(name, resources)
    assert run(study, say=lines.append) is True
    assert lines == ["small: 2 of 2 runs are recorded."]
    assert are_as_if_alone(study)


@pytest.mark.skipif(os.environ.get("LRLIB_ROSETTA") != "required", reason="`make test` has all packages")
@pytest.mark.parametrize("package", ["ray", "submitit"])
def test_make_test_tests_all_engines(package):
    """Their tests are left out without their package, which may not happen unseen."""
    assert importlib.util.find_spec(package)


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_without_its_package_an_engine_says_what_to_install(name, package, lrlib, tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda asked: None)
    monkeypatch.delitem(sys.modules, package, raising=False)
    (tmp_path / "one.toml").write_text(STUDY)
    code, out, err = lrlib("study", "run", tmp_path / "one.toml", "--engine", name, "--out", tmp_path / "out")
    assert (code, out) == (1, "")
    assert err == f"lrlib: --engine {name} needs {package}, which is not installed; install lrlib[{name}]\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--engine", "roy"], "engine must be one of local, ray, slurm, got 'roy'; did you mean 'ray'?"),
        (["--gpus", "0.5"], "--gpus is for a cluster; give --engine ray or slurm too"),
        (["--address", "auto"], "--address is for a cluster; give --engine ray or slurm too"),
        (["--block", "4"], "--block is for a cluster; give --engine ray or slurm too"),
        (["--start-seconds", "9"], "--start-seconds is for a cluster; give --engine ray or slurm too"),
        (["--queue", "a=b"], "--queue is for a cluster; give --engine ray or slurm too"),
        (["--engine", "ray", "--gpus", "-1"], "gpus must be >= 0 and finite, got -1.0"),
        (["--engine", "ray", "--retries", "-1"], "retries must be >= 0, got -1"),
        (["--engine", "ray", "--start-seconds", "0"], "start_seconds must be > 0 and finite, got 0.0"),
        (["--engine", "ray", "--together", "4", "--block", "2"], "block must be at least together, 4, got 2"),
        (["--engine", "ray", "--whole", "--together", "2"], "are for one machine, not for --engine ray"),
        (["--engine", "ray", "--address", "10.0.0.1"], "address must be auto or HOST:PORT, as 10.0.0.1:6379"),
        (["--engine", "ray", "--address", "ray://a:1"], "start lrlib on a machine of the cluster"),
        (["--engine", "ray", "--address", "127.0.0.1:9"], "no Ray cluster answers at 127.0.0.1:9 ("),
        (["--engine", "slurm", "--gpus", "0.5"], "gpus must be a whole number with Slurm, got 0.5"),
        (["--engine", "slurm", "--address", "auto"], "address must be slurm or local with this engine"),
        (["--engine", "slurm", "--address", "local", "--queue", "gpu"], "queue takes KEY=VALUE"),
        (["--engine", "slurm", "--address", "local", "--queue", "no_such=3"], "Slurm could not be asked ("),
    ],
    ids=str,
)
def test_bad_words_are_one_sentence(words, sentence, lrlib, tmp_path, monkeypatch):
    monkeypatch.setattr("lrlib.cli_study.signal.signal", lambda *_: None)
    (tmp_path / "one.toml").write_text(STUDY)
    code, _, err = lrlib("study", "run", tmp_path / "one.toml", *words, "--out", tmp_path / "out")
    assert code == 1
    assert sentence in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("out/*"))


def test_what_a_task_does_in_all():
    assert (Resources().runs, Resources(together=8).runs, Resources(together=2, block=50).runs) == (1, 8, 50)
