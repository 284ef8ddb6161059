"""What an update must cost at least on a GPU, from the network itself; and what its kernels cost.

    python benchmarks/gpu/roofline.py [--networks resnet50 source_resnet resnet10]

A GPU can be short of two things, operations or bytes. The time of an update is at least the longer of the two
times, and the rule that both are counted by is in `operations` and `fewest_bytes`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.extend(map(str, Path(__file__).resolve().parents[:3]))  # where contenders and lrlib lie
from contenders import BATCH, PRESETS, multiply_adds, network_of

HALF, SINGLE = 2, 4  # bytes of a number

# Passes over the output of a convolution: written once and read once forward; read twice backward, by the
# normalisation and by the next convolution's weight gradient; its gradient written once and read twice, for
# the gradient of the weights and for that of the input.
PASSES = 1 + 1 + 2 + 1 + 2

# Bytes of a weight: itself and its momentum in fp32, each read and written; its half-precision copy, written
# once and read once.
WEIGHT = 4 * SINGLE + 2 * HALF


@dataclass(frozen=True)
class Card:
    """A GPU: operations a second in half precision and bytes a second, as large kernels reach them."""

    name: str
    operations: float
    bytes: float


CARDS = (
    Card("H100", operations=800e12, bytes=3.0e12),
    Card("H200", operations=800e12, bytes=4.3e12),
    Card("T4", operations=65e12, bytes=0.32e12),
)


def card_of(name: str) -> Card | None:
    """Return the card whose name is a word of what the driver calls it ("NVIDIA H100 80GB HBM3"), or None."""
    words = name.replace("-", " ").split()
    return next((card for card in CARDS if card.name in words), None)


@cache
def operations(net, *, size: int = 32, batch: int = BATCH) -> float:
    """Return the operations of an update: two a multiply-add, forward once and backward twice."""
    return 2 * 3 * batch * multiply_adds(net, size)


@cache
def fewest_bytes(net, *, size: int = 32, batch: int = BATCH) -> float:
    """Return the bytes of an update in half precision if all but convolutions moves none of its own.

    `PASSES` over each convolution's output, and `WEIGHT` bytes for each weight. Normalisation, ReLU and sums
    of branches would have to happen inside the kernels that read or write these outputs anyway, and nothing
    may stay in a cache from one kernel to the next.
    """
    net = network_of(net) if isinstance(net, str) else net
    weights = sum(weight.numel() for weight in net.parameters())
    return PASSES * HALF * batch * convolution_outputs(net, size) + WEIGHT * weights


def convolution_outputs(net, size: int = 32) -> int:
    """Return how many numbers all convolutions of a network put out for one picture."""
    import torch

    total = 0

    def count(module, _, out) -> None:
        nonlocal total
        total += out[0].numel()

    hooks = [
        module.register_forward_hook(count) for module in net.modules() if isinstance(module, torch.nn.Conv2d)
    ]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return total


def floor(network: str, card: Card) -> float:
    """Return the seconds that an update takes at least: of the two times, the longer."""
    return max(operations(network) / card.operations, fewest_bytes(network) / card.bytes)


def table(networks: Iterable[str]) -> str:
    """Return operations, fewest bytes and their times on each card, as Markdown."""
    from lrlib import preset

    networks = list(networks)
    flops = [operations(network) for network in networks]
    traffic = [fewest_bytes(network) for network in networks]
    updates = [preset(PRESETS[network], recipe="linear").total_steps for network in networks]
    rows = [
        ["", *networks],
        ["---", *["---:"] * len(networks)],
        ["operations of an update, GFLOP", *(f"{n / 1e9:.1f}" for n in flops)],
    ]
    rows += [
        [f"ms at {card.operations / 1e12:g} TFLOP/s ({card.name})"]
        + [f"{1e3 * n / card.operations:.3f}" for n in flops]
        for card in CARDS
    ]
    rows.append(["fewest bytes of an update, GB", *(f"{n / 1e9:.2f}" for n in traffic)])
    rows += [
        [f"ms at {card.bytes / 1e12:g} TB/s ({card.name})", *(f"{1e3 * n / card.bytes:.3f}" for n in traffic)]
        for card in CARDS
    ]
    rows.append(["updates of a run", *(f"{n:,}" for n in updates)])
    rows += [
        [f"seconds of a run at least, {card.name}"]
        + [f"{n * floor(network, card):.1f}" for n, network in zip(updates, networks, strict=True)]
        for card in CARDS
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


#: Name of a kernel, how often it ran, its time in ms over all.
Kernel = tuple[str, int, float]


def kernels(work: Callable[[], object], *, cuda: bool) -> list[Kernel]:
    """Do `work` once and return its kernels, those that took longest first.

    On a GPU they come from torch's profiler, copies and fills of memory included. On a CPU there are none,
    and torch's own calls stand for them, but for those that only view memory in another way.
    """
    found = grouped(_on_gpu(work) if cuda else _on_cpu(work))
    if not found:
        raise RuntimeError(
            "the profiler saw no kernel: CUPTI may be missing, or not be allowed on this machine"
        )
    return found


def grouped(events: Iterable[tuple[str, float]]) -> list[Kernel]:
    """Return (name, count, sum) of pairs (name, time), the largest sum first.

    >>> grouped([("conv", 2.0), ("norm", 1.0), ("conv", 3.0)])
    [('conv', 2, 5.0), ('norm', 1, 1.0)]
    """
    found: dict[str, list[float]] = {}
    for name, ms in events:
        found.setdefault(name, []).append(ms)
    sums = [(name, len(times), sum(times)) for name, times in found.items()]
    return sorted(sums, key=lambda kernel: -kernel[2])


def _on_gpu(work: Callable[[], object]) -> list[tuple[str, float]]:
    import torch
    from torch.profiler import ProfilerActivity, profile

    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        work()
        torch.cuda.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        # The written form says what each event is; in the profiler's lists a named range of code, such as an
        # optimizer's step, is an event on the GPU too and would count its kernels twice.
        seen.export_chrome_trace(str(file))
        return from_trace(json.loads(file.read_text(encoding="utf-8", errors="replace"), strict=False))


def from_trace(trace: dict) -> list[tuple[str, float]]:
    """Return (name, ms) of what ran on the GPU, from the form that torch's profiler writes (times in us)."""
    there = {"kernel", "gpu_memcpy", "gpu_memset"}
    return [
        (event["name"], event["dur"] / 1e3) for event in trace["traceEvents"] if event.get("cat") in there
    ]


def _on_cpu(work: Callable[[], object]) -> list[tuple[str, float]]:
    from torch.utils._python_dispatch import TorchDispatchMode

    calls: list[tuple[str, float]] = []

    class Calls(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            tic = time.perf_counter()
            out = func(*args, **(kwargs or {}))
            if not func.is_view:
                calls.append((str(func.overloadpacket), 1e3 * (time.perf_counter() - tic)))
            return out

    with Calls():
        work()
    return calls


def kernel_table(found: list[Kernel], *, most: int = 15) -> str:
    """Return the `most` longest kernels with count, ms and share of the whole, the others as one line."""
    whole = sum(ms for _, _, ms in found) or 1.0
    rest = found[most:]
    lines = [*found[:most]]
    if rest:
        count, ms = sum(count for _, count, _ in rest), sum(ms for _, _, ms in rest)
        lines.append((f"{len(rest)} other names", count, ms))
    lines.append(("all", sum(count for _, count, _ in found), sum(ms for _, _, ms in found)))
    rows = ["| kernel | calls | ms | share |", "| --- | ---: | ---: | ---: |"]
    for name, count, ms in lines:
        short = name.removeprefix("void ").replace("|", "/")
        short = short if len(short) <= 90 else f"{short[:55]}...{short[-32:]}"
        rows.append(f"| {short} | {count} | {ms:.3f} | {ms / whole:.1%} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--networks", nargs="+", default=["resnet50", "source_resnet", "resnet10"], choices=list(PRESETS)
    )
    print(table(parser.parse_args().networks))


if __name__ == "__main__":
    main()
