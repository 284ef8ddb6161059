"""What two runs of the source's experiment had measured when they were cut, two epochs before their end."""

from __future__ import annotations

import json

from lrbook.chapters.claims.curve_rules import curve_of
from lrbook.finding import Finding, Records, count, finding, percent, points
from lrlib.runs import Run
from lrlib.runs.config import RunConfig
from lrlib.runs.published import published
from lrlib.runs.record import EpochRecord
from lrlib.runs.store import RECORDED
from lrlib.stats.sampling import gap

AGAIN = "source-gpu"  # our runs of the source's experiment
IMAGES = 10_000  # CIFAR-10's test images


def cut_runs() -> dict[str, Run]:
    """Return the cut runs by schedule: configs, and the epochs that were done; see studies/cut_runs.py."""
    found = json.loads((RECORDED / f"{AGAIN}-cut.json").read_text(encoding="utf-8"))
    runs = [
        # A record is whole, and its model says so: these have no status and no final losses.
        Run.model_construct(
            config=RunConfig(**one["config"]), epochs=tuple(EpochRecord(**epoch) for epoch in one["epochs"])
        )
        for one in found.values()
    ]
    return {run.label: run for run in runs}


@finding()
def cut_text(records: Records) -> Finding:
    """Set the cut runs beside the logs, and say what was left of their rates."""
    runs, log = cut_runs(), published().source
    drop, poly5 = runs["drop"], runs["poly5"]
    left = {name: run.epochs[-1].last_lr for name, run in runs.items()}
    loss = {name: curve_of(run, "training loss")[-1] for name, run in runs.items()}
    accuracy = {name: run.epochs[-1].test_accuracy for name, run in runs.items()}
    off = [abs(loss[name] / log.row(name).train_loss - 1) for name in runs]
    ends = accuracy | {run.label: run.epochs[-1].test_accuracy for run in records[AGAIN]}
    order = sorted(ends, key=ends.__getitem__)
    far = [gap(accuracy[name], log.row(name).test_accuracy, images=IMAGES) for name in runs]
    return Finding(
        """
        Drops and power 5 were cut after {done} of {all} epochs, as our time on the machine was over. Of their
        rate of {peak} hardly anything was left by then, {rest} at most. Their training losses stood at {drop}
        (log: {log_drop}) and {poly5} ({log_poly5}), their test accuracies at {drop_at} ({log_drop_at}) and
        {poly5_at} ({log_poly5_at}): within {near} points, or {errors} standard errors. With these, all {runs}
        stand in the order of the logs, though three of them are too close there to be told apart.
        """,
        {
            "done": len(drop.epochs),
            "all": drop.config.epochs,
            "peak": f"{drop.config.peak_lr:g}",
            "rest": f"{max(left.values()):.5f}",
            **{name: f"{value:.4f}" for name, value in loss.items()},
            **{f"{name}_at": percent(value, 2) for name, value in accuracy.items()},
            **{f"log_{name}": f"{log.row(name).train_loss:.4f}" for name in runs},
            **{f"log_{name}_at": percent(log.row(name).test_accuracy, 2) for name in runs},
            "near": points(max(abs(each.difference) for each in far)),
            "errors": f"{max(abs(each.errors) for each in far):.1f}",
            "runs": count(len(order)),
        },
        {
            "two runs, cut at one epoch, two before the end": len(drop.epochs)
            == len(poly5.epochs)
            == drop.config.epochs - 2,
            "hardly anything of the rate is left": max(left.values()) < drop.config.peak_lr / 1000,
            "the training losses within half a percent": max(off) < 0.005,
            "the accuracies within two standard errors": max(abs(each.errors) for each in far) < 2,
            "the order is that of the logs": order
            == sorted(ends, key=lambda name: log.row(name).test_accuracy),
        },
    )
