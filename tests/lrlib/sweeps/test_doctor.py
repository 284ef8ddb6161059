"""What the machine will do: said of every preset, with the arithmetic of 20 timed updates."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from lrlib import cli
from lrlib.runs.config import PRESETS
from lrlib.sweeps import doctor
from lrlib.sweeps.timing import Pace
from lrlib.training import cifar10
from lrlib.training.dataset import DataError


def test_each_preset_gets_a_line_with_its_arithmetic(monkeypatch):
    # 20 updates in 2 s are 0.1 s each, a picture takes 1 ms. Digits: 1,000 and 797 pictures, 200 updates an
    # epoch, 8 epochs: 8 (20 + 0.797) + 1 = 167.4 s, which is 2.8 minutes.
    monkeypatch.setattr(doctor, "pace", lambda config: Pace(updates=2.0, image=0.001))
    monkeypatch.setattr(cifar10, "find", lambda download: [])
    lines = []
    doctor.diagnose(say=lines.append)
    assert len(lines) == 1 + len(PRESETS)
    assert re.search(r"^lrlib .*, torch .*, on .*, \d+ threads; half precision of its own: ", lines[0])
    digits = next(line for line in lines if line.startswith("digits: "))
    assert "resnet8 on " in digits
    assert digits.endswith("20 updates 2 s, a run of 8 epochs about 2.8 minutes")
    assert "fast path" in next(line for line in lines if line.startswith("resnet50: "))


def test_missing_data_are_said_and_stop_nothing(monkeypatch):
    def missing(config):
        if config.dataset == "cifar10":
            raise DataError("cifar10: not found")
        return Pace(updates=1.0, image=0.0)

    monkeypatch.setattr(doctor, "pace", missing)
    monkeypatch.setattr(cifar10, "find", lambda download: [])
    lines = []
    doctor.diagnose(["laptop", "digits"], say=lines.append)
    assert lines[1].endswith("not timed, as its data are not here (cifar10: not found)")
    assert "a run of 8 epochs about" in lines[2]


def test_it_downloads_nothing(tmp_path, monkeypatch):
    def asked(*_):
        raise AssertionError("a question about the machine went to the network")

    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LRLIB_DATA", raising=False)
    monkeypatch.setattr(cifar10, "_download", asked)
    lines = []
    doctor.diagnose(["laptop", "resnet50"], say=lines.append)
    for line in lines[1:]:
        assert "not timed, as its data are not here (CIFAR-10 is not in " in line
    assert list(tmp_path.iterdir()) == []


def test_it_times_for_real_and_refuses_what_is_none():
    done = CliRunner().invoke(cli.app, ["doctor", "digits"])
    assert done.exit_code == 0
    found = re.search(r"digits: .* 20 updates ([\d.e-]+) s, a run of 8 epochs about", done.output)
    assert found
    assert float(found[1]) > 0
    with pytest.raises(ValueError, match=r"preset must be one of .*, got 'laptap'; did you mean 'laptop'"):
        doctor.diagnose(["laptap"])
