"""Rehearse path "graph" on a machine without a GPU: warm-up, capture and replays on a false CUDA runtime.

    python tests/false_gpu/rehearse.py [PRESET ...]        (or: make rehearse-gpu)

It builds two small libraries with gcc under _build/false_gpu and starts itself again with them in front of
CUDA's own. Every call of the runtime succeeds there, launches do nothing, and tensors are fake: they have
shapes, strides and a device, and no values. So it shows what a CPU test cannot see:

- that set-up, warm-up, every capture and an epoch of replays go through the calls that a GPU would get,
- that nothing reads a value back before the end of the epoch (fake tensors raise),
- warnings of torch about streams and captures (they are errors here),
- how many operations an update hands to the device.

It shows no number and no speed. Run it after a change of lrlib/training/gpu.py, _loop.py, _optimizer.py or
_measure.py.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import warnings
from pathlib import Path
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILT = ROOT / "_build" / "false_gpu"
# Views and other calls that start no kernel.
FREE = {
    "view", "permute", "detach", "empty_like", "empty", "t", "squeeze", "unsqueeze", "slice", "as_strided",
    "as_strided_", "expand", "alias", "_unsafe_view", "reshape", "empty_strided", "select", "new_empty",
    "device",
    "_record_function_enter_new", "_record_function_exit", "split_with_sizes",
}  # fmt: skip
PRESETS = ("digits", "laptop", "source", "resnet50")


def build() -> dict[str, str]:
    """Build both libraries; return the environment in which Python meets them."""
    import torch
    import triton

    BUILT.mkdir(parents=True, exist_ok=True)
    # The headers of the CUDA that this torch was built for come with its wheels, all but crt/, which triton
    # has.
    packages = Path(torch.__file__).parents[1] / "nvidia"
    headers = sorted(packages.glob("cu*/include/cuda_runtime_api.h"))
    if not headers:
        raise SystemExit(f"no cuda_runtime_api.h under {packages}: this torch is no CUDA build of version 13")
    more = Path(triton.__file__).parent / "backends" / "nvidia" / "include"
    gcc = ["gcc", "-shared", "-fPIC", "-w", f"-I{headers[-1].parent}", f"-I{more}"]
    runtime, driver = BUILT / "libcudart-false.so", BUILT / "libcuda.so.1"
    for out, sources in ((runtime, ("runtime.c", "runtime_rest.c")), (driver, ("driver.c",))):
        subprocess.run([*gcc, "-o", out, *(HERE / source for source in sources), "-ldl"], check=True)
    return {
        **os.environ,
        "LD_PRELOAD": str(runtime),
        "LD_LIBRARY_PATH": str(BUILT),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "LRLIB_FALSE_GPU": "1",
    }


def rehearse(name: str, momentum_form: str | None = None) -> str:
    """Capture and replay an epoch of a preset; return a line that says what went to the device."""
    import torch
    from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode

    from lrlib.runs.config import preset
    from lrlib.sweeps.gpu_check import noise
    from lrlib.training.gpu import Engine
    from lrlib.training.loop import set_up
    from lrlib.training.machine import Target, resolve
    from lrlib.training.randomness import draw_augmentation, permutation

    class Count(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.calls: collections.Counter = collections.Counter()

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            name = func.overloadpacket.__name__
            self.calls[name] += name not in FREE
            return func(*args, **(kwargs or {}))

    changes = {} if momentum_form is None else {"momentum_form": momentum_form}
    precision = "fp16" if name == "digits" and momentum_form is None else "bf16"
    # Ten whole batches and a last smaller one.
    size = preset(name, recipe="linear").batch_size
    images = min(10 * size + size // 2, 1000)
    config = preset(
        name, recipe="linear", epochs=1, train_images=images, test_images=300, device="cuda",
        precision=precision, **changes,
    )  # fmt: skip
    target = resolve(config, path="graph", threads=1)
    data = noise(config)

    def prepared(_, net: torch.nn.Module) -> torch.nn.Module:
        """As `Target.prepared`, whose `net.to` cannot put fake tensors in the place of real ones."""
        for module in net.modules():
            for name, weight in list(module.named_parameters(recurse=False)):
                moved = weight.detach().to("cuda")
                if moved.dim() == 4:
                    moved = moved.contiguous(memory_format=torch.channels_last)
                module.register_parameter(name, torch.nn.Parameter(moved))
            for name, buffer in list(module.named_buffers(recurse=False)):
                module.register_buffer(name, buffer.to("cuda"))
        return net

    with (
        patch.object(Target, "prepared", prepared),
        FakeTensorMode(allow_non_fake_inputs=True),
        torch.cuda.stream(torch.cuda.Stream()),
    ):
        engine = Engine(config, *set_up(config, data, target), target)
        order = permutation(config.images, seed=0, epoch=0)
        draws = draw_augmentation(config.augmentation, config.images, seed=0, epoch=0)
        engine.lay_out(order, draws, [0.1] * config.steps_per_epoch)
        for update in engine.updates:
            update()
        engine.evaluations["test"].start()
        with Count() as count:
            engine.direct[0]()
        try:
            engine.read_out()
        except DataDependentOutputException:
            read = "reads back at the end of the epoch alone"
        else:
            raise RuntimeError(f"{name}: read_out reads nothing, so nothing is proved")
    most = ", ".join(f"{kind} {n}" for kind, n in count.calls.most_common(4))
    called = f"{name}{'' if momentum_form is None else f', {momentum_form} momentum'}, {precision}"
    graphs = len({id(update) for update in engine.updates}) + len(
        {id(part) for evaluation in engine.evaluations.values() for part in evaluation.parts}
    )
    return (
        f"{called}: {graphs} graphs captured, {len(engine.updates)} updates replayed; {read}; "
        f"{sum(count.calls.values())} calls an update start kernels ({most}, ...)"
    )


def main() -> None:
    names = sys.argv[1:] or list(PRESETS)
    if "LRLIB_FALSE_GPU" not in os.environ:
        raise SystemExit(subprocess.run([sys.executable, __file__, *names], env=build()).returncode)
    import torch

    print(f"torch {torch.__version__} on {torch.cuda.get_device_name()}, which is not there", flush=True)
    warnings.simplefilter("error")
    for name in names:
        print(rehearse(name), flush=True)
        if name == "digits":
            print(rehearse(name, "keras"), flush=True)


if __name__ == "__main__":
    main()
