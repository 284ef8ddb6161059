"""What stands around the runs of a notebook: Colab (a fake one), budgets, saving, going on after a cut."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
from itertools import pairwise
from pathlib import Path

import pytest
from filelock import FileLock

import lrlib.training.run
from lrbook import colab as notebook
from lrlib import preset
from lrlib.runs.config import PRESETS, ConfigError, RunConfig
from lrlib.runs.record import RecordError
from lrlib.runs.store import load_runs, read_run, run_name, write_run
from lrlib.sweeps import timing
from lrlib.sweeps.study import read_study
from lrlib.sweeps.timing import Pace
from lrlib.training import dataset, gpu
from lrlib.training.progress import ProgressBar, found
from lrlib.training.run import train

ROOT = Path(__file__).parents[2]


class Colab:
    """Stands for google.colab; it notes what it was asked for."""

    def __init__(self, drive: Path) -> None:
        self.downloads: list[str] = []
        self.mounts: list[str] = []
        self.files = types.SimpleNamespace(download=self.downloads.append)
        self.drive = types.SimpleNamespace(mount=self.mounts.append)
        self.folder = drive


@pytest.fixture
def colab(monkeypatch, tmp_path) -> Colab:
    fake = Colab(tmp_path / "drive")
    module = types.ModuleType("google.colab")
    module.files, module.drive = fake.files, fake.drive
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", module)
    monkeypatch.setattr(notebook, "DRIVE", fake.folder)
    return fake


def fake_nvidia_smi(folder: Path, monkeypatch, script: str) -> None:
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def tiny(**changes) -> RunConfig:
    return preset("digits", recipe="linear", **{"epochs": 2, "train_images": 60, **changes})


# What it says first


def test_without_a_gpu_it_says_that_this_is_normal(colab, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no nvidia-smi there
    monkeypatch.setattr(notebook, "_digits_seconds", lambda: 21.3)
    notebook.hello()
    assert capsys.readouterr().out == (
        "No GPU today; normal on the free tier. Going on on the CPU with digits, about 21 seconds a run. "
        "The CIFAR-10 curves are recorded; every exercise works.\n"
    )


def test_it_promises_no_time_that_nobody_measured(colab, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(notebook, "studies", lambda: [])
    notebook.hello()
    assert "with digits. The CIFAR-10" in capsys.readouterr().out


def test_the_time_of_a_digits_run_comes_from_a_record(monkeypatch):
    recorded = load_runs("pilot-laptop")[0]
    digits = recorded.model_copy(
        update={
            "config": preset("digits", recipe="linear"),
            "provenance": recorded.provenance.model_copy(update={"seconds": 9.5}),
        }
    )
    monkeypatch.setattr(notebook, "studies", lambda: ["pilot-laptop"])
    assert notebook._digits_seconds() is None  # recorded, but on CIFAR-10
    monkeypatch.setattr(notebook, "read_run", lambda path: digits)
    assert notebook._digits_seconds() == 9.5


def test_a_gpu_is_named(colab, capsys, monkeypatch, tmp_path):
    fake_nvidia_smi(tmp_path / "bin", monkeypatch, "echo Tesla T4")
    notebook.hello()
    said = capsys.readouterr().out
    assert said.startswith("Found a GPU (Tesla T4): a live cell trains a small network on all of CIFAR-10")
    assert "as many epochs as fit into two minutes" in said
    assert 'preset="resnet50" takes the survey\'s own network' in said


@pytest.mark.parametrize("script", ["echo 'NVIDIA-SMI has failed'; exit 9", "exit 0"])
def test_a_driver_without_a_gpu_is_no_gpu(colab, capsys, monkeypatch, tmp_path, script):
    fake_nvidia_smi(tmp_path / "bin", monkeypatch, script)
    notebook.hello()
    assert capsys.readouterr().out.startswith("No GPU today")


def test_elsewhere_it_says_nothing(capsys):
    notebook.hello()
    assert capsys.readouterr() == ("", "")


# Without torch


def test_the_first_figure_needs_no_torch():
    program = """
import sys
from lrlib import Constant, LinearDecay, Valley, load_runs, plots, preset
from lrbook import colab as notebook
plots.use_style()
notebook.hello()
config = preset("laptop", recipe="linear", seed=0)
plots.plot_shapes({"linear": config.schedule()}, config.total_steps, config.steps_per_epoch, config.peak_lr)
plots.plot_descents(Valley(), {"linear": (LinearDecay(total_steps=30), 0.9, 30)})
plots.plot_peak_sweep(Valley(), {"constant": Constant()}, 30)
plots.plot_runs(load_runs("pilot-laptop"))
loaded = {name.partition(".")[0] for name in sys.modules}
assert "matplotlib" in loaded
assert not loaded & {"torch", "torchvision", "sklearn", "pyarrow", "huggingface_hub"}, sorted(loaded)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


# A budget of time


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows these seconds: when updates begin and end, when an evaluation begins and ends."""

    def set_to(*readings: float) -> None:
        left = iter(readings)
        monkeypatch.setattr(timing, "perf_counter", lambda: next(left))

    return set_to


# 1,000 digits in batches of 5: 200 updates an epoch. 20 updates in 2 s: 20 s. 797 test images in
# 3.985 s: 5 ms an image, so 3.985 s a test, and 5 s for the last look at the training set. An epoch takes
# 23.985 s.
READINGS = (100.0, 102.0, 200.0, 203.985)


def one_line(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("minutes", "epochs", "words"),
    [
        (
            8,
            19,
            "19 of 100 epochs fit into 8 minutes, and the schedule is planned for 19",
        ),  # 475 / 23.985 = 19.8
        (10, 24, "24 of 100 epochs fit into 10 minutes"),  # 595 / 23.985 = 24.8
        (0.5, 1, "1 of 100 epochs fit into 30 seconds"),  # 25 / 23.985 = 1.04
        (0.45, 1, "not even one epoch fits into 27 seconds, and the schedule is planned for one"),  # 22 s
        (0.01, 1, "not even one epoch fits"),  # less than the last look alone
        (60, 100, "all 100 epochs fit into 60 minutes"),  # 3595 / 23.985 = 149.9
    ],
)
def test_the_horizon_is_what_fits(clock, capsys, minutes, epochs, words):
    clock(*READINGS)
    config = preset("digits", recipe="linear", seed=3, epochs=100)
    planned = notebook.budget(config, minutes=minutes)
    assert planned == config.changed(epochs=epochs)
    assert planned.schedule().total_steps == 200 * epochs
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 72  # a page's column does not wrap what is printed
    said = " ".join(printed.split())
    assert words in said
    assert said.startswith("20 updates took 2 s here, an epoch with its test takes about 24 seconds: ")
    assert printed.endswith(".\n")
    assert ". " not in said  # one sentence


def test_a_subset_of_the_images_is_counted(clock, capsys):
    # 50 images in batches of 5: 10 updates, 1 s. 100 test images at 10 ms: 1 s. The last look: 0.5 s.
    clock(0.0, 2.0, 5.0, 6.0)
    config = tiny(epochs=50, train_images=50, test_images=100)
    assert notebook.budget(config, minutes=0.5).epochs == 14  # 29.5 / 2
    assert "14 of 50 epochs fit into 30 seconds" in one_line(capsys)


def test_one_epoch_that_fits(clock, capsys):
    clock(*READINGS)
    assert notebook.budget(preset("digits", recipe="linear", epochs=1)).epochs == 1
    assert "its one epoch fits into 8 minutes" in one_line(capsys)


def test_exactly_twenty_updates_are_timed_after_three(monkeypatch):
    events = []
    readings = iter((0.0, 1.0, 2.0, 3.0))

    def look() -> float:
        events.append("clock")
        return next(readings)

    step = timing.torch.optim.SGD.step

    def counted(self, *args, **kwargs):
        events.append("update")
        return step(self, *args, **kwargs)

    monkeypatch.setattr(timing, "perf_counter", look)
    monkeypatch.setattr(timing.torch.optim.SGD, "step", counted)
    timing.pace(tiny(train_images=30))  # 6 updates an epoch: it goes on into a fourth
    assert events == ["update"] * 3 + ["clock"] + ["update"] * 20 + ["clock", "clock", "clock"]


def test_a_run_after_the_budget_is_the_run_without_it(capsys):
    config = tiny(train_images=None, epochs=1)
    before = train(config, progress=False).measured()
    assert notebook.budget(config, minutes=30) == config
    assert train(config, progress=False).measured() == before


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_a_budget_is_a_number_of_minutes(minutes):
    with pytest.raises(ValueError, match="minutes must be finite and > 0, got "):
        notebook.budget(tiny(), minutes=minutes)


@pytest.mark.parametrize(
    ("runs", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_a_budget_is_shared_by_a_number_of_runs(runs, error):
    with pytest.raises(error, match="runs must be "):
        notebook.budget(tiny(), runs=runs)


@pytest.mark.parametrize(
    ("runs", "epochs", "words"),
    [
        (
            2,
            9,
            "9 of 100 epochs of each of 2 runs fit into 8 minutes, and the schedule is planned for 9",
        ),  # 235
        (4, 4, "4 of 100 epochs of each of 4 runs fit into 8 minutes"),  # 115 / 23.985 = 4.8
        (19, 1, "not even one epoch of each of 19 runs fits into 8 minutes"),  # 20.3
    ],
)
def test_runs_that_share_the_time_have_their_last_look_each(clock, capsys, runs, epochs, words):
    clock(*READINGS)
    config = preset("digits", recipe="linear", seed=3, epochs=100)
    assert notebook.budget(config, runs=runs) == config.changed(epochs=epochs)
    assert words in one_line(capsys)


def test_a_device_that_cannot_capture_is_timed_as_it_will_train(monkeypatch):
    def cannot(*_):
        raise RuntimeError("operation not permitted when stream is capturing")

    resolve = timing.machine.resolve

    def chosen(config):
        return dataclasses.replace(resolve(config, path="graph"), chosen=True)  # as "auto" does with a GPU

    monkeypatch.setattr(timing.machine, "resolve", chosen)
    monkeypatch.setattr(gpu, "captured", cannot)
    with pytest.warns(RuntimeWarning, match="going on by path 'fast'"):
        assert timing.pace(tiny()).updates > 0


def test_the_real_clock_runs_forward():
    measured = timing.pace(tiny())
    assert measured.updates > 0
    assert measured.image > 0


# A live cell


def test_without_a_gpu_a_live_cell_is_the_digits_and_nothing_is_timed_or_said(monkeypatch, capsys):
    monkeypatch.setattr(lrlib.training.run.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(timing, "pace", None)
    for runs in (1, 3):
        config = notebook.live("linear", seed=3, runs=runs, peak_lr=0.05)
        assert config == preset("digits", recipe="linear", seed=3, peak_lr=0.05)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def with_a_gpu(monkeypatch, tmp_path) -> list[RunConfig]:
    """Believe in a GPU that takes 25 ms an update and tests in no time; the list has what was timed.

    391 updates an epoch: 9.775 s.
    """
    timed = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lrlib.training.run, "live_preset", lambda: "laptop")
    monkeypatch.setattr(dataset, "load", lambda name: None)
    monkeypatch.setattr(timing, "pace", lambda config: timed.append(config) or Pace(updates=0.5, image=0.0))
    return timed


@pytest.mark.parametrize(
    ("how", "epochs", "words"),
    [
        (
            {},
            12,
            "12 of 30 epochs fit into 2 minutes, and the schedule is planned for 12",
        ),  # 120 / 9.775 = 12.3
        ({"runs": 2}, 6, "6 of 30 epochs of each of 2 runs fit into 2 minutes"),  # 60 / 9.775 = 6.1
        ({"runs": 3}, 4, "4 of 30 epochs of each of 3 runs fit into 2 minutes"),  # 40 / 9.775 = 4.1
        ({"epochs": 5}, 5, "all 5 epochs fit into 2 minutes"),
        ({"epochs": 5, "runs": 2}, 5, "all 5 epochs of each of 2 runs fit into 2 minutes"),
        ({"epochs": 1, "runs": 2}, 1, "its one epoch of each of 2 runs fits into 2 minutes"),
        ({"minutes": 5}, 30, "all 30 epochs fit into 5 minutes"),  # 300 / 9.775 = 30.7
        ({"preset": "resnet50"}, 12, "12 of 100 epochs fit into 2 minutes"),
        ({"preset": "resnet50", "minutes": 20}, 100, "all 100 epochs fit into 20 minutes"),  # 122
    ],
)
def test_with_a_gpu_the_horizon_of_a_live_cell_is_what_fits(with_a_gpu, capsys, how, epochs, words):
    config = notebook.live("linear", seed=3, **how)
    name = how.get("preset", "laptop")
    assert config == preset(name, recipe="linear", seed=3, epochs=epochs)
    assert words in one_line(capsys)
    assert len(with_a_gpu) == 1  # timed once, for all runs of the cell
    # what the cell trains: the same with one thing changed, and so as long
    other = config.changed(recipe="constant")
    assert other == preset(name, recipe="constant", seed=3, epochs=epochs)


def test_with_a_gpu_the_digits_stay_one_argument_away(with_a_gpu, capsys):
    assert notebook.live("drop", preset="digits") == preset("digits", recipe="drop")
    assert (with_a_gpu, capsys.readouterr().out) == ([], "")


def test_where_cifar10_cannot_be_had_it_is_the_digits_and_says_why(with_a_gpu, monkeypatch, capsys):
    def load(name):
        raise dataset.DataError("cifar10 cannot be downloaded (no network)")

    monkeypatch.setattr(dataset, "load", load)
    assert notebook.live("drop", seed=3) == preset("digits", recipe="drop", seed=3)
    assert capsys.readouterr().out == (
        "CIFAR-10 cannot be had here, so it is the digits: cifar10 cannot be downloaded (no network)\n"
    )


def test_a_cell_that_is_run_again_plans_the_same_epochs_on_a_card_that_is_faster_now(
    with_a_gpu, monkeypatch, capsys
):
    first = notebook.live("linear", seed=3)
    monkeypatch.setattr(timing, "pace", None)  # nothing is timed again
    assert notebook.live("linear", seed=3) == first
    assert first.epochs == 12
    assert "12 epochs, as they were planned when this cell first ran (runs/" in capsys.readouterr().out


@pytest.mark.parametrize("how", [{"seed": 4}, {"minutes": 5}, {"runs": 2}, {"peak_lr": 0.05}])
def test_another_cell_is_timed_for_itself(with_a_gpu, how):
    notebook.live("linear", seed=3)
    notebook.live("linear", **{"seed": 3, **how})
    assert len(with_a_gpu) == 2


def test_a_live_cell_refuses_what_a_preset_refuses():
    with pytest.raises(ConfigError, match="did you mean 'laptop'"):
        notebook.live("linear", preset="labtop")
    with pytest.raises(ConfigError, match="did you mean 'peak_lr'"):
        notebook.live("linear", peak_rl=0.1)


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_is_laid_over_the_study_of_its_own_preset(name):
    config = preset(name, recipe="linear")
    study = read_study(ROOT / f"studies/{notebook.study_of(config)}.toml")
    planned = [run.config for run in study.runs if run.config.recipe.label == "linear"]
    # but for seed, and where and how precisely it is computed: as `lrlib.stats.outcomes.alike`
    free = {"seed": 0, "device": "auto", "precision": "auto"}
    assert {config.changed(**free)} == {each.changed(**free) for each in planned}


# Going on after a cut


@pytest.mark.parametrize(
    ("done", "epochs", "seconds", "said"),
    [
        (37, 100, 391, "found epoch 37 of 100; about 11 minutes left"),  # 63 * 391 / 37 = 666 s
        (1, 2, 45, "found epoch 1 of 2; about 45 seconds left"),
        (20, 100, 3600, "found epoch 20 of 100; about 4 hours left"),
        (99, 100, 5940, "found epoch 99 of 100; about 60 seconds left"),
    ],
)
def test_what_a_resumed_run_says(done, epochs, seconds, said):
    assert found(done, epochs, seconds) == said


def test_the_bar_says_it_where_a_run_resumes(capsys):
    config = tiny(epochs=10)  # 12 updates an epoch
    for shown, step, said in [(True, 48, True), (True, 0, False), (False, 48, False)]:
        with ProgressBar(config, shown=shown, step=step, seconds=8.0):
            pass
        assert ("found epoch 4 of 10; about 12 seconds left\n" in capsys.readouterr().err) == said


class Cut(BaseException):
    """As Ctrl-C, or a session that ends."""


def cut_after(monkeypatch, epochs: int) -> None:
    """Let a run be cut when it has written its checkpoint `epochs` times."""
    from lrlib.training import run

    write, written = run.save_state, []

    def save(*args) -> None:
        write(*args)
        written.append(args)
        if len(written) == epochs:
            raise Cut

    monkeypatch.setattr(run, "save_state", save)


def test_a_cut_run_goes_on_in_the_same_cell(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("LRLIB_PROGRESS", "on")
    config = tiny(epochs=4)
    whole = train(config, progress=False)
    with monkeypatch.context() as patch:
        cut_after(patch, 2)
        with pytest.raises(Cut):
            notebook.train_or_resume(config, folder=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".pt"]
    capsys.readouterr()
    run = notebook.train_or_resume(config, folder=tmp_path)
    assert "found epoch 2 of 4; about " in capsys.readouterr().err
    assert run.measured() == whole.measured()
    assert run.provenance.parts == 2
    assert [path.name for path in tmp_path.iterdir()] == [f"{run_name(config)}.json"]
    # A third time it is read, not trained.
    monkeypatch.setattr("lrlib.training.run.train", None)
    assert notebook.train_or_resume(config, folder=tmp_path) == run


@pytest.mark.cifar10
def test_a_cut_cell_of_a_schedule_goes_on_with_the_epochs_it_was_planned_for(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    how = dict(preset="laptop", minutes=1, train_images=60, test_images=20)  # one update an epoch
    # 20 updates in 300 s: 4 epochs a minute; after the cut the machine is twice as fast
    monkeypatch.setattr(timing, "pace", lambda config: Pace(updates=300.0, image=0.0))
    with monkeypatch.context() as patch:
        cut_after(patch, 2)
        with pytest.raises(Cut):
            notebook.train_or_resume("linear", **how)
    monkeypatch.setattr(timing, "pace", lambda config: Pace(updates=150.0, image=0.0))
    run = notebook.train_or_resume("linear", **how)
    assert (run.config.epochs, run.provenance.parts) == (4, 2)
    whole = train(run.config, progress=False)
    assert run.measured() == whole.measured()
    capsys.readouterr()
    assert notebook.train_or_resume("linear", **how) == run
    assert "remove that file to train it again" in capsys.readouterr().out


def test_the_digits_are_trained_anew_and_leave_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    trained = []
    monkeypatch.setattr(
        lrlib.training.run, "train", lambda config, **how: trained.append(config) or train(config, **how)
    )
    first, again = (notebook.train_or_resume(tiny()) for _ in range(2))
    assert first.measured() == again.measured()
    assert trained == [tiny(), tiny()]
    assert list(tmp_path.iterdir()) == []


def test_a_config_has_its_settings_in_it():
    with pytest.raises(TypeError, match="seed must be part of the config"):
        notebook.train_or_resume(tiny(), seed=3)


def test_another_config_is_another_file():
    names = [run_name(tiny(seed=seed, epochs=epochs)) for seed in (0, 1) for epochs in (2, 3)]
    assert len(set(names)) == 4
    assert all(a != b for a, b in pairwise(names))


# Keeping a record


def test_on_colab_a_record_is_offered_as_a_download(colab, capsys, tmp_path):
    run = load_runs("pilot-laptop")[0]
    path = notebook.save(run, folder=tmp_path / "runs")
    assert read_run(path) == run
    assert (colab.downloads, colab.mounts) == ([str(path)], [])
    assert "keep the copy that is downloaded" in capsys.readouterr().out
    assert notebook.save(run, folder=tmp_path / "runs") == path  # a second click is no error


def test_drive_is_asked_for_only_if_wanted(colab, capsys):
    run = load_runs("pilot-laptop")[0]
    path = notebook.save(run, drive=True)
    assert path.parent == colab.folder / "MyDrive" / "lrlib"
    assert read_run(path) == run
    assert (colab.downloads, colab.mounts) == ([], [str(colab.folder)])
    assert str(path) in capsys.readouterr().out
    assert notebook.train_or_resume(run.config, drive=True) == run  # already there
    assert colab.mounts == [str(colab.folder)] * 2


def test_elsewhere_it_says_where_the_record_is(capsys, tmp_path):
    run = load_runs("pilot-laptop")[0]
    path = notebook.save(run, folder=tmp_path)
    assert capsys.readouterr().out == f"The record is in {path}\n"
    with pytest.raises(ValueError, match="drive must be False outside Colab, got True"):
        notebook.save(run, drive=True)


def test_another_run_under_that_name_is_not_overwritten(tmp_path):
    run = load_runs("pilot-laptop")[0]
    notebook.save(run, folder=tmp_path)
    other = run.model_copy(update={"provenance": run.provenance.model_copy(update={"seconds": 1.0})})
    with pytest.raises(RecordError, match="a record is there already"):
        notebook.save(other, folder=tmp_path)


def test_a_run_that_diverged_may_be_saved_twice(tmp_path):
    run = train(tiny(peak_lr=1e6), progress=False)
    assert run.status == "diverged"
    path = notebook.save(run, folder=tmp_path)
    assert read_run(path) != run  # nan is not equal to nan, which is the trap here
    assert notebook.save(run, folder=tmp_path) == path


def test_it_refuses_the_record_of_another_config(tmp_path):
    mine, other = tiny(seed=1), tiny(seed=2)
    run = notebook.train_or_resume(mine, folder=tmp_path)
    write_run(run, tmp_path / f"{run_name(other)}.json")
    with pytest.raises(ValueError, match="holds a run of another config; move it away"):
        notebook.train_or_resume(other, folder=tmp_path)


def test_it_leaves_a_run_to_another_process(tmp_path):
    config = tiny()
    held = FileLock(tmp_path / f"{run_name(config)}.lock")
    with held, pytest.raises(RecordError, match="another process is training it; wait for it"):
        notebook.train_or_resume(config, folder=tmp_path)
