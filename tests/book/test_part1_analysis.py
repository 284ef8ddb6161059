"""What the chapter on luck says of CIFAR-10 over the peak rate is in the records."""

import json
from pathlib import Path
from statistics import fmean

from run_page import rows, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"


def test_the_rates_on_cifar10_are_the_records():
    found = {}
    for study in ("survey-laptop", "peak-laptop"):
        for path in (RECORDED / study).glob("*.json"):
            record = json.loads(path.read_text())
            config, label = record["config"], path.name.split("-")[0]
            if label in ("constant", "linear"):
                seeds = found.setdefault((config["peak_lr"], label), {})
                seeds[config["seed"]] = record["epochs"][-1]["test_accuracy"]
    (table,) = [text for text in run_page("analysis").said if "linear - constant, points" in text]
    shown = {name: cells for name, *cells in rows(table)[1:]}
    assert list(shown) == [f"{rate:g}" for rate in sorted({rate for rate, _ in found})]
    assert len(shown) > 1
    for rate, cells in shown.items():
        both = [found.get((float(rate), label), {}) for label in ("constant", "linear")]
        assert cells[:2] == [f"{fmean(seeds.values()):.1%}" if seeds else "–" for seeds in both]
        shared = both[0].keys() & both[1].keys()
        if shared:
            difference = 100 * fmean(both[1][seed] - both[0][seed] for seed in shared)
            assert cells[2].startswith(f"{difference:+.1f}")
            assert cells[2].replace("\N{NO-BREAK SPACE}", " ").endswith(f"n = {len(shared)}")
        else:
            assert cells[2] == "–"
