"""studies/snapshots.py, on a few digits: which weights are kept, and what is made of them."""

from __future__ import annotations

import base64
import importlib.util
import sys
import zlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

from lrlib import preset
from lrlib.runs import read_run

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("snapshots", ROOT / "studies" / "snapshots.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["snapshots"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def base():
    return preset("digits", recipe="linear", seed=1, epochs=5, train_images=60, test_images=200)


@pytest.fixture(scope="module")
def trained(script, base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("snapshots")
    some = script.jobs(folder, base)[10:]  # the third group, and the long ones
    script.train(some, folder, together=7)
    return folder, some, script.measure(some, folder)


def classes(text: str) -> list[int]:
    return list(zlib.decompress(base64.b64decode(text)))


def accuracy(found: dict, name: str) -> float:
    labels = classes(found["labels"])
    return sum(map(int.__eq__, classes(found["answers"][name]), labels)) / len(labels)


def test_the_runs_are_the_plans_and_two_schedules_at_full_length(script, tmp_path):
    some = script.jobs(tmp_path, preset("laptop", recipe="linear", seed=1))
    assert [job.group for job in some] == [1] * 5 + [2] * 5 + [3] * 5 + [None] * 6
    plan = script.read_study(ROOT / "studies" / "snapshots.toml")
    assert [job.planned for job in some[:15]] == list(plan.runs)
    long = {job.name: job for job in some[15:]}
    assert long["cosine5-seed2"].at == (6, 12, 18, 24, 30)
    assert long["linear-seed3"].at == (30,)
    for job in long.values():
        recorded = read_run(ROOT / "lrlib" / "recorded" / "survey-laptop" / f"{job.name}.json")
        assert job.planned.config == recorded.config
        assert job.planned.record.parent == tmp_path
    # a cycle ends where the rate is lowest: the next update is back at the peak
    schedule = long["cosine5-seed1"].planned.config.schedule()
    updates = long["cosine5-seed1"].planned.config.steps_per_epoch
    assert all(schedule(epoch * updates) == 1 for epoch in (6, 12, 18, 24))


def test_the_command_trains_the_plans_runs(script, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(script, "train", lambda some, folder, together: asked.extend(some))
    script.main(["train", "--folder", str(tmp_path)])
    plan = script.read_study(ROOT / "studies" / "snapshots.toml")
    assert [job.planned for job in asked[:15]] == list(plan.runs)


def test_each_kept_network_answers_as_the_run_did_after_that_epoch(trained):
    folder, some, found = trained
    for job in some:
        run = read_run(job.planned.record)
        for epoch, file in zip(job.at, job.files(folder), strict=True):
            assert accuracy(found, file.stem) == run.epochs[epoch - 1].test_accuracy, file.name


def test_a_mean_probability_is_that_of_the_last_networks(script, trained):
    folder, some, found = trained
    job = next(job for job in some if job.name == "cosine5-seed2")
    there = script.Answers(job.planned.config)
    each = [there.of(file) for file in job.files(folder)]
    for last in (2, 3, 4, 5):
        total = sum(one.double() for one in each[-last:])
        assert classes(found["answers"][f"cosine5-seed2-last{last}"]) == total.argmax(1).tolist()
    mine = [there.of(job.files(folder)[0]).double() for job in some if job.group == 3]
    assert len(mine) == 5
    assert classes(found["answers"]["group3-first2"]) == sum(mine[:2]).argmax(1).tolist()
    assert classes(found["answers"]["group3-first5"]) == sum(mine).argmax(1).tolist()


def test_mean_weights_are_means_and_batch_norm_is_measured_anew(script, trained, tmp_path):
    folder, some, found = trained
    job = next(job for job in some if job.name == "cosine5-seed1")
    there, files = script.Answers(job.planned.config), job.files(folder)
    whole = [torch.load(file, weights_only=True) for file in files]
    mean = {key: sum(each[key].double() for each in whole) / 5 for key in whole[0]}
    moving = [key for key in mean if "running" in key or "tracked" in key]
    assert moving
    # whatever stood in the running statistics, the training set decides
    for key in moving:
        mean[key] = torch.full_like(mean[key], 7)
    changed = {key: value.to(whole[0][key].dtype) for key, value in mean.items()}
    torch.save(changed, tmp_path / "mean.pt")
    again = there.of_mean_weights([tmp_path / "mean.pt"])
    assert torch.allclose(again, there.of_mean_weights(files), atol=1e-4)
    assert classes(found["answers"]["cosine5-seed1-weights5"]) == again.argmax(1).tolist()
    two = there.of_mean_weights(files[-2:])
    assert classes(found["answers"]["cosine5-seed1-weights2"]) == two.argmax(1).tolist()
    mine = [job.files(folder)[0] for job in some if job.group == 3]
    five = there.of_mean_weights(mine)
    assert classes(found["answers"]["group3-weights5"]) == five.argmax(1).tolist()


def test_what_is_kept_is_not_trained_again_and_a_lost_network_is(script, trained):
    folder, some, _ = trained
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.pt")}
    script.train(some, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.pt")} == before
    file = next(job for job in some if job.name == "cosine5-seed3").files(folder)[1]
    weights = torch.load(file, weights_only=True)
    file.unlink()
    script.train(some, folder)
    assert all(torch.equal(value, weights[key]) for key, value in torch.load(file, weights_only=True).items())
