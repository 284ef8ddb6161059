"""Where and how a run computes, and what its record says of the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lrlib._checks import check_int, no_such
from lrlib.runs.config import RunConfig
from lrlib.runs.record import Precision, Provenance, unpublishable
from lrlib.training.commands import command_line
from lrlib.training.cpu_convolutions import hasten
from lrlib.training.driver import nvidia_smi
from lrlib.training.networks import NETWORKS

#: How a run may compute: the plain network, the same sums in a faster order
#: (lrlib.training.cpu_convolutions), torch.compile, or the update captured once for a GPU and replayed
#: (lrlib.training.gpu).
PATHS = ("plain", "fast", "compiled", "graph")
#: torch has a pool of so many streams on a GPU, and hands the first out again after the last; each run needs
#: one of its own.
MOST_TOGETHER = 32
_SLASH = re.compile(r"[/\\]")
#: The folder of lrlib. Not from `import lrlib`: this module is a part of it.
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Target:
    """Where and how a run computes.

    Attributes
    ----------
    device : torch.device
    precision : {"fp32", "bf16", "fp16"}
    threads : int
        Of torch on the CPU.
    path : str
        One of `PATHS`.
    chosen : bool
        Whether "auto" chose the path: if the device cannot follow it, another one will do.
    together : int
        Number of runs that share the device.
    deterministic : bool
        Keep cuDNN to algorithms that repeat to the bit.
    """

    device: torch.device
    precision: Precision
    threads: int
    path: str = "plain"
    chosen: bool = False
    together: int = 1
    deterministic: bool = False

    def prepared(self, net: nn.Module) -> nn.Module:
        """Return the network on the device, channels last, computing by this path."""
        # Channels last: the fast half-precision kernels of oneDNN and cuDNN want it, and a 1x1 convolution is
        # one matrix product then.
        # The stub has device and memory format in overloads of their own; torch takes both in one copy.
        net = net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.path == "fast" and self.device.type == "cpu":
            net = hasten(net)
        if self.path == "compiled":
            net.compile()  # in place: names in the state dict stay
        return net

    @property
    def how(self) -> str:
        """Device and precision in words. A resumed run has to have those that it began with."""
        return f"on {self.device.type} in {self.precision}"

    @property
    def fused(self) -> bool:
        """Whether torch's optimizer updates in one pass over the weights, which can be captured too."""
        return self.path != "plain"

    @contextmanager
    def own_settings(self) -> Iterator[None]:
        """Set all that torch keeps for the whole process, for this run; restore it on exit.

        Threads, default dtype and device, gradients, autocast, the precision of fp32 products, TF32 and
        cuDNN's choice of algorithms: a run computes the same wherever it is called, and its record says what
        it computed in. On a GPU, the plain path has neither TF32 nor the choice of convolutions by the clock.
        """
        cudnn = torch.backends.cudnn
        switches = ("allow_tf32", "benchmark", "deterministic")
        # Since torch 2.9 each kind of product has a precision of its own, and where one was set the older
        # getter raises. First out of the way, and at last put back.
        mkldnn = torch.backends.mkldnn
        kinds: list[Any] = [torch.backends, getattr(mkldnn, "matmul", None), getattr(mkldnn, "conv", None)]
        own = [(kind, kind.fp32_precision) for kind in kinds if hasattr(kind, "fp32_precision")]
        for kind, _ in own:
            kind.fp32_precision = "none"
        before = torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_default_dtype()
        found = {name: getattr(cudnn, name) for name in switches}
        quick = self.device.type == "cuda" and self.path != "plain"
        with ExitStack() as outside:
            # A caller's autocast would compute what the record calls fp32 in half precision.
            for device in {"cpu", self.device.type}:
                # Only where there is one, and without its cache: torch keeps half copies of weights until the
                # outermost autocast ends, and a run within it would train on stale ones.
                if torch.is_autocast_enabled(device):
                    outside.enter_context(torch.autocast(device, enabled=False, cache_enabled=False))
            outside.enter_context(torch.inference_mode(False))
            outside.enter_context(torch.enable_grad())
            # Only where it is another: within it every call of torch takes a detour through Python.
            if torch.empty(0).device.type != "cpu":
                outside.enter_context(torch.device("cpu"))
            try:
                torch.set_default_dtype(torch.float32)
                torch.set_num_threads(self.threads)
                # "medium" lets a processor compute products of fp32 in bf16.
                torch.set_float32_matmul_precision("high" if quick else "highest")
                if self.device.type == "cuda":
                    # Said outright: torch's default allows TF32 (10 bits after the point) in convolutions and
                    # forbids it in matrix products.
                    cudnn.allow_tf32 = quick
                    # Each shape's algorithms are timed once and the fastest is kept. Not if runs are to
                    # repeat to the bit: another process may find another one the fastest.
                    cudnn.benchmark = quick and not self.deterministic
                    cudnn.deterministic = self.deterministic
                yield
            finally:
                torch.set_num_threads(before[0])
                torch.set_float32_matmul_precision(before[1])
                torch.set_default_dtype(before[2])
                for kind, precision in own:
                    kind.fp32_precision = precision
                for name, value in found.items():
                    setattr(cudnn, name, value)

    @property
    def half(self) -> torch.dtype | None:
        """The half precision as a dtype; None in fp32."""
        return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.precision)

    def autocast(self) -> AbstractContextManager:
        """Return a context with matrix products in the half precision, or with everything in fp32."""
        return torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None)


def check_path(path: str) -> None:
    """Raise ValueError, with the nearest name, for what is neither "auto" nor one of `PATHS`."""
    if path not in ("auto", *PATHS):
        raise ValueError(no_such("path", path, ("auto", *PATHS)))


def resolve(
    config: RunConfig,
    *,
    threads: int | None = None,
    path: str = "auto",
    together: int = 1,
    deterministic: bool = False,
) -> Target:
    """Return where and how a config is computed on this machine.

    Raises ValueError for a device that is not here, and for a path that cannot do what the config asks for.
    """
    check_path(path)
    together = check_int("together", together, least=1)
    if together > MOST_TOGETHER:
        raise ValueError(f"together must be at most {MOST_TOGETHER}, got {together}")
    device, precision = config.device, config.precision
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        device = "cuda" if there["cuda"] else "cpu"
    if not there[device]:
        raise ValueError(f"device: {device!r} is not on this machine; use 'cpu' or 'auto'")
    if precision == "auto":
        precision = native_precision(device)
    spec = NETWORKS[config.network]
    if threads is None:
        threads = spec.cpu_threads or torch.get_num_threads()
    threads = check_int("threads", threads, least=1)
    # With the Keras form of momentum, the scaler of fp16 asks the device before each update whether to make
    # it; torch's fused form leaves that to the kernel.
    waits = precision == "fp16" and config.momentum_form == "keras"
    # The optimizers' kernels take the momentum as a number, which a graph would keep for all updates.
    moves = config.momentum_schedule() is not None
    chosen = path == "auto"
    if chosen and device == "cuda":
        path = "fast" if waits or moves else "graph"
    elif chosen:
        path = spec.cpu_path
    if path == "graph" and waits:
        raise ValueError(
            "path: 'graph' cannot do fp16 with momentum_form 'keras', which reads a value at each update; "
            "use path 'fast', or precision 'bf16' or 'fp32'"
        )
    if path == "graph" and moves:
        raise ValueError(
            f"path: 'graph' cannot move the momentum, as the recipe {config.recipe.label!r} does; "
            "use path 'fast', or momentum_swing=0"
        )
    if path == "graph" and device == "mps":
        raise ValueError("path: 'graph' needs a CUDA device (or a CPU, for tests), got 'mps'; use 'fast'")
    return Target(torch.device(device), precision, threads, path, chosen, together, deterministic)


def native_precision(device: str) -> Precision:
    """Return the half precision in which the hardware multiplies natively, or "fp32"."""
    if device == "cuda":
        # A T4 says True to torch.cuda.is_bf16_supported(), but emulates it, slowly.
        return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp16"
    flags = cpu_flags()  # "bf16" alone is ARM's name for it
    return "bf16" if device == "cpu" and {"avx512_bf16", "amx_bf16", "bf16"} & flags else "fp32"


def cpu_flags() -> set[str]:
    """Return the instruction sets that Linux names for the first processor; none elsewhere."""
    # The line begins with "flags" on x86, and with "Features" on ARM.
    flags = (set(line.split(":")[1].split()) for line in cpuinfo() if line[:5] in ("flags", "Featu"))
    return next(flags, set())


def cpuinfo() -> list[str]:
    """Return what Linux says of the processors, in lines; none elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def provenance(
    target: Target, *, command: str | Sequence[str], started: datetime, commit: str | None
) -> Provenance:
    """Return what a record says of this machine, this lrlib and this run; `commit` as it was at the start.

    Raises ValueError for what no record may hold, so that it is known before the run is computed.
    """
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: installed(name) for name in ("lrlib", "torchvision", "numpy")},
        **(cuda_versions() if target.device.type == "cuda" else {}),
    }
    given = Provenance(
        started=started.astimezone(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        command=command_line(command),
        commit=commit,
        versions={name: _plain(text) for name, text in versions.items()},
        hardware=hardware(target.device),
        system=_plain(f"{platform.system()} {platform.machine()}"),
        cores=os.cpu_count() or 1,
        threads=target.threads,
        device=target.device.type,
        precision=target.precision,
        path=target.path,
        together=target.together,
        deterministic=target.deterministic,
    )
    problem = unpublishable(given)
    if problem:
        raise ValueError(f"this run could not be recorded: {problem}")
    return given


def cuda_versions() -> dict[str, str]:
    """Return the versions of what computes on an NVIDIA GPU; "unknown" where nothing tells."""
    return {
        "cuda": torch.version.cuda or "unknown",
        "cudnn": str(torch.backends.cudnn.version() or "unknown"),
        "driver": nvidia_smi("driver_version") or "unknown",
        "triton": installed("triton"),
    }


def _plain(text: str) -> str:
    """Return what a system says of itself, without slashes (a record refuses what looks like a path)."""
    return _SLASH.sub("-", text.encode("utf-8", "replace").decode())


def installed(package: str) -> str:
    """Return the version of an installed package, or "unknown"; of lrlib in a tree, what its settings say."""
    try:
        return version(package)
    except PackageNotFoundError:
        settings = PACKAGE.parent / "pyproject.toml"
        if package == "lrlib" and settings.is_file():
            return tomllib.loads(settings.read_text(encoding="utf-8"))["project"]["version"]
        return "unknown"


def hardware(device: torch.device) -> str:
    """Return the name of the GPU or the processor; no slashes, as records refuse what looks like a path."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        names = [line.split(":", 1)[1].strip() for line in cpuinfo() if line.startswith("model name")]
        name = names[0] if names else platform.processor() or platform.machine()
    return _plain(name)


def commit() -> str | None:
    """Return the commit of the checkout that lrlib runs from, marked if its code was changed since.

    ``LRLIB_COMMIT``, 40 hex digits or this raises ValueError, goes before what git says: whoever brings a
    copy to another machine knows it, and a ``.git`` that is there may be older than the files.
    """
    told = os.environ.get("LRLIB_COMMIT")
    if told is not None:
        if not re.fullmatch("[0-9a-f]{40}", told):
            raise ValueError(f"LRLIB_COMMIT must be 40 hex digits (git rev-parse HEAD), got {told!r}")
        return told
    if not (PACKAGE.parent / ".git").exists():
        return None

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        # Without GIT_DIR and its like, which a git hook sets: they would answer for another repository.
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(["git", "-C", str(PACKAGE), *words], capture_output=True, text=True, env=env)

    try:
        head = git("rev-parse", "HEAD")
        # Of the package's code only: a new record beside it changes nothing that a run computes.
        changed = git("diff", "--quiet", "HEAD", "--", ".", ":!recorded").returncode
    except OSError:  # git is not installed
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("+changes" if changed else "")
