"""How long an update takes on a GPU: lrlib beside its peers and its own limit, on one machine, in one run.

    python benchmarks/gpu/race.py [--networks resnet50 source_resnet] [--seconds 90] [--out FILE]

What does not fit into the seconds is listed as not run; what fails is a line with its reason. `--device cpu`
rehearses the race where there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.extend(map(str, Path(__file__).resolve().parents[:3]))  # where contenders and lrlib lie
import roofline
from contenders import BATCH, PRESETS
from gpu_contenders import CONTENDERS, reason
from workers import Workers, family

NETWORKS = ("resnet50", "source_resnet", "resnet10")
# Seconds that a contender may have in all, with its set-up; the compiler alone takes about a minute.
CAP, CAPS = 30.0, {"compiled": 75.0}
LEAST = 2.0  # seconds; with less left nothing is begun


def race(
    entries: list[tuple[str, str]],
    ask: Callable[..., dict],
    *,
    seconds: float,
    capped: bool = True,
    now: Callable[[], float] = time.monotonic,
    say: Callable[[dict], None] = lambda row: None,
) -> list[dict]:
    """Ask (network, contender) one after the other until `seconds` are over; return a row for each.

    What is left is shared evenly: a contender measures for a third of its share, 0.5 to 4 seconds, and its
    set-up may take the rest and more, up to its cap.
    """
    begun, rows = now(), []
    for number, (network, contender) in enumerate(entries):
        left = seconds - (now() - begun)
        row = {"network": network, "contender": contender}
        if left < LEAST:
            row["not_run"] = "no time left"
        else:
            share = left / (len(entries) - number)
            limit = min(left, CAPS.get(contender, CAP)) if capped else left
            others = [(n, family(c)) for n, c in entries[number + 1 :]]
            last = (network, family(contender)) not in others
            measured = min(4.0, max(0.5, share / 3))
            try:
                row |= summed_up(ask(network, contender, seconds=measured, limit=limit, last=last))
            except Exception as error:  # the others are still to come
                row["failed"] = reason(error)
        rows.append(row)
        say(row)
    return rows


def summed_up(found: dict) -> dict:
    """Return what a contender told, with ms an update: of each block, their median and range."""
    each = [1e3 * seconds / updates for seconds, updates in found.get("blocks", [])]
    if not each:
        return found
    ms = statistics.median(each)
    return {**found, "ms": ms, "range": [min(each), max(each)], "images_per_second": 1e3 * BATCH / ms}


def table(rows: list[dict], card: roofline.Card | None) -> str:
    """Return the race as Markdown: a table for each network, and below it the kernels of an update."""
    lines = []
    for network in dict.fromkeys(row["network"] for row in rows):
        mine = [row for row in rows if row["network"] == network]
        ms = {row["contender"]: row["ms"] for row in mine if "ms" in row}
        lines += [f"### {network}", ""]
        if card:
            ms["roofline"] = 1e3 * roofline.floor(network, card)
            lines += [f"Roofline of the {card.name}: {ms['roofline']:.3f} ms an update.", ""]
        lines += [
            "| contender | ms | range | images/s | times plain | of limit | of roofline | GB | note |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
            *("| " + " | ".join(cells(row, ms)) + " |" for row in mine),
            "",
        ]
        for row in mine:
            if "kernels" in row:
                lines += [kernels(row["kernels"], ms), ""]
    return "\n".join(lines)


def cells(row: dict, ms: dict[str, float]) -> list[str]:
    """Return a line of the table; `ms` holds those of all contenders and of the roofline, where they are."""
    notes = [row.get("note", "")]
    notes += [
        f"{said}: {row[key]}" for key, said in (("failed", "failed"), ("not_run", "not run")) if key in row
    ]
    note = "; ".join(filter(None, notes)).replace("|", "/")
    if "ms" not in row:
        return [row["contender"], *[""] * 7, "see below" if "kernels" in row else note]
    low, high = row["range"]
    plain, limit, floor = (
        ms[name] / row["ms"] if name in ms else None for name in ("plain", "limit", "roofline")
    )
    return [
        row["contender"],
        f"{row['ms']:.3f}",
        f"{low:.3f} to {high:.3f}",
        f"{row['images_per_second']:.0f}",
        f"{plain:.2f}" if plain else "",
        f"{limit:.0%}" if limit else "",
        f"{floor:.0%}" if floor else "",
        " / ".join(f"{row[key]:.1f}" for key in ("memory_gb", "reserved_gb") if key in row),
        note,
    ]


def kernels(found: list, ms: dict[str, float]) -> str:
    """Return the kernels of an update, their sum beside the time of a replay and the roofline."""
    number, work = sum(count for _, count, _ in found), sum(each for *_, each in found)
    beside = [
        f"{ms[name]:.3f} ms {said}"
        for name, said in (("limit", "replayed"), ("roofline", "roofline"))
        if name in ms
    ]
    facts = ", ".join([f"{work:.3f} ms one by one", *beside])
    return f"One update is {number} kernels: {facts}.\n\n{roofline.kernel_table(found)}"


def about(device: str, *, noise: bool) -> dict:
    """Return what the race was run on; the GPU's own name is told by the contenders."""
    import torch

    from lrlib.training.driver import nvidia_smi
    from lrlib.training.machine import commit, hardware, installed

    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "rehearsal": device == "cpu",
        "device": device,
        "hardware": hardware(torch.device("cpu")) if device == "cpu" else nvidia_smi("name") or "unknown",
        "driver": nvidia_smi("driver_version") or "unknown",
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "triton": installed("triton"),
        "lightning": installed("lightning"),
        "pictures": "noise of CIFAR-10's shape" if noise else "CIFAR-10",
        "commit": commit(),
    }


def no_pictures() -> bool:
    """Return whether CIFAR-10 is not on this machine; nothing is downloaded for a race."""
    from lrlib.training import cifar10, dataset

    try:
        cifar10.find(download=False)
        dataset.load("cifar10")  # once, so that what is verified is kept and the processes read it quickly
    except dataset.DataError:
        return True
    return False


def main(words: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(PRESETS))
    parser.add_argument("--contenders", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--seconds", type=float, default=90.0, help="for all of it, starts included")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--updates", type=int, help="of a block; on a CPU 3")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(words)
    begun = time.monotonic()
    noise = no_pictures()
    result = {**about(given.device, noise=noise), "seconds": given.seconds, "rows": []}
    cpu = given.device == "cpu"
    entries = [(n, c) for c in given.contenders for n in given.networks]
    workers = Workers(given.device, given.updates or (3 if cpu else None), noise=noise)

    def say(row: dict) -> None:
        result["rows"].append(row)
        told = f"{row['ms']:.3f} ms" if "ms" in row else row.get("failed") or row.get("not_run") or "done"
        left = given.seconds - (time.monotonic() - begun)
        print(f"{row['network']} {row['contender']}: {told}; {left:.0f} s left", file=sys.stderr, flush=True)
        result["hardware"] = row.pop("hardware", result["hardware"])
        if given.out:  # after each: who stops it keeps what is measured
            given.out.parent.mkdir(parents=True, exist_ok=True)
            given.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    try:
        workers.start(entries, most=os.cpu_count() or 1, until=begun + given.seconds / 3)
        left = given.seconds - (time.monotonic() - begun)
        race(entries, workers.ask, seconds=left, capped=not cpu, say=say)
    finally:
        workers.end()
    card = None if cpu else roofline.card_of(result["hardware"])
    if cpu:
        print("A rehearsal on a CPU: its times say nothing of a GPU, and are no result.\n")
    print("{hardware}, driver {driver}, torch {torch}, CUDA {cuda}; {pictures}\n".format(**result))
    print(table(result["rows"], card))
    print("What an update must cost at least (roofline.py):\n")
    print(roofline.table(given.networks))
    return result


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end too
    main()
