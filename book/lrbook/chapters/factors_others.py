"""What is not on the survey's list of factors, and what all settings have in common."""

from __future__ import annotations

from itertools import groupby
from math import factorial
from statistics import fmean
from typing import NamedTuple

from lrbook.chapters import fair_race, map_plan
from lrbook.chapters.factors_levels import (
    ALL,
    BUDGETS,
    CIFAR10,
    PATHS,
    PEAKS,
    RESNET50,
    RULE,
    THREE,
    ends_at,
    means,
    ranked,
    rate_levels,
    shared_peak,
)
from lrbook.chapters.factors_valley import ORDERS
from lrbook.finding import (
    Finding,
    Records,
    between,
    count,
    finding,
    percent,
    points,
    rounded,
)
from lrlib.runs import Run
from lrlib.stats import (
    FAILED,
    by_seed,
    compare_all,
    final_accuracy,
    paired_differences,
)

# --- Not on the list, and what all settings have in common -----------------------------------------------


@finding(heading="Not on the list: momentum and batch size move the usable rate")
def not_on_the_list_text(records: Records) -> Finding:
    """Say how the peak rates that linear decay can use depend on momentum and batch size."""
    ends: dict[tuple[float, int], dict[float, list[float]]] = {}
    for study in (RULE, PEAKS):
        for run in records[study]:
            config = run.config
            if run.label == "linear" and config.peak_lr >= 0.01:
                at = ends.setdefault((config.momentum, config.batch_size), {})
                at.setdefault(config.peak_lr, []).append(final_accuracy(run))
    mean = {setting: {rate: fmean(x) for rate, x in at.items()} for setting, at in ends.items()}
    restless, calm = (0.9, 5), (0.0, 80)
    low, high = 0.01, 0.3
    top = [max(at.values()) for at in mean.values()]
    return Finding(
        """
        The survey calls its list incomplete, and rightly. With momentum {much} and batches of {small}, linear
        decay on the digits reaches {restless_low} from a peak of {low}, and fails from {high}
        ({restless_high}). Without momentum, in batches of {large}, it is the other way around: {calm_low} and
        {calm_high}. With the best of the recorded rates, picked in hindsight, each of {n} settings ends
        between {least} and {most}.

        So these two change above all *which* rate is right. How they change the lead over a constant rate is
        not in these runs; augmentation and weight penalty we have not varied alone.
        """,
        {
            "n": count(len(ends)),
            "much": restless[0],
            "small": restless[1],
            "large": calm[1],
            "low": f"{low:g}",
            "high": f"{high:g}",
            "restless_low": percent(mean[restless][low]),
            "restless_high": percent(mean[restless][high]),
            "calm_low": percent(mean[calm][low]),
            "calm_high": percent(mean[calm][high]),
            "least": percent(min(top)),
            "most": percent(max(top)),
        },
        {
            "at the low rate every run with momentum and small batches is ahead": min(ends[restless][low])
            > max(ends[calm][low]),
            "at the high rate every run without, in large batches, is ahead": min(ends[calm][high])
            > max(ends[restless][high]),
            "the former fails at the high rate": max(ends[restless][high]) < FAILED,
            "at their best rates all settings are within a point": max(top) - min(top) < 0.01,
            "there is no constant run": not records.runs(RULE, "constant"),
            "augmentation and weight penalty vary in no study but one": {
                study
                for study in (*ALL, RULE)
                if {(run.config.augmentation, run.config.weight_decay) for run in records[study]}
                != {("none", 1e-4)}
            }
            == {RESNET50},
        },
    )


class Setting(NamedTuple):
    """What runs share but schedule and seed: its peak rate, its number of seeds, and mean accuracies."""

    peak_lr: float
    seeds: int
    mean: dict[str, float]


def all_settings(records: Records) -> list[Setting]:
    """Return the recorded settings of all three schedules in which the constant rate learns."""
    groups: dict[str, list[Run]] = {}
    for run in (run for study in ALL for run in records[study] if run.label in THREE):
        groups.setdefault(run.config.model_dump_json(exclude={"seed", "recipe"}), []).append(run)
    found = []
    for runs in groups.values():
        # several studies hold the middle of the star, with the same seeds: each counts once
        ends = {name: {r.config.seed: final_accuracy(r) for r in runs if r.label == name} for name in THREE}
        if min(ends["constant"].values()) > FAILED:
            mean = {name: fmean(each.values()) for name, each in ends.items()}
            found.append(Setting(runs[0].config.peak_lr, len(ends["constant"]), mean))
    return found


@finding(heading="All together: three orders of six")
def three_orders_text(records: Records) -> Finding:
    """Say in which orders the three schedules stand, over all recorded settings."""
    settings = all_settings(records)
    found = [ranked(setting.mean) for setting in settings]
    times = [found.count(order) for order in ORDERS]
    gains = [setting.mean["linear"] - setting.mean["drop"] for setting in settings]
    seeds = {setting.seeds for setting in settings}
    close = sum(
        abs(setting.mean[a] - setting.mean[b]) < 0.005
        for setting in settings
        for a, b in [ranked(setting.mean)[:2]]
    )
    levels = rate_levels(records)
    learned = [rate for rate in levels if min(ends_at(levels, "constant", rate)) > FAILED]
    by_rate = [
        order for order, _ in groupby(ranked({n: means(levels, n)[rate] for n in THREE}) for rate in learned)
    ]
    return Finding(
        """
        We have constant, drop and linear in {n} settings in which the constant rate learns. They could stand
        in {six} orders. {Three} occur, those of figure 10.2: {first} times constant, linear, drop; {second}
        times linear, constant, drop; {third} times linear, drop, constant. On the digits, a rising peak rate
        goes through all of them in turn. Linear decay is ahead of drops in every setting, by {least} to
        {most} points.

        *How sure? Each is a mean over {few} to {many} seeds; in {close} settings the first two are within
        half a point, and their order may be luck. Most settings have the peak rate of {peak}.*
        """,
        {
            "n": len(found),
            "six": count(factorial(len(THREE))),
            "Three": count(len(set(found))).capitalize(),
            "first": count(times[0]),
            "second": count(times[1]),
            "third": count(times[2]),
            "least": points(min(gains)),
            "most": points(max(gains)),
            "close": count(close),
            "few": count(min(seeds)),
            "many": count(max(seeds)),
            "peak": f"{shared_peak(records):g}",
        },
        {
            "no other order occurs": sum(times) == len(found),
            "each of the three occurs": min(times) > 0,
            "linear decay is ahead of drops in every setting": min(gains) > 0,
            "on the digits the rate goes through all three in turn": by_rate == list(ORDERS),
            "more than half have the shared peak rate": 2
            * sum(setting.peak_lr == shared_peak(records) for setting in settings)
            > len(settings),
            "in some settings the first two are close": close > 0,
        },
    )


@finding(heading="Not all of it is trial")
def trial_text(records: Records) -> Finding:
    """Answer the survey's "a very experimental process": what can be known before, and what cannot."""
    fits = map_plan.rank_correlations(records)
    race = fair_race.own_means(records)
    apart = map_plan.span(race)
    photos = [map_plan.means(of(records)) for of in (map_plan.common, map_plan.own)]
    common, own = map(map_plan.span, photos)
    return Finding(
        """
        The survey calls the choice "a very experimental process": "the only way to know" is to train with
        each. Part of it can be known before. [A worst-case bound](../beyond/one_bound.ipynb), which sees no
        image, predicted the order of {eight} schedules by training loss on CIFAR-10 before the runs. Its rank
        correlation with the measured order is {mean} on average (1 is the same order), but none at the
        highest rate. And [seconds of measurement](../beyond/warmup_needed.ipynb) give a rate below which
        warm-up never paid.

        What has to be tried first is the rate. At one rate for all, {eight} schedules span {common} points on
        CIFAR-10; at their own, {own}. On the digits [{many} at their own span
        {apart}](../beyond/fair_race.ipynb).
        [Which schedule should I use?](../beyond/which_schedule.md) puts it together.
        """,
        {
            "eight": count(len(photos[0])),
            "many": count(len(race)),
            "mean": rounded(fmean(fits.values()), 2),
            "common": points(common),
            "own": points(own),
            "apart": points(apart),
        },
        {
            "the orders fit, as predicted": fmean(fits.values()) > 0.5,
            "but not at the highest rate": abs(fits[max(fits)]) < 0.3,
            "own rates narrow the span": own < common,
            "to less than a point on the digits": apart < 0.01,
        },
    )


@finding()
def path_text(records: Records) -> Finding:
    """Say whether it matters how the sums are computed."""
    runs = {
        path: by_seed(records[study])["linear"] for path, study in zip(("fast", "plain"), PATHS, strict=True)
    }
    compared = compare_all(runs, pairs=[("fast", "plain")])[0]
    epochs = {run.config.epochs for study in PATHS for run in records[study]}
    shown = [run for study in (CIFAR10, BUDGETS) for run in records[study] if run.label in THREE]
    plain_path = [run for run in shown if run.provenance.path == "plain"]
    largest = max(abs(a) for a in paired_differences(runs, "fast", "plain").values())
    return Finding(
        """
        <details>
        <summary>What should not matter: how the sums are computed</summary>

        All but {plain} of the CIFAR-10 runs of figure 10.4 were trained by a fast path, which adds the same
        numbers in another order. Rounding then differs, and training amplifies it: to the same seed, the
        other path is a new draw. Over {n} seeds of linear decay, {epochs} epochs each, a pair is up to
        {largest} points apart. On average the fast path ends {difference} points below the plain one: as good
        as it, by [our plan](plan.md).

        </details>
        """,
        {
            "plain": count(len(plain_path)),
            "n": count(compared.n),
            "largest": points(largest),
            "difference": between(compared),
            "epochs": count(min(epochs)),
        },
        {
            "the fast path is as good": compared.verdict == "as good as",
            "it is a little lower": compared.mean_difference < 0,
            "all runs have one length": len(epochs) == 1,
            "few runs of the figure took the plain path": 0 < len(plain_path) < 10,
            "each study was computed by its path": all(
                {run.provenance.path for run in records[study]} == {path}
                for path, study in zip(("fast", "plain"), PATHS, strict=True)
            ),
        },
    )
