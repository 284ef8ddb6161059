"""`lrlib doctor --gpu`: on a CPU it checks all but the capture; what is broken on purpose fails."""

from __future__ import annotations

import json
from itertools import islice

import pytest
import torch

from lrlib.runs.config import preset
from lrlib.sweeps import doctor, gpu_check, gpu_race
from lrlib.sweeps.gpu_check import Bench, cases, check
from lrlib.training import gpu, optimizers
from lrlib.training.machine import resolve


@pytest.fixture(scope="module")
def lines():
    return check("cpu", seconds=600, say=[].append)


def test_every_check_holds_on_a_cpu(lines):
    assert [line for line in lines if line.verdict == "FAIL"] == []
    for case, config in cases("cpu"):
        made = {line.what for line in lines if line.case == case and line.verdict == "ok"}
        assert made == {
            "replays = direct calls",
            "the same loss",
            "the rate that moved the weights",
            "evaluation = the plain one",
            "graph = plain",
            "three at once = each alone",
            "cut and resumed = whole",
        }
        assert config.images % config.batch_size  # a last smaller batch


def test_on_a_gpu_the_books_networks_are_checked_too():
    found = {(config.network, config.precision) for _, config in cases("cuda")}
    assert {(net, p) for net in ("source_resnet", "resnet50", "resnet10") for p in ("bf16", "fp32")} <= found


def failing(monkeypatch, *, which=0):
    """Check one case; return the names of what fails."""
    case = next(islice(cases("cpu"), which, None))
    monkeypatch.setattr(gpu_check, "cases", lambda device: iter([case]))
    return {line.what for line in check("cpu", seconds=600, say=[].append) if line.verdict == "FAIL"}


@pytest.mark.parametrize("which", [0, 1], ids=["torch's form", "Keras's form"])
def test_kernels_that_use_another_rate_than_the_optimizer_holds_are_found(which, monkeypatch):
    """The applied rates are all as planned: only the weights tell."""
    twice = lambda number: 2 * number.float() if isinstance(number, torch.Tensor) else number  # noqa: E731
    monkeypatch.setattr(optimizers, "in_fp32", twice)
    assert failing(monkeypatch, which=which) >= {"the rate that moved the weights", "graph = plain"}


def test_a_replay_that_does_other_work_than_was_captured_is_found(monkeypatch):
    real = gpu.captured

    def wrong(work, reset, device):
        replay = real(work, reset, device)

        def other():
            replay()
            if getattr(work, "func", None) and work.func.__name__ == "_update":
                engine = work.func.__self__
                with torch.no_grad():
                    next(engine.net.parameters()).mul_(1.001)

        return other

    monkeypatch.setattr(gpu, "captured", wrong)
    assert "replays = direct calls" in failing(monkeypatch)


def test_an_evaluation_that_forgets_a_part_is_found(monkeypatch):
    real = gpu._Evaluation.start
    monkeypatch.setattr(gpu._Evaluation, "start", lambda self: (real(self), self.loss.mul_(0.9)))
    assert "evaluation = the plain one" in failing(monkeypatch)


def test_a_device_that_cannot_do_it_is_a_line_and_not_the_end(monkeypatch):
    def cannot(*_):
        raise RuntimeError("CUDA error: out of memory\nand advice")

    monkeypatch.setattr(gpu, "captured", cannot)
    monkeypatch.setattr(gpu_check, "cases", lambda device: islice(cases(device), 2))
    lines = check("cpu", seconds=600, say=[].append)
    failed = [(line.case, line.what, line.found) for line in lines if line.verdict == "FAIL"]
    assert failed == [
        (case, "it runs", "RuntimeError: CUDA error: out of memory") for case, _ in islice(cases("cpu"), 2)
    ]


def test_an_update_that_fp16_left_out_has_no_rate():
    config = next(config for case, config in cases("cpu") if case == "digits fp16")
    bench = Bench(config, resolve(config, path="graph", threads=1))
    bench.start[-2].fill_(2.0**40)  # a scale at which every gradient overflows
    rates = bench.rates_off_the_weights()
    assert None in rates
    assert all(rate == pytest.approx(planned, rel=1e-3, abs=1e-6)
               for rate, planned in zip(rates, bench.rates, strict=True) if rate is not None)  # fmt: skip


def test_without_time_nothing_is_checked_and_that_is_no_success(capsys):
    said = []
    assert doctor.examine(seconds=0, race=False, say=said.append) is False
    assert said[-1] == "0 checks hold, 0 fail. Nothing was captured."
    assert sum("not run" in line and "no time left" in line for line in said) == len(list(cases("cpu")))


def test_on_the_command_line_a_table_a_file_and_an_exit_status(lrlib, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "cases", lambda device: islice(cases(device), 1))
    file = tmp_path / "found.json"
    code, out, _ = lrlib("doctor", "--gpu", "--out", file)
    assert code == 0
    assert "There is no GPU here" in out
    assert "7 checks hold, 0 fail. Nothing was captured." in out
    found = json.loads(file.read_text())
    assert (found["device"], found["failed"], found["race"]) == ("cpu", 0, [])
    assert {
        "case": "digits fp32",
        "what": "cut and resumed = whole",
        "verdict": "ok",
        "found": "bit for bit",
    } in (found["lines"])
    monkeypatch.setattr(gpu_check, "_relative", lambda a, b: 1.0)
    code, out, _ = lrlib("doctor", "--gpu", "--out", file)
    assert code == 1
    assert json.loads(file.read_text())["failed"] > 0


def test_the_race_counts_updates_of_all_runs(monkeypatch):
    """Epochs of two updates, and a clock that moves by a second a look: one second for one run or for two."""
    ticks = iter(range(1000))
    monkeypatch.setattr(gpu_race, "perf_counter", lambda: float(next(ticks)))
    rows = gpu_race.race(
        ("digits",), company=(1, 2), precision="fp32", device="cpu", images=10, say=[].append
    )
    assert [(row["together"], row["deterministic"], row["ms_per_update"]) for row in rows] == [
        (1, False, 500.0),
        (2, False, 250.0),
        (1, True, 500.0),
    ]


def test_each_run_of_the_race_has_a_start_of_its_own():
    """Otherwise company would be the same work twice, and a cache would flatter it."""
    config = preset("digits", recipe="linear", epochs=1, train_images=10, test_images=5)
    a, b = (Bench(config.changed(seed=seed), resolve(config, path="graph")) for seed in (0, 1))
    assert not torch.equal(a.values(), b.values())
