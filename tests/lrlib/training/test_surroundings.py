"""What torch keeps for the whole process does not reach into a run, and a run leaves it as it was."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from lrlib import preset
from lrlib.training.dataset import _channels, load, normalise
from lrlib.training.run import train
from lrlib.training.sharpness import measure_sharpness

CONFIG = preset("digits", recipe="linear", epochs=1, train_images=20)


@contextmanager
def during(set_, value, restored):
    set_(value)
    try:
        yield
    finally:
        set_(restored)


def mkldnn(kind):
    def set_(value):
        getattr(torch.backends.mkldnn, kind).fp32_precision = value

    return set_


def everywhere(value):
    torch.backends.fp32_precision = value


SURROUNDINGS = {
    "default dtype": lambda: during(torch.set_default_dtype, torch.float64, torch.float32),
    "half default dtype": lambda: during(torch.set_default_dtype, torch.bfloat16, torch.float32),
    "default device": lambda: during(torch.set_default_device, "meta", None),
    "device as a context": lambda: torch.device("meta"),
    "gradients off": lambda: during(torch.set_grad_enabled, False, True),
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "matmul precision": lambda: during(torch.set_float32_matmul_precision, "medium", "highest"),
    "threads": lambda: during(torch.set_num_threads, 2, torch.get_num_threads()),
}
if hasattr(torch.backends, "fp32_precision"):  # torch 2.9
    SURROUNDINGS |= {
        "precision of products": lambda: during(mkldnn("matmul"), "bf16", "none"),
        "precision of convolutions": lambda: during(mkldnn("conv"), "bf16", "none"),
        "precision of all": lambda: during(everywhere, "tf32", "none"),
    }


def state():
    return (
        torch.get_default_dtype(),
        torch.empty(0).device,
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_num_threads(),
        [
            getattr(each, "fp32_precision", None)
            for each in (torch.backends, torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv)
        ]
        if hasattr(torch.backends, "fp32_precision")
        else torch.get_float32_matmul_precision(),
    )


@pytest.fixture(scope="module")
def alone():
    return train(CONFIG, progress=False, threads=1)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_run_is_the_same_wherever_it_is_called(name, alone):
    with SURROUNDINGS[name]():
        before = state()
        run = train(CONFIG, progress=False, threads=1)
        assert state() == before
    assert run.measured() == alone.measured()
    assert run.provenance.precision == "fp32"


def test_settings_are_put_back_after_an_error():
    before = state()
    with pytest.raises(ValueError, match="data must be 20 images of digits"):
        train(CONFIG, data=replace(load("digits"), name="others"), progress=False)
    assert state() == before


def test_what_is_measured_beside_a_run_is_guarded_too():
    def sharpness():
        return measure_sharpness(CONFIG, at=(0,), batches=1)[0].value

    alone = sharpness()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert sharpness() == alone


def test_what_is_kept_of_a_data_set_has_its_own_dtype():
    """Called first under another default dtype, it would be kept with it for all runs of the process."""
    images = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    with SURROUNDINGS["default dtype"]():
        normalise(images, (0.123,), (0.456,))
    assert normalise(images, (0.123,), (0.456,)).dtype == torch.float32
    assert _channels((0.123,), torch.device("cpu")).dtype == torch.float32
