"""What the chapter on the fair race prints: each schedule at its own peak rate, on the digits and CIFAR-10.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words. The rates are chosen by `lrbook.chapters.own_rates`;
predictions are those of ``studies/modern-digits.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan, own_rates, shared
from lrbook.chapters._write import listed
from lrbook.chapters.map_plan import span
from lrbook.finding import Finding, Records, count, finding, percent, points, rounded
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, GRAY, INK, NARROW, RULE, WIDE, Label, TwoWidths, label_ends
from lrlib.runs import Run
from lrlib.schedules.recipes import RECIPES
from lrlib.stats import PairedComparison, compare_all, final_accuracy

RACE, MAP = own_rates.STAGE_B, map_plan.MAP
TEST_IMAGES, LEVEL_OF_TESTS = 797, 0.05
COMMON = 0.1  # the rate that all share in the survey
LEVEL = ("linear", "rex", "triangle", "cosine", "wsd_sqrt", "wsd", "1cycle")  # H3 says: within 0.3 points
APART = 0.003
CLEAR = 0.005  # a gap in test accuracy on CIFAR-10 that the chapter calls behind
SOON = {"drop", "poly5", "time", "exponential"}  # have left the peak in a third of the run
LAST = {"constant", "clr", "noam"}  # and: the last two places are among these


def accuracies(records: Records) -> dict[str, dict[int, float]]:
    """Return the final test accuracies of the race: schedule -> seed -> accuracy, of whole seeds."""
    found: dict[str, dict[int, float]] = {name: {} for name in RECIPES}
    for run in records.blocks(RACE):
        found[run.label][run.config.seed] = final_accuracy(run)
    return found


def comparisons(records: Records) -> dict[str, PairedComparison]:
    """Return each schedule compared with linear decay by the plan: paired by seed, Holm over seventeen."""
    pairs = [(name, "linear") for name in RECIPES if name != "linear"]
    return {each.schedule: each for each in compare_all(accuracies(records), pairs=pairs)}


def _within(found: Mapping[str, PairedComparison]) -> bool:
    """Return whether each schedule is within a point of linear decay, by the plan's two one-sided tests."""
    return max(each.equivalence_holm_p for each in found.values()) < LEVEL_OF_TESTS


def _verdicts(found: Mapping[str, PairedComparison], word: str) -> list[str]:
    """Return the schedules whose verdict against linear decay begins with a word."""
    return [name for name, each in found.items() if each.verdict.startswith(word)]


def own_means(records: Records) -> dict[str, float]:
    """Return the mean test accuracies of the race."""
    return {name: fmean(seeds.values()) for name, seeds in accuracies(records).items()}


def common_means(records: Records) -> dict[str, float]:
    """Return the mean held-out accuracies of stage A at the common rate, over five folds."""
    found: dict[str, list[float]] = {name: [] for name in RECIPES}
    for run in records[own_rates.STAGE_A]:
        if run.config.peak_lr == COMMON:
            found[run.label].append(final_accuracy(run))
    return {name: fmean(folds) for name, folds in found.items()}


def held_out_means(records: Records) -> dict[str, float]:
    """Return the mean held-out accuracies of stage A, each schedule at its chosen rate."""
    runs = own_rates.stage_a(records)
    rates = own_rates.chosen_rates(own_rates.held_out(runs))
    return {
        name: fmean(final_accuracy(run) for run in runs if (run.label, run.config.peak_lr) == (name, rate))
        for name, rate in rates.items()
    }


def came_true(records: Records) -> dict[str, bool]:
    """Return each prediction of H2 and H3, in short, and whether it came true."""
    own = own_means(records)
    order = sorted(own, key=own.__getitem__)
    return {
        "less than half of the span is left": span(own) < span(common_means(records)) / 2,
        "seven are level": span({name: own[name] for name in LEVEL}) <= APART,
        "the last two are of three": set(order[:2]) <= LAST,
    }


# --- Figure 18.1: the race --------------------------------------------------------------------------------


def race_figure(records: Records | None = None) -> TwoWidths:
    """Draw each schedule's difference to linear decay with its simultaneous interval, best first."""
    found = comparisons(Records() if records is None else records)
    rows = sorted(found.values(), key=lambda each: each.mean_difference)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.85 * WIDE, 4.6) if wide else (NARROW, 4.8))
        axes = figure.subplots()
        axes.axvspan(-1, 1, color=RULE, linewidth=0, alpha=0.4, zorder=0)
        axes.axvline(0, color=COLOR["linear"], linewidth=1.2, zorder=1)
        for row, each in enumerate(rows):
            color = INK if each.verdict != "not decidable" else GRAY
            axes.plot(each.interval_points, [row, row], color=color, linewidth=1.4)
            axes.plot(each.mean_difference_points, row, "o", color=color, markersize=5)
            if wide:
                at = (1.0, row)
                how = {"xycoords": ("axes fraction", "data"), "va": "center", "color": color}
                note(axes, each.verdict, at, (6, 0), fontsize=9, **how)
        axes.set_yticks(range(len(rows)), [each.schedule for each in rows])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("points of test accuracy above linear decay")
        return figure

    best, worst = rows[-1], rows[0]
    return TwoWidths(
        draw,
        alt=f"Seventeen rows: the mean difference in test accuracy to linear decay with its interval, from "
        f"{best.schedule} at {best.mean_difference_points:+.1f} points to {worst.schedule} at "
        f"{worst.mean_difference_points:+.1f}. A gray band marks one point to both sides.",
    )


# --- Figures 18.2 and 18.3: common rate and own rate ------------------------------------------------------


def _slopes(
    before: Mapping[str, float], after: Mapping[str, float], *, titles: tuple[str, str], named: Sequence[str]
) -> TwoWidths:
    """Draw each schedule's means at the common rate and its own, joined; `named` have labels and colors."""

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.7 * WIDE, 4.2) if wide else (NARROW, 4.6))
        axes = figure.subplots()
        for name in before:
            color = COLOR.get(name, INK) if name in named else GRAY
            width = 1.8 if name in named else 0.9
            axes.plot([0, 1], [before[name], after[name]], "o-", color=color, linewidth=width, markersize=3.5)
        axes.set_xlim(-0.08, 1.04)
        axes.set_xticks([0, 1], titles)
        in_per_cent(axes.yaxis)
        axes.set_title("mean accuracy")
        label_ends(axes, [Label(after[name], name, COLOR.get(name, INK)) for name in named])
        return figure

    return TwoWidths(
        draw,
        alt=f"Lines from each schedule's mean accuracy at the common rate to that at its own. At the common "
        f"rate they spread from {percent(min(before.values()))} to {percent(max(before.values()))}, at their "
        f"own rates from {percent(min(after.values()))} to {percent(max(after.values()))}.",
    )


def spans_figure(records: Records | None = None) -> TwoWidths:
    """Draw the eighteen on the digits: held-out accuracy at the common rate, test accuracy at their own."""
    records = Records() if records is None else records
    before, after = common_means(records), own_means(records)
    order = sorted(after, key=after.__getitem__)
    named = list(dict.fromkeys([*order[:2], order[-1], "linear", "constant", "triangle"]))
    titles = (f"all at {COMMON:g},\nheld-out images", "each at its own,\ntest images")
    return _slopes(before, after, titles=titles, named=named)


def cifar10_figure(records: Records | None = None) -> TwoWidths:
    """Draw the eight on CIFAR-10: at the common rate, and at the rate that the other seeds choose."""
    records = Records() if records is None else records
    before, after = map_plan.means(map_plan.common(records)), map_plan.means(map_plan.own(records))
    return _slopes(before, after, titles=(f"all at {COMMON:g}", "each at its own"), named=list(after))


# --- Findings ---------------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    own, common, found = own_means(records), common_means(records), comparisons(records)
    true = came_true(records)
    order = sorted(own, key=own.__getitem__)
    worse = _verdicts(found, "worse")
    photos = map_plan.means(map_plan.own(records))
    kept = span(photos) / span(map_plan.means(map_plan.common(records)))
    return Finding(
        """
        > **What we found**
        >
        > 1. **On the digits the schedule hardly matters, once each has its own rate.** Eighteen schedules
        >    span {after} points of test accuracy; at the common rate {rate} they span {before}, on held-out
        >    images. All are within a point of linear decay; {worse} are worse, and none is better.
        > 2. **Of {predictions} predictions, {right} came true.** We had the last places wrong: they belong to
        >    {last}, which fall too soon.
        > 3. **On CIFAR-10 it does matter.** There {kept} of the span stays, and the triangle is first.
        """,
        {
            "after": points(span(own)),
            "rate": f"{COMMON:g}",
            "before": points(span(common)),
            "worse": count(len(worse)),
            "right": count(sum(true.values())),
            "predictions": count(len(true)),
            "last": " and ".join(order[:2]),
            "kept": percent(kept, 0),
        },
        {
            "the span all but goes": span(own) < span(common) / 5,
            "all are within a point": _within(found),
            "none is better": not _verdicts(found, "better"),
            "some are worse": 0 < len(worse) < len(found) / 2,
            "what came true": list(true.values()) == [True, True, False],
            "the last places fall soon": set(order[:2]) <= SOON,
            "on CIFAR-10 most of the span stays": kept > 2 / 3,
            "and the triangle is first": max(photos, key=photos.__getitem__) == "triangle",
        },
    )


@finding()
def answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction: what is left of the span, and who is last."""
    own, common = own_means(records), common_means(records)
    last = min(common, key=common.__getitem__)
    order = sorted(own, key=own.__getitem__)
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Of {before} points on held-out images {after} are left on test images, {part}. At the common rate
        {last} is last by far, with {was}; at its own it has {now}. Then {new} is last, with {least}.

        </details>
        """,
        {
            "before": points(span(common)),
            "after": points(span(own)),
            "part": percent(span(own) / span(common), 0),
            "last": _the(last),
            "was": percent(common[last]),
            "now": percent(own[last]),
            "new": order[0],
            "least": percent(own[order[0]]),
        },
        {
            "constant is last at the common rate": last == "constant",
            "and not at its own": order[0] != "constant",
            "a small part is left": span(own) < span(common) / 5,
        },
    )


def _the(name: str) -> str:
    return {"constant": "the constant rate", "linear": "linear decay"}.get(name, name)


@finding(heading="The choice: most want a tenth of the survey's rate, or less")
def chosen_text(records: Records) -> Finding:
    """Say which rates the rule chose."""
    losses = own_rates.held_out(own_rates.stage_a(records))
    rates = own_rates.chosen_rates(losses)
    by_rate: dict[float, list[str]] = {}
    for name, rate in rates.items():
        by_rate.setdefault(rate, []).append(name)
    lowest = {name: min(at, key=at.__getitem__) for name, at in losses.items()}
    tied = [name for name in rates if lowest[name] != rates[name]]
    return Finding(
        """
        {choices}

        Most want a tenth of the survey's {common}, or less. {tied} had a tie, in which the smaller rate was
        taken. None is at an end of the rates tried, so that no more were asked for.
        """,
        {
            "choices": "; ".join(f"**{rate:g}**: {listed(by_rate[rate])}" for rate in sorted(by_rate)) + ".",
            "tied": count(len(tied)).capitalize(),
            "common": f"{COMMON:g}",
        },
        {
            "most want a tenth of it or less": sum(rate <= COMMON / 10 for rate in rates.values())
            > len(rates) / 2,
            "none is at an end": not own_rates.at_the_edge(losses),
            "the edge rule asks for nothing more": not own_rates.asked_for(
                losses, {run.config.peak_lr for run in records[own_rates.STAGE_A]}
            ),
        },
    )


@finding(heading="All within a point of linear decay, four a little worse")
def race_text(records: Records) -> Finding:
    """Say who can be told from linear decay, by the plan."""
    found = comparisons(records)
    worse = _verdicts(found, "worse")
    worse.sort(key=lambda name: found[name].mean_difference)
    gaps = [found[name].mean_difference for name in worse]
    edge = max(worse, key=lambda name: found[name].holm_p)
    own = own_means(records)
    first = max(own, key=own.__getitem__)
    seeds = records.whole_seeds(RACE)
    return Finding(
        """
        By the plan, in pairs over {n} seeds, with [Holm's
        correction](../reference/glossary.md#holm-s-correction) over {pairs}, each of the others is within a
        point of linear decay. {worse} are worse all the same, by {least} to {most} points. None is
        better: the highest mean is that of {first}, {best}, and linear decay has {linear}.

        *How sure?* One test image is {image} points, and the differences have a standard deviation of {low}
        to {high} points from seed to seed. So the race can tell half a point, and not a tenth. That
        {borderline} is worse is a close call (p = {p}).
        """,
        {
            "n": len(seeds),
            "pairs": len(found),
            "worse": listed(worse).capitalize(),
            "least": points(min(gaps)),
            "most": points(max(gaps)),
            "first": _the(first),
            "best": percent(own[first], 2),
            "linear": percent(own["linear"], 2),
            "image": points(1 / TEST_IMAGES, 2),
            "low": points(min(each.sd for each in found.values()), 2),
            "high": points(max(each.sd for each in found.values()), 2),
            "borderline": edge,
            "p": rounded(found[edge].holm_p, 4),
        },
        {
            "all are within a point": _within(found),
            "four are worse": set(worse) == {"drop", "exponential", "poly5", "constant"},
            "none is better": not _verdicts(found, "better"),
            "one of them on the edge": 0.02 < found[edge].holm_p < LEVEL_OF_TESTS,
        },
    )


@finding(heading="Written down before: less than half of the span is left")
def spans_text(records: Records) -> Finding:
    """Judge H2 and H3: the span at own rates, who is level, and who is last."""
    own, common = own_means(records), common_means(records)
    level = {name: own[name] for name in LEVEL}
    order = sorted(own, key=own.__getitem__)
    inside = held_out_means(records)
    places = {name: order[::-1].index(name) + 1 for name in sorted(LAST)}
    return Finding(
        """
        - *Each at its own rate the eighteen span less than half of what they span at {rate}.* They span
          {after} points, not {before}: **came true**. The constant rate alone gains {constant} points.
        - *{Seven} lie within {apart} points of each other:* {names}. They lie within {within}: **came true**.
        - *The last two are among constant, clr and noam, which do not end low.* They are {last}: **failed**.
          The constant rate is in place {flat}, clr in {clr}, noam in {noam}. At a rate low enough it is a
          small fault not to end low.

        The two sides of figure 18.2 have other images, and the left one fewer to train on. On the held-out
        images alone, where the rates were chosen, the span goes from {before} points to {inside}. Nor is it
        the constant rate alone: without it the span at {rate} is {without} points.
        """,
        {
            "rate": f"{COMMON:g}",
            "after": points(span(own), 2),
            "before": points(span(common)),
            "constant": points(own["constant"] - common["constant"]),
            "Seven": count(len(LEVEL)).capitalize(),
            "apart": points(APART),
            "names": listed(LEVEL),
            "within": points(span(level), 2),
            "inside": points(span(inside)),
            "without": points(span({name: x for name, x in common.items() if name != "constant"})),
            "last": listed(order[1::-1]),
            "clr": places["clr"],
            "noam": places["noam"],
            "flat": places["constant"],
        },
        {
            "what came true": list(came_true(records).values()) == [True, True, False],
            "the last two fall soon": set(order[:2]) <= SOON,
            "constant gains most": max(own, key=lambda name: own[name] - common[name]) == "constant",
            "on held-out images the span goes too": span(inside) < span(common) / 5,
            "without constant as well": span(inside)
            < span({name: x for name, x in common.items() if name != "constant"}) / 3,
        },
    )


@finding(heading="On CIFAR-10, most of the span stays")
def cifar10_text(records: Records) -> Finding:
    """Say what own rates change on CIFAR-10, each seed at the rate that the other chooses."""
    common, own = map_plan.means(map_plan.common(records)), map_plan.means(map_plan.own(records))
    found = map_plan.comparisons(map_plan.own(records))
    picked = {
        name: sorted({each.peak_lr for each in rates}) for name, rates in map_plan.chosen(records).items()
    }
    stays = [name for name, rates in picked.items() if rates == [COMMON]]
    gain = {name: own[name] - common[name] for name in own}
    best = max(own, key=own.__getitem__)
    seeds, grid = records.whole_seeds(MAP), records.by_rate(MAP)
    gaps = {name: [grid["linear"][rate] - at[rate] for rate in at] for name, at in grid.items()}
    behind = [name for name, rates in gaps.items() if min(rates) > CLEAR]
    return Finding(
        """
        The map on CIFAR-10 has {seeds} seeds at {rates} rates. Let each seed run at the rate that the
        *others* find best, so that no seed chooses for itself. {Stays} of {schedules} schedules then stay at
        {common}: {names}. The constant rate goes to {slow} and gains {constant} points; the triangle goes up
        to {high} and gains {triangle}.

        All span {before} points at {common}, and {after} each at its own: {kept} of the span stays, far
        more than on the digits. {Behind} are behind linear decay at every one of the rates, by
        {clear} points and more: no rate mends them. First is {best} with {record}, {lead} points above
        linear decay.

        *How sure?* In pairs, with Holm's correction over {pairs}, {seeds} seeds decide one of {pairs}
        verdicts: {worse} is worse than linear decay. The rest is an order, not a test; it takes more seeds. A
        race of its own is planned in `studies/fair-gpu.toml`, with predictions: rates chosen on held-out
        images, then five seeds. Of that race no run has been recorded.
        """,
        {
            "seeds": count(len(seeds)),
            "pairs": count(len(found)),
            "worse": listed(_verdicts(found, "worse")),
            "rates": count(len(grid["linear"])),
            "Stays": count(len(stays)).capitalize(),
            "schedules": count(len(own)),
            "common": f"{COMMON:g}",
            "names": listed(stays),
            "slow": listed(f"{rate:g}" for rate in picked["constant"]),
            "constant": points(gain["constant"]),
            "high": listed(f"{rate:g}" for rate in picked["triangle"]),
            "triangle": points(gain["triangle"]),
            "before": points(span(common)),
            "after": points(span(own)),
            "kept": percent(span(own) / span(common), 0),
            "Behind": listed(behind).capitalize(),
            "clear": points(min(min(gaps[name]) for name in behind)) if behind else "",
            "best": "the " * (best == "triangle") + best,
            "record": percent(own[best]),
            "lead": points(own[best] - own["linear"]),
        },
        {
            "three seeds are whole": len(seeds) == 3,
            "time alone is decided, as worse": _verdicts(found, "worse") == ["time"]
            and len(_verdicts(found, "not decidable")) == len(found) - 1,
            "most schedules stay at the common rate": len(stays) > len(own) / 2,
            "constant goes down, and gains most": max(picked["constant"]) < COMMON
            and max(gain, key=gain.__getitem__) == "constant",
            "the triangle goes up, and gains": min(picked["triangle"]) > COMMON and gain["triangle"] > 0,
            "two thirds of the span stay": span(own) > 2 / 3 * span(common),
            "far more than on the digits": span(own) / span(common)
            > 3 * span(own_means(records)) / span(common_means(records)),
            "the triangle is first": best == "triangle",
            "those that fall soon are behind at every rate": behind == ["time", "drop", "poly5"],
        },
    )


# --- Figure 18.4: the reader's own two runs ---------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs that were just trained, thick, over those of the race, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=[RACE],
        alt="Your two runs, constant in gray and linear decay in blue, each at its own rate, thick, over the "
        "runs of the race, thin: training loss and test accuracy over the epochs.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of the usual digits, what the race says."""
    rates = {"constant": 0.003, "linear": 0.01}
    return shared.live_ends(mine, two_of_the_race_text, records, usual=("digits", 8, rates))


@finding()
def two_of_the_race_text(records: Records) -> Finding:
    """Say how far linear decay is ahead of the constant rate in the race."""
    found, own = comparisons(records)["constant"], own_means(records)
    wins = [
        line > flat
        for line, flat in zip(
            *(accuracies(records)[name].values() for name in ("linear", "constant")), strict=True
        )
    ]
    return Finding(
        """
        In the race they end at {constant} (constant) and {linear} (linear) on average; linear decay is ahead
        in {wins} of {n} pairs, by {lead} points in the mean.
        """,
        {
            "constant": percent(own["constant"]),
            "linear": percent(own["linear"]),
            "wins": sum(wins),
            "n": len(wins),
            "lead": points(found.mean_difference),
        },
        {
            "linear decay is ahead": found.mean_difference < 0,
            "in most pairs": sum(wins) > len(wins) / 2,
        },
    )
