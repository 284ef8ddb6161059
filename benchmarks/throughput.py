"""Training images per second, side by side: every contender in turn, several rounds, one machine, one run.

    python benchmarks/throughput.py [--networks resnet10 resnet50] [--rounds 5] [--out FILE]

Processes are started once and sleep while others work, so that a slow moment of the machine meets all alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from contenders import BATCH, PEAK_FLOPS, WARM_UP, multiply_adds

HERE = Path(__file__).parent
CONTENDERS = (
    "plain",
    "plain_bf16",
    "lightning",
    "keras_torch",
    "keras_jax",
    "lrlib_plain",
    "lrlib_compiled",
    "lrlib",
    "limit",
    "evaluation",
    "peak",
)
LACKING = {("keras_torch", "source_resnet"), ("keras_jax", "source_resnet")}
UPDATES = {"resnet10": 30, "resnet50": 14, "source_resnet": 6}  # of a round


def start(contender: str, network: str) -> subprocess.Popen:
    words = [sys.executable, str(HERE / "contenders.py"), contender, network, str(BATCH * UPDATES[network])]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True)


def ask(worker: subprocess.Popen) -> dict:
    worker.stdin.write("go\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"{worker.args[2:4]} ended with {worker.wait()}; run it alone to see why")
    return json.loads(line)


def rate(contender: str, network: str, times: list[float]) -> float:
    """Images (for the peak: operations) a second, from the times after each update."""
    if contender == "evaluation":
        return BATCH * UPDATES[network] / (times[-1] - times[0])
    if contender == "peak":
        return PEAK_FLOPS / min(later - earlier for earlier, later in pairwise(times))
    return BATCH * (len(times) - 1 - WARM_UP) / (times[-1] - times[WARM_UP])


def measure(network: str, rounds: int) -> dict[str, dict]:
    """All contenders on one network; the first round warms up and does not count."""
    names = [name for name in CONTENDERS if (name, network) not in LACKING]
    workers = {name: start(name, network) for name in names}
    found: dict[str, dict] = {name: {"rates": []} for name in names}
    try:
        for number in range(rounds + 1):
            for name, worker in workers.items():
                answer = ask(worker)
                if number:
                    found[name]["rates"].append(rate(name, network, answer["times"]))
                    found[name]["memory_mb"] = round(answer["memory_mb"])
            print(f"{network}: round {number} of {rounds}", file=sys.stderr, flush=True)
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    return found


def table(results: dict[str, dict[str, dict]]) -> str:
    """The Markdown table, with ratios to plain and shares of the limit and of the matrix peak."""
    lines = []
    for network, found in results.items():
        medians = {name: statistics.median(entry["rates"]) for name, entry in found.items()}
        operations = 2 * 3 * multiply_adds(network)  # backward is twice the forward pass
        lines += [
            "",
            f"### {network}: {multiply_adds(network) / 1e6:.1f} million multiply-adds a picture, forward",
            "",
            "| contender | images/s | range | times plain | of limit | of matrix peak | memory, MB |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for name, entry in found.items():
            if name == "peak":
                continue
            speed, low, high = medians[name], min(entry["rates"]), max(entry["rates"])
            cells = [name, f"{speed:.0f}", f"{low:.0f} to {high:.0f}"]
            if name == "evaluation":
                cells += ["", "", ""]
            else:
                ratios = [a / b for a, b in zip(entry["rates"], found["plain"]["rates"], strict=True)]
                share = speed * operations / medians["peak"]
                cells += [
                    f"{statistics.median(ratios):.2f}",
                    f"{speed / medians['limit']:.0%}",
                    f"{share:.1%}",
                ]
            lines.append("| " + " | ".join([*cells, str(entry["memory_mb"])]) + " |")
        peak = medians["peak"] / 1e12
        lines += [
            "",
            f"Matrix peak, bf16, measured in the same run: {peak:.2f} million million operations/s.",
        ]
    return "\n".join(lines).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(UPDATES), choices=list(UPDATES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    results: dict[str, dict] = {}
    for network in given.networks:
        results[network] = measure(network, given.rounds)
        print(table({network: results[network]}), flush=True)
        if given.out:  # after each network: who stops it keeps what is measured
            save(given.out, results)


def save(file: Path, results: dict[str, dict]) -> None:
    """Write what is measured so far, with what it was measured on."""
    from torch import __version__, device, get_num_threads

    from lrlib.training.machine import commit, hardware

    about = {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "hardware": hardware(device("cpu")),
        "threads": get_num_threads(),
        "torch": __version__,
        "commit": commit(),
        "command": " ".join(
            [
                "python",
                "benchmarks/throughput.py",
                *(file.name if Path(word) == file else word for word in sys.argv[1:]),
            ]
        ),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**about, "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
