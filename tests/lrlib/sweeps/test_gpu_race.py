"""The race of benchmarks/gpu, without a GPU: its roofline against hand work, its budget, what fails in it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[3] / "benchmarks" / "gpu"))
import gpu_contenders
import race
import roofline
from workers import Worker, family


def tiny() -> nn.Module:
    """For pictures of 8x8: two convolutions, one normalisation, one dense layer."""
    return nn.Sequential(
        nn.Conv2d(3, 4, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 2, kernel_size=1, stride=2, bias=False),
        nn.Flatten(),
        nn.Linear(2 * 4 * 4, 5),
    )


def test_the_roofline_of_a_tiny_network_is_that_worked_out_by_hand():
    # Outputs of the convolutions for a picture: 4 of 8x8 and 2 of 4x4, 256 + 32 = 288.
    assert roofline.convolution_outputs(tiny(), 8) == 288
    # Multiply-adds: 256 outputs of 27, 32 of 4, 5 of 32: 6,912 + 128 + 160 = 7,200; six operations for each.
    assert roofline.operations(tiny(), size=8, batch=10) == 6 * 10 * 7_200
    # Forward: an output is written once and read once; backward it is read twice, its gradient written once
    # and read twice: 7 passes of 2 bytes over 10 x 288 numbers, 40,320.
    # Weights: 108 + 8 (of the normalisation) + 8 + 165 = 289. Itself and momentum, 4 bytes each, read and
    # written: 16 bytes; a copy of 2 bytes, written and read: 4 more. 289 x 20 = 5,780.
    assert roofline.fewest_bytes(tiny(), size=8, batch=10) == 40_320 + 5_780


@pytest.mark.parametrize(
    ("network", "million_multiply_adds", "gflop", "outputs", "weights"),
    [
        # Stem, and the 9 blocks of each stage, the first of which has a projection (and its 1x1 convolution
        # before the stride): 65,536 + (9 x 98,304 + 65,536) + (32,768 + 8,192 + 32,768 + 32,768 + 8 x 49,152)
        # + (16,384 + 4,096 + 16,384 + 16,384 + 8 x 24,576) outputs.
        ("source_resnet", 132.6, 101.8, 1_765_376, 873_872),
        # Stem of 16x16, then stages of 3, 4, 6 and 3 blocks on 8x8, 4x4, 2x2 and 1x1: 16,384
        # + (3 x 24,576 + 16,384) + (8,192 + 2,048 + 8,192 + 8,192 + 3 x 12,288)
        # + (4,096 + 1,024 + 4,096 + 4,096 + 5 x 6,144) + (2,048 + 512 + 2,048 + 2,048 + 2 x 3,072) outputs.
        ("resnet50", 83.4, 64.1, 226_816, 23_528_522),
        # 3 of 32x16x16, one of 64x16x16 (pooled after it), 2 of 64x8x8, one of 128x8x8, 2 of 128x4x4.
        ("resnet10", 23.8, 18.3, 61_440, 482_730),
    ],
)
def test_the_rooflines_of_our_networks(network, million_multiply_adds, gflop, outputs, weights):
    net = roofline.network_of(network)
    assert roofline.multiply_adds(net) / 1e6 == pytest.approx(million_multiply_adds, abs=0.05)
    assert roofline.operations(net) / 1e9 == pytest.approx(gflop, abs=0.05)
    assert roofline.fewest_bytes(net) == 7 * 2 * 128 * outputs + 20 * weights


def test_the_table_of_the_readme_is_the_computed_one():
    page = (Path(roofline.__file__).parent / "README.md").read_text(encoding="utf-8")
    assert f"\n{roofline.table(race.NETWORKS)}\n" in page


def test_a_card_is_known_by_the_name_that_the_driver_gives_it():
    names = ["NVIDIA H100 80GB HBM3", "NVIDIA H200", "Tesla T4", "NVIDIA H100-SXM", "NVIDIA A100"]
    cards = [roofline.card_of(name) for name in names]
    assert [card and card.name for card in cards] == ["H100", "H200", "T4", "H100", None]


def test_the_floor_is_the_longer_of_both_times():
    scarce = {"operations": roofline.Card("", 1e12, 1e15), "bytes": roofline.Card("", 1e18, 1e12)}
    assert roofline.floor("resnet10", scarce["operations"]) == roofline.operations("resnet10") / 1e12
    assert roofline.floor("resnet10", scarce["bytes"]) == roofline.fewest_bytes("resnet10") / 1e12


def test_of_a_trace_the_work_of_the_gpu_counts_and_nothing_else():
    trace = {
        "traceEvents": [
            {"cat": "kernel", "name": "conv", "dur": 2000, "ts": 1},
            {"cat": "kernel", "name": "conv", "dur": 500, "ts": 2},
            {"cat": "gpu_memset", "name": "Memset (Device)", "dur": 1, "ts": 3},
            {"cat": "gpu_user_annotation", "name": "Optimizer.step#FusedSGD.step", "dur": 9000, "ts": 4},
            {"cat": "cpu_op", "name": "aten::conv2d", "dur": 7, "ts": 5},
            {"ph": "M", "name": "process_name"},
        ]
    }
    found = roofline.grouped(roofline.from_trace(trace))
    assert found == [("conv", 2, 2.5), ("Memset (Device)", 1, 0.001)]
    lines = roofline.kernel_table(found, most=1).splitlines()
    assert lines[2:] == [
        "| conv | 2 | 2.500 | 100.0% |",
        "| 1 other names | 1 | 0.001 | 0.0% |",
        "| all | 3 | 2.501 | 100.0% |",
    ]


def test_on_a_cpu_the_calls_of_torch_stand_for_kernels():
    import torch

    a = torch.ones(2, 3)
    found = {
        name: count for name, count, _ in roofline.kernels(lambda: (a @ a.T + 1) * (a @ a.T), cuda=False)
    }
    assert found == {"aten.mm": 2, "aten.add": 1, "aten.mul": 1}
    with pytest.raises(RuntimeError, match="saw no kernel"):
        roofline.kernels(lambda: None, cuda=False)


class Bench:
    """Stands for the processes: each answer takes as long as it is told, on a clock of its own."""

    def __init__(self, **seconds: float) -> None:
        self.seconds, self.at, self.asked = seconds, 0.0, []

    def now(self) -> float:
        return self.at

    def ask(self, network: str, contender: str, *, seconds: float, limit: float, last: bool) -> dict:
        self.asked.append((contender, round(seconds, 3), limit, last))
        self.at += min(self.seconds[contender], limit)
        if contender == "lightning":
            raise OSError("no such\nfile")
        if self.seconds[contender] > limit:
            return {"failed": f"no end within {limit:.0f} s"}
        return {"blocks": [[0.3, 100], [0.2, 100], [0.6, 100]], "memory_gb": 1.0}


def test_the_budget_is_kept_and_what_does_not_fit_is_named():
    bench = Bench(lrlib_graph=5, limit=3, plain=12, lightning=1, compiled=9)
    entries = [("resnet10", name) for name in bench.seconds]
    rows = race.race(entries, bench.ask, seconds=20.0, now=bench.now)
    assert bench.at == 20.0
    # A third of the share of each, 0.5 to 4 s; all that is left as a limit, below the cap; the process of the
    # first two is the same, and is ended after the second.
    assert bench.asked == [
        ("lrlib_graph", round(20 / 5 / 3, 3), 20.0, False),
        ("limit", round(15 / 4 / 3, 3), 15.0, True),
        ("plain", round(12 / 3 / 3, 3), 12.0, True),
    ]
    assert [row.get("not_run") for row in rows] == [None, None, None, "no time left", "no time left"]
    assert rows[0]["ms"] == pytest.approx(3.0)
    assert rows[0]["range"] == pytest.approx([2.0, 6.0])
    assert rows[0]["images_per_second"] == pytest.approx(128_000 / 3)


def test_what_fails_is_a_line_of_the_table_and_the_others_follow():
    bench = Bench(plain=1, lightning=1, compiled=200, limit=1)
    rows = race.race([("resnet10", name) for name in bench.seconds], bench.ask, seconds=1000.0, now=bench.now)
    lines = race.table(rows, roofline.CARDS[0]).splitlines()
    row = "| {} | 3.000 | 2.000 to 6.000 | 42667 | 1.00 | 100% | 1% | 1.0 |  |"
    assert lines[-4:] == [
        row.format("plain"),
        "| lightning |  |  |  |  |  |  |  | failed: OSError: no such file |",
        "| compiled |  |  |  |  |  |  |  | failed: no end within 75 s |",
        row.format("limit"),
    ]


@pytest.mark.parametrize(
    ("program", "limit", "found"),
    [
        ("raise SystemExit('out of memory')", 60, {"failed": "ended with 1: out of memory"}),
        ("tell(ready=True); time.sleep(60)", 0.5, {"failed": "no end within 0.5 s"}),
        (
            "tell(ready=True); input(); tell(block=[1.0, 2]); time.sleep(60)",
            2,
            {"blocks": [[1.0, 2]], "note": "no end within 2 s"},
        ),
        (
            "tell(ready=True); input(); tell(block=[1.0, 2]); raise SystemExit('a fault')",
            60,
            {"blocks": [[1.0, 2]], "note": "ended with 1: a fault"},
        ),
        (
            "tell(ready=True); input(); tell(block=[1.0, 2]); tell(done={'kernels': []})",
            60,
            {"blocks": [[1.0, 2]], "kernels": []},
        ),
    ],
    ids=["dies", "hangs", "hangs late", "dies late", "ends well"],
)
def test_a_process_may_fail_in_any_way(program, limit, found):
    tell = "import json, time\ndef tell(**message): print(json.dumps(message), flush=True)\n"
    worker = Worker([sys.executable, "-S", "-c", tell + program])
    try:
        assert worker.ask("plain", seconds=1.0, limit=limit) == found
    finally:
        worker.end()
    assert worker.process.poll() is not None


def test_a_contender_that_raises_says_why_and_is_the_last_of_its_process(monkeypatch, capsys):
    def bad(setting, clock):
        raise RuntimeError("CUDA error:\nan illegal memory access")

    monkeypatch.setitem(gpu_contenders.CONTENDERS, "plain", bad)
    told = []
    asked = iter([json.dumps({"contender": "plain", "seconds": 1})] * 2)
    setting = gpu_contenders.Setting("resnet10", "cpu", 1, True)
    gpu_contenders.serve(setting, asked, lambda **message: told.append(message))
    assert told == [{"failed": "RuntimeError: CUDA error: an illegal memory access"}]
    assert "Traceback" in capsys.readouterr().err


def test_the_first_block_warms_up_and_at_least_three_follow(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(gpu_contenders, "perf_counter", lambda: float(next(now)))
    told = []
    setting = gpu_contenders.Setting("resnet10", "cpu", 20, True)
    clock = gpu_contenders.Clock(setting, 0.0, lambda **message: told.append(message))
    stops = [clock.update() for _ in range(gpu_contenders.WARM_UP + 3 * 20)]
    assert stops == [False] * (len(stops) - 1) + [True]
    assert told == [{"block": [1.0, 20]}] * 3


def test_rows_that_use_the_same_captured_updates_share_a_process():
    alone = [name for name in gpu_contenders.CONTENDERS if family(name) == name]
    assert alone == [
        *("lrlib_graph", "plain", "plain_bf16", "lightning"),
        *("lrlib_fast", "lrlib_graph_deterministic", "lrlib_plain", "compiled"),
    ]
    assert {family(name) for name in gpu_contenders.CONTENDERS} == set(alone)


def test_a_rehearsal_on_a_cpu_ends_in_a_table_and_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("LRLIB_DATA", raising=False)
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path))
    (tmp_path / "lightning.py").write_text("raise ImportError('not on this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    out, tic = tmp_path / "there" / "race.json", time.monotonic()
    given = (
        "--device cpu --networks resnet10 --updates 1 --seconds 300 --contenders lightning limit lrlib_graph"
    )
    race.main([*given.split(), "--out", str(out)])
    assert time.monotonic() - tic < 300
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["rehearsal"] is True
    assert written["pictures"] == "noise of CIFAR-10's shape"
    lightning, limit, graph = written["rows"]  # as they were asked for
    assert (graph["contender"], limit["contender"]) == ("lrlib_graph", "limit")
    for row in (graph, limit):
        assert len(row["blocks"]) >= 3
        assert row["range"][0] <= row["ms"] <= row["range"][1]
        assert row["memory_gb"] > 0.1
    assert lightning["failed"] == "ImportError: not on this machine"
    shown = capsys.readouterr().out
    assert shown.startswith("A rehearsal on a CPU")
    assert f"| limit | {limit['ms']:.3f} |" in shown
    assert "| lightning |  |  |  |  |  |  |  | failed: ImportError: not on this machine |" in shown
    assert "| operations of an update, GFLOP | 18.3 |" in shown
