"""What the chapter on the survey's five factors prints: its figures, and the sentences with their checks.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
from lrbook.chapters.factors_levels import (
    ALL,
    BUDGETS,
    CIFAR10,
    DIGITS,
    DROP,
    GRAY,
    IMAGES,
    LENGTHS,
    LINEAR,
    MAP,
    NETWORKS,
    RESNET50,
    THREE,
    against_constant,
    budget_levels,
    draw_levels,
    ends_at,
    image_levels,
    length_levels,
    levels_of,
    log_axis,
    map_levels,
    means,
    network_levels,
    own_rates,
    question_levels,
    ranked,
    rate_levels,
    shared_peak,
)
from lrbook.chapters.factors_others import all_settings
from lrbook.chapters.factors_others import not_on_the_list_text as not_on_the_list_text
from lrbook.chapters.factors_others import path_text as path_text
from lrbook.chapters.factors_others import three_orders_text as three_orders_text
from lrbook.chapters.factors_others import trial_text as trial_text
from lrbook.chapters.factors_valley import ORDERS
from lrbook.chapters.factors_valley import valley_answer_text as valley_answer_text
from lrbook.chapters.factors_valley import valley_figure as valley_figure
from lrbook.chapters.factors_valley import valley_why_text as valley_why_text
from lrbook.finding import (
    Finding,
    Records,
    between,
    count,
    finals,
    finding,
    percent,
    points,
    rounded,
)
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, Label, TwoWidths, label_ends
from lrlib.runs import Run
from lrlib.schedules.recipes import RECIPES, SURVEY
from lrlib.stats import (
    FAILED,
    alike,
    differing,
    final_accuracy,
    interval,
    paired_differences,
)

# --- Figure 10.1: one setting, and five ways to leave it --------------------------------------------------


def overview_figure(records: Records | None = None) -> TwoWidths:
    """Draw the mean lead over the constant rate on the digits as one factor changes: a panel for each."""
    records = Records() if records is None else records
    peak = shared_peak(records)
    learned = {rate: each for rate, each in rate_levels(records).items() if 0.0003 <= rate <= peak}
    words = {"classes": "which\ndigit", "parity": "even\nor odd", "resnet8": "small", "resnet10": "large"}
    factors = {
        "peak rate": learned,
        "images": image_levels(records),
        "question": question_levels(records),
        "network": network_levels(records, 0.01),
        "epochs": length_levels(records),
    }
    middle = {"peak rate": peak, "images": 1000, "question": 0, "epochs": 8}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.7) if wide else (NARROW, 6.6))
        if wide:
            panels = list(figure.subplots(1, 5, sharey=True))
        else:
            panels = list(figure.subplots(3, 2, sharey=True).ravel())
            panels.pop().axis("off")
        for axes, (title, levels) in zip(panels, factors.items(), strict=True):
            numbers = not isinstance(next(iter(levels)), str)
            places = list(levels) if numbers else list(range(len(levels)))
            if numbers:
                log_axis(axes, [0.001, 0.01, 0.1] if title == "peak rate" else places)
            else:
                axes.set_xticks(places, [words[str(level)] for level in levels])
                axes.set_xlim(-0.5, len(places) - 0.5)
            axes.set_title(title)
            if title in middle:
                axes.axvline(middle[title], color=INK, linewidth=0.8, linestyle=":", zorder=0)
            axes.axhline(0, color=GRAY, linewidth=2.2)
            for name in ("drop", "linear"):
                lead = [
                    100 * fmean(paired_differences(accuracies, name, "constant").values())
                    for accuracies in levels.values()
                ]
                axes.plot(places, lead, "o-", color=COLOR[name], markersize=4.5, linewidth=2.2)
        panels[0].set_ylim(-18, 15)
        panels[0].set_yticks(
            [-15, -10, -5, 0, 5, 10],
            ["\N{MINUS SIGN}15", "\N{MINUS SIGN}10", "\N{MINUS SIGN}5", "0", "+5", "+10"],
        )
        lengths = panels[-1]
        note(lengths, "linear", (2.6, 12.2), (4, 0), color=LINEAR)
        note(lengths, "drop", (2.6, -10), (4, -8), color=DROP)
        note(panels[1], "constant", (220, 0), (0, -15), color=GRAY, ha="center")
        figure.supylabel("points ahead of the constant rate", fontsize=10)
        return figure

    lengths = length_levels(records)
    first = min(lengths)
    lead = {name: means(lengths, name)[first] - means(lengths, "constant")[first] for name in THREE}
    return TwoWidths(
        draw,
        alt="Five panels, the mean lead of drops and of linear decay over the constant rate on the digits, "
        "in points, as one factor changes: peak rate, number of images, question, network, number of epochs. "
        "Drops are below linear decay everywhere. At the lowest rate both are well below zero; in the "
        f"shortest training, {first} epochs, linear decay leads by {points(lead['linear'])} points and "
        f"drops are {points(lead['drop'])} behind.",
    )


# --- Figure 10.3: the reader's own runs -------------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw runs that were just trained, thick, over the recorded ones of the same setting, thin."""
    return drawn.live_figure(
        mine,
        records,
        studies=ALL,
        alt="Your runs with a constant rate, with drops and with linear decay, thick, over the recorded runs "
        "of the same setting, thin. Left the training loss falls; right the test accuracy at the end of "
        "each epoch. With two epochs on the digits linear decay ends highest and drops lowest.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say where the reader's runs ended and, of two epochs of the digits, what the recorded runs show."""
    records = Records() if records is None else records
    ends = [f"{percent(final_accuracy(run))} ({label})" for label, run in mine.items()]
    short = min(length_levels(records))
    usual = all(
        run.config.epochs == short and alike(run, records[LENGTHS]) for run in mine.values()
    )  # of another setting, the sentence below says nothing
    ours = two_epochs_text(records) if usual else Finding("", {}, {})
    text = f"{', '.join(ends[:-1])} and {ends[-1]}" if len(ends) > 1 else ends[0]
    return Finding("Your runs ended at {yours}. {ours}", {"yours": text, "ours": ours.text}, ours.holds)


@finding()
def two_epochs_text(records: Records) -> Finding:
    """Say how the recorded runs of the shortest training on the digits end."""
    levels = length_levels(records)
    short = min(levels)
    ends = {name: ends_at(levels, name, short) for name in THREE}
    return Finding(
        """
        Our recorded runs, {n} of each, end at {constant}, {drop} and {linear} on average. Every run with
        drops is below every one at the constant rate, and those are below every run with linear decay.
        """,
        {"n": count(len(ends["drop"])), **{name: percent(fmean(values)) for name, values in ends.items()}},
        {
            "as many runs of each": len({len(values) for values in ends.values()}) == 1,
            "every run with drops is below every constant one": max(ends["drop"]) < min(ends["constant"]),
            "every constant one is below every linear one": max(ends["constant"]) < min(ends["linear"]),
        },
    )


# --- Figure 10.4: epochs ----------------------------------------------------------------------------------


def budgets_figure(records: Records | None = None) -> TwoWidths:
    """Draw final test accuracy over the length of training, on CIFAR-10 and on the digits."""
    records = Records() if records is None else records
    cifar, digits = budget_levels(records), length_levels(records)
    best = max(x for level in cifar for x in ends_at(cifar, "constant", level))

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 6.2))
        panels = figure.subplots(1, 2, width_ratios=[1.25, 1]) if wide else figure.subplots(2, 1)
        for axes, levels, title in zip(panels, (cifar, digits), ("CIFAR-10", "digits"), strict=True):
            draw_levels(axes, levels)
            log_axis(axes, list(levels))
            axes.set_title(f"test accuracy, {title}")
            in_per_cent(axes.yaxis)
            axes.set_xlabel("epochs of training")
        left, right = panels
        left.axhline(best, color=GRAY, linewidth=0.9, linestyle=":")
        note(left, "best constant run", (min(cifar), best), (0, 3), color=GRAY, fontsize=9)
        left.set_ylim(0.67, 0.84)
        right.set_ylim(0.48, 1.01)
        last = {name: means(cifar, name)[max(cifar)] for name in THREE}
        label_ends(left, [Label(x, f"{name} {percent(x)}", COLOR[name]) for name, x in last.items()])
        note(right, "linear", (2.2, 0.955), (0, 6), color=LINEAR)
        note(right, "constant", (4.6, 0.84), color=GRAY)
        note(right, "drop", (2.6, 0.72), (10, -8), color=DROP)
        return figure

    first = min(cifar)
    ends = {name: means(cifar, name)[first] for name in THREE}
    return TwoWidths(
        draw,
        alt="Test accuracy at the end over the epochs of training, logarithmic, for constant, drop and "
        "linear; left CIFAR-10 from 5 to 40 epochs, right the digits from 2 to 16. Linear decay is highest "
        f"at every length. With {first} epochs on CIFAR-10 it ends at {percent(ends['linear'])}, above the "
        f"best constant run of any length; drops end at {percent(ends['drop'])}, below the constant rate, "
        "and come close to linear decay as the training gets longer.",
    )


@finding(heading="Epochs: five with linear decay beat forty at a constant rate")
def budgets_text(records: Records) -> Finding:
    """Say what the length of training does to three schedules, each planned for its length."""
    levels, digits = budget_levels(records), length_levels(records)
    lengths, main = list(levels), records[CIFAR10][0].config.epochs
    short, long = lengths[0], lengths[-1]
    mean = {name: means(levels, name) for name in THREE}
    every_constant = [x for level in lengths for x in ends_at(levels, "constant", level)]
    lead = {e: mean["linear"][e] - mean["constant"][e] for e in lengths}
    over_drop = {e: mean["linear"][e] - mean["drop"][e] for e in lengths}
    ten = lengths[1]
    twenty = lengths[2]
    few, seeds = len(levels[short]["linear"]), len(levels[main]["linear"])
    apart = max(max(x) - min(x) for x in (ends_at(levels, name, short) for name in THREE))
    slow_rate, slow = map_plan.low_constant(records)
    digits_lead = {e: means(digits, "linear")[e] - means(digits, "constant")[e] for e in digits}
    return Finding(
        """
        Each plan is made for its own length. With {short} epochs linear decay ends at {linear}, above every
        constant run of any length. Drops end at {drop}: **{lost} points *below* the constant rate**. Their
        first cut, to a quarter, comes after {first} of an epoch, when there is far to go and little to calm.
        From {twenty} epochs on they too beat every constant run; but {main} epochs with drops ({drop_main})
        are worth {ten} with linear decay ({linear_ten}).

        So the shorter the training, the more its plan matters: linear decay leads drops by {over_short}
        points at {short} epochs, by {over_long} at {long}. On the digits, its lead over the constant rate
        falls from {digits_first} points with {digits_short} epochs to {digits_last} with {digits_long}.

        *How sure? {Few} seeds at each length of CIFAR-10, {seeds} at {main}; with {short} epochs, those of
        one schedule are within {apart} points. The peak of {peak} is too high for a constant rate: on a GPU,
        {main} epochs at {slow_rate} end {gain} points above {main} at {peak}, in {runs} runs of each.*
        """,
        {
            "short": short,
            "linear": percent(mean["linear"][short]),
            "drop": percent(mean["drop"][short]),
            "lost": points(mean["constant"][short] - mean["drop"][short]),
            "first": rounded(RECIPES["drop"].drop_fraction * short, 2),
            "twenty": twenty,
            "main": main,
            "drop_main": percent(mean["drop"][main]),
            "ten": ten,
            "linear_ten": percent(mean["linear"][ten]),
            "long": long,
            "over_short": points(over_drop[short]),
            "over_long": points(over_drop[long]),
            "digits_first": points(digits_lead[min(digits)]),
            "digits_short": min(digits),
            "digits_last": points(digits_lead[max(digits)]),
            "digits_long": max(digits),
            "Few": count(few).capitalize(),
            "seeds": count(seeds),
            "apart": points(apart),
            "peak": f"{shared_peak(records):g}",
            "slow_rate": f"{slow_rate:g}",
            "gain": points(fmean(map_plan.constant_gains(records))),
            "runs": count(len(slow)),
        },
        {
            "the shortest has five epochs and the longest forty": (short, long) == (5, 40),
            "every short run with linear decay is above every constant run": min(
                ends_at(levels, "linear", short)
            )
            > max(every_constant),
            "every short run with drops is below every constant one of its length": max(
                ends_at(levels, "drop", short)
            )
            < min(ends_at(levels, "constant", short)),
            "at ten epochs the two overlap": min(ends_at(levels, "drop", ten))
            < max(ends_at(levels, "constant", ten)),
            "from the third length on every run with drops is above every constant one": all(
                min(ends_at(levels, "drop", e)) > max(every_constant) for e in lengths[2:]
            ),
            "the first cut is to a quarter": {
                run.config.recipe for run in records.runs(BUDGETS, "drop", epochs=short)
            }
            == {RECIPES["drop"]},
            "linear decay with ten epochs is level with drops after thirty": (ten, main) == (10, 30)
            and abs(mean["linear"][ten] - mean["drop"][main]) < 0.005,
            "linear decay is highest in every run, at every length": all(
                min(ends_at(levels, "linear", e))
                > max(ends_at(levels, "drop", e) + ends_at(levels, "constant", e))
                for e in lengths
            ),
            "its lead over drops shrinks with the length": list(over_drop.values())
            == sorted(over_drop.values(), reverse=True),
            "on the digits its lead over the constant rate shrinks with the length": list(
                digits_lead.values()
            )
            == sorted(digits_lead.values(), reverse=True),
            "the gaps are more than twice as wide as the seeds": 2 * apart
            < min(lead[short], mean["constant"][short] - mean["drop"][short]),
            "the peak is too high for a constant rate": map_plan.too_high(records),
            "the map has this length and this peak": {run.config.epochs for run in records[MAP]} == {main}
            and shared_peak(records) == map_plan.COMMON,
            "two seeds at all other lengths": {len(levels[e]["drop"]) for e in lengths if e != main} == {few},
        },
    )


# --- Figure 10.5: the initial rate ------------------------------------------------------------------------


def rates_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error over the peak rate: nine rates on the digits, four on CIFAR-10."""
    records = Records() if records is None else records
    digits, cifar = rate_levels(records), map_levels(records)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 6.2))
        left, right = figure.subplots(1, 2, width_ratios=[1.35, 1]) if wide else figure.subplots(2, 1)
        draw_levels(left, digits, error=True)
        draw_levels(right, cifar, error=True)
        log_axis(left, [0.0001, 0.001, 0.01, 0.1, 1])
        log_axis(right, list(cifar))
        left.set_yscale("log", subs=())
        left.set_ylim(0.003, 1.3)
        left.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
        left.minorticks_off()
        left.set_title("test error, digits")
        right.set_title(f"test error, CIFAR-10, {count(len(records.whole_seeds(MAP)))} runs each")
        right.set_ylim(0.16, 0.27)
        right.set_yticks([0.16, 0.18, 0.2, 0.22, 0.24, 0.26])
        for axes in (left, right):
            in_per_cent(axes.yaxis)
            axes.set_xlabel("peak learning rate")
        low = sorted(digits)[0]
        peak = shared_peak(records)
        note(left, "drop", (low, 1 - means(digits, "drop")[low]), (9, 2), color=DROP)
        note(left, "constant", (0.0001, 0.0095), color=GRAY)
        note(left, "linear", (peak, 1 - means(digits, "linear")[peak]), (8, -4), color=LINEAR)
        ends = [Label(1 - means(cifar, name)[max(cifar)], name, COLOR[name]) for name in THREE]
        label_ends(right, ends)
        return figure

    return TwoWidths(
        draw,
        alt="Test error over the peak rate, which is logarithmic, for constant, drop and linear. Left, the "
        "digits: three bowls. At the lowest rates the constant rate has the smallest error and drops the "
        "largest; in the middle they come together; at 0.1 linear decay is lowest and constant highest; from "
        "0.3 on nothing is learned well. Right, CIFAR-10: the constant rate is best at 0.01 and gets "
        "worse with every higher rate, linear decay and drops are best at 0.1.",
    )


@finding(heading="Initial rate: at a low peak, the constant rate wins")
def rates_text(records: Records) -> Finding:
    """Say who wins at which peak rate, and how little is left where each has its own."""
    digits, cifar = rate_levels(records), map_levels(records)
    mean = {name: means(digits, name) for name in THREE}
    low, peak = 0.0003, shared_peak(records)
    own, own_cifar = ({name: own_rates(levels, name) for name in THREE} for levels in (digits, cifar))
    top, ends = (
        {name: fmean(each.accuracy for each in found) for name, found in of.items()}
        for of in (own, own_cifar)
    )
    picked = {name: sorted({each.peak_lr for each in found}) for name, found in own_cifar.items()}
    level = [rate for rate in digits if 0.001 <= rate <= 0.01]
    failed = [rate for rate in digits if max(ends_at(digits, "constant", rate)) < FAILED]
    high = against_constant(digits, peak)
    return Finding(
        """
        Low rates leave distance, and whoever spends most rate is ahead. On the digits at {low}, every
        constant run ends above every run with linear decay ({constant} and {linear} on average); drops end at
        {drop}. From {level_low} to {level_high}, constant and linear are within {level} points. At {peak}
        linear decay leads, by {lead} points on {n} seeds. From {failed} on the constant rate only guesses.

        Let each of {runs} runs have the rate that its schedule's other seeds find best, so that none chooses
        for itself. On the digits, the three then lie within {span} points. On CIFAR-10 more is left: the
        constant rate goes to {own_constant} and ends at {top_constant}, linear decay stays at {own_linear}
        with {top_linear} ([all](analysis.ipynb)). A race at a single rate asks which schedule that rate
        suits.
        """,
        {
            "low": f"{low:g}",
            "constant": percent(mean["constant"][low]),
            "linear": percent(mean["linear"][low]),
            "drop": percent(mean["drop"][low]),
            "level_low": f"{min(level):g}",
            "level_high": f"{max(level):g}",
            "level": points(max(abs(mean["linear"][rate] - mean["constant"][rate]) for rate in level)),
            "peak": f"{peak:g}",
            "lead": between(high),
            "n": count(high.n),
            "failed": f"{min(failed):g}",
            "span": points(max(top.values()) - min(top.values())),
            "runs": count(len(own_cifar["linear"])),
            "own_constant": " or ".join(f"{rate:g}" for rate in picked["constant"]),
            "top_constant": percent(ends["constant"]),
            "own_linear": " or ".join(f"{rate:g}" for rate in picked["linear"]),
            "top_linear": percent(ends["linear"]),
        },
        {
            "at the low rate every constant run is above every linear one": min(
                ends_at(digits, "constant", low)
            )
            > max(ends_at(digits, "linear", low)),
            "and every linear one is above every one with drops": min(ends_at(digits, "linear", low))
            > max(ends_at(digits, "drop", low)),
            "in the middle constant and linear are level": all(
                abs(mean["linear"][rate] - mean["constant"][rate]) < 0.003 for rate in level
            ),
            "at the shared peak linear decay leads with every seed": min(
                paired_differences(digits[peak], "linear", "constant").values()
            )
            > 0,
            "the rates that fail are the highest": min(failed) > peak
            and len(failed) == sum(r > peak for r in digits),
            "at their own rates the three are within a point": max(top.values()) - min(top.values()) < 0.01,
            "on CIFAR-10 linear decay is more than a point ahead there": ends["linear"] - ends["constant"]
            > 0.01,
            "and stays where it is, while the constant rate goes down": picked["linear"] == [peak]
            and max(picked["constant"]) < peak,
            "as many runs of each on both": {len(x) for of in (own, own_cifar) for x in of.values()}
            == {len(own["linear"])},
        },
    )


# --- Figure 10.6: dataset and task ------------------------------------------------------------------------


def data_figure(records: Records | None = None) -> TwoWidths:
    """Draw test accuracy over the number of training images, and for two questions about the same images."""
    records = Records() if records is None else records
    images, questions = image_levels(records), question_levels(records)
    words = {"classes": "which digit?", "parity": "even or odd?"}

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.0) if wide else (NARROW, 5.8))
        left, right = figure.subplots(1, 2, width_ratios=[1.25, 1]) if wide else figure.subplots(2, 1)
        draw_levels(left, images)
        log_axis(left, list(images))
        left.set_title("test accuracy over the number of images")
        left.set_xlabel("training images")
        left.set_ylim(0.68, 1.005)
        label_ends(left, [Label(means(images, name)[max(images)], name, COLOR[name]) for name in THREE])
        for shift, name in zip((-0.2, 0.0, 0.2), THREE, strict=True):
            color = COLOR[name]
            for place, question in enumerate(questions):
                values = ends_at(questions, name, question)
                axes_x = place + shift
                right.plot(
                    [axes_x] * len(values), values, "o", color=color, markersize=4.5, alpha=0.55, mew=0
                )
                mean = fmean(values)
                right.plot([axes_x - 0.08, axes_x + 0.08], [mean, mean], color=color, linewidth=2.8)
        right.set_xticks(range(len(questions)), [words[str(question)] for question in questions])
        right.set_xlim(-0.5, 1.5)
        right.set_ylim(0.915, 1.0)
        right.set_title("the same images, two questions")
        right.grid(axis="x", visible=False)
        for axes in (left, right):
            in_per_cent(axes.yaxis)
        lowest = min(ends_at(questions, "constant", "classes"))
        note(right, "constant", (-0.2, lowest), (0, -16), color=GRAY, ha="center")
        top = {name: max(ends_at(questions, name, "classes")) for name in ("drop", "linear")}
        for place, (name, value) in zip((0.0, 0.2), top.items(), strict=True):
            note(right, name, (place, value), (0, 6), color=COLOR[name], ha="center")
        return figure

    fewest, most = min(images), max(images)
    return TwoWidths(
        draw,
        alt=f"Left: test accuracy on the digits with {fewest} to {most} training images, for constant, drop "
        "and linear; all three rise by far more than they differ, and with few images the seeds overlap. "
        "Right: the same images with two questions. Under linear decay which digit is answered better than "
        "even or odd; under the constant rate it is the other way round, with wide scatter.",
    )


@finding(heading="Dataset: the images matter more than the schedule")
def data_text(records: Records) -> Finding:
    """Compare what fewer images change with what the schedule changes, and two data sets."""
    levels = image_levels(records)
    mean = {name: means(levels, name) for name in THREE}
    few, most = min(levels), max(levels)
    fall = [mean[name][most] - mean[name][few] for name in THREE]
    span = max(max(x) - min(x) for x in ([mean[name][level] for name in THREE] for level in levels))
    lead = {level: against_constant(levels, level) for level in levels}
    places = {
        study: ranked({name: fmean(finals(records.runs(study, name))) for name in SURVEY})
        for study in (DIGITS, CIFAR10)
    }
    updates = {run.config.total_steps for study in (IMAGES, DIGITS) for run in records[study]}
    ordinal = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
    middle = sorted(levels)[1]
    return Finding(
        """
        With fewer images an epoch has fewer updates, so these runs have more epochs: all have {updates}
        updates. From {most} to {few} images, test accuracy falls by {fall_low} to {fall_high} points; at no
        size do the schedules differ by more than {span}. Linear decay leads the constant rate by {lead_most}
        points with {most} images, {lead_middle} with {middle} and {lead_few} with {few}: {seeds} seeds cannot
        tell whether the lead changes.

        Another data set changes the ranking: time-based decay is {time_digits} of {eight} on the digits,
        {time_cifar} on CIFAR-10. On both, triangle and linear decay come first and the constant rate last.
        But network, batch and length differ, too.
        """,
        {
            "updates": f"{updates.pop():,}" if len(updates) == 1 else "?",
            "most": f"{most:,}",
            "few": few,
            "middle": middle,
            "fall_low": points(min(fall)),
            "fall_high": points(max(fall)),
            "span": points(span),
            "lead_most": between(lead[most]),
            "lead_middle": between(lead[middle]),
            "lead_few": between(lead[few]),
            "seeds": count(lead[few].n),
            "time_digits": ordinal[places[DIGITS].index("time")],
            "time_cifar": ordinal[places[CIFAR10].index("time")],
            "eight": count(len(SURVEY)),
        },
        {
            "every run has as many updates": len(
                {run.config.total_steps for study in (IMAGES, DIGITS) for run in records[study]}
            )
            == 1,
            "the images change more than four times what the schedule does": min(fall) > 4 * span,
            "linear decay has the highest mean at each size": all(
                mean["linear"][level] == max(each[level] for each in mean.values()) for level in levels
            ),
            "with few images the interval holds zero, and the other means": lead[few].interval[0]
            < 0
            < lead[most].mean_difference
            < lead[few].interval[1],
            "triangle and linear come first on both data sets": all(
                order[:2] == ("triangle", "linear") for order in places.values()
            ),
            "the constant rate comes last on both": all(order[-1] == "constant" for order in places.values()),
            "time-based decay moves by three places or more": places[CIFAR10].index("time")
            - places[DIGITS].index("time")
            >= 3,
            "the same number of seeds at each size": len({each.n for each in lead.values()}) == 1,
        },
    )


@finding(heading="Task: the schedule changes which question looks easier")
def task_text(records: Records) -> Finding:
    """Compare two questions about the same images under linear decay and under the constant rate."""
    levels = question_levels(records)
    mean = {name: means(levels, name) for name in THREE}
    ahead = {  # which digit, less even or odd, seed by seed
        name: list(
            paired_differences({task: levels[task][name] for task in levels}, "classes", "parity").values()
        )
        for name in THREE
    }
    lead = {task: against_constant(levels, task) for task in levels}
    gains = [
        a - b
        for a, b in zip(
            *(
                paired_differences(levels[task], "linear", "constant").values()
                for task in ("classes", "parity")
            ),
            strict=True,
        )
    ]
    low, high = interval(gains)
    return Finding(
        """
        The same images, the same network up to its last layer: *which digit is it?* or *is it even or
        odd?* (figure 10.6, second panel). By guessing, the second is right half the time. Yet under linear
        decay the first is answered better, with each of the {n} seeds: {linear_digit} against
        {linear_parity}. At the constant rate it is answered worse, {constant_digit} against
        {constant_parity}, with {worse} of {n} seeds.

        Linear decay leads the constant rate on both: by {lead_digit} points for the digit, {lead_parity}
        for even or odd. That the second lead is smaller may be luck.
        """,
        {
            "n": count(len(gains)),
            "linear_digit": percent(mean["linear"]["classes"]),
            "linear_parity": percent(mean["linear"]["parity"]),
            "constant_digit": percent(mean["constant"]["classes"]),
            "constant_parity": percent(mean["constant"]["parity"]),
            "worse": count(sum(x < 0 for x in ahead["constant"])),
            "lead_digit": between(lead["classes"]),
            "lead_parity": between(lead["parity"]),
        },
        {
            "under linear decay the digit is answered better with each seed": min(ahead["linear"]) > 0,
            "at the constant rate it is worse on average, and with most seeds": fmean(ahead["constant"]) < 0
            and sum(x < 0 for x in ahead["constant"]) > len(ahead["constant"]) / 2,
            "linear decay has the higher mean on both, with each seed": all(
                min(paired_differences(levels[task], "linear", "constant").values()) > 0 for task in levels
            ),
            "the second lead is smaller, and the interval of the difference holds zero": low
            < 0
            < fmean(gains)
            and high > 0,
        },
    )


# --- Figure 10.7: architecture ----------------------------------------------------------------------------


def networks_figure(records: Records | None = None) -> TwoWidths:
    """Draw test error over the peak rate on the digits, a panel for each of two networks."""
    records = Records() if records is None else records
    found = {
        "small network": rate_levels(records),
        "network forty times as large": levels_of(records, "peak_lr", NETWORKS),
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.0) if wide else (NARROW, 5.8))
        panels = (
            figure.subplots(1, 2, sharey=True, sharex=True) if wide else figure.subplots(2, 1, sharex=True)
        )
        for axes, (title, levels) in zip(panels, found.items(), strict=True):
            within = {rate: each for rate, each in levels.items() if 0.001 <= rate <= 0.3}
            draw_levels(axes, within, error=True)
            log_axis(axes, [0.001, 0.01, 0.1, 0.3])
            axes.set_title(title)
            axes.set_yscale("log", subs=())
            axes.set_ylim(0.003, 1.3)
            axes.set_yticks([0.01, 0.03, 0.1, 0.3, 0.9])
            axes.minorticks_off()
            in_per_cent(axes.yaxis)
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("peak learning rate")
        figure.supylabel("test error", fontsize=10)
        small = found["small network"]
        note(panels[0], "drop", (0.001, 1 - means(small, "drop")[0.001]), (8, 3), color=DROP)
        large = found["network forty times as large"]
        note(panels[1], "constant", (0.055, 0.62), color=GRAY, ha="right")
        note(panels[1], "drop", (0.04, 0.3), color=DROP, ha="right")
        note(
            panels[1],
            "linear",
            (shared_peak(records), 1 - means(large, "linear")[shared_peak(records)]),
            (6, -10),
            color=LINEAR,
        )
        return figure

    return TwoWidths(
        draw,
        alt="Test error on the digits over the peak rate, both axes logarithmic, for constant, drop and "
        "linear. Left, the small network: small errors up to 0.1, then failure at 0.3. Right, a network "
        "forty times as large, at two rates: at 0.01 all three learn, at 0.1 nearly all runs fail, and only "
        "the dots of linear decay scatter from guessing to a good result.",
    )


@finding(heading="Architecture: the rate that suits one network breaks another")
def networks_text(records: Records) -> Finding:
    """Say what a larger network changes at two rates, and what one run of ResNet-50 can bear."""
    peak, low = shared_peak(records), 0.01
    high, calm = network_levels(records, peak), network_levels(records, low)
    lead = {network: against_constant(calm, network) for network in calm}
    large = {name: ends_at(high, name, "resnet10") for name in THREE}
    good = [x for x in large["linear"] if x > 0.9]
    resnet50 = {name: finals(records.runs(RESNET50, name)) for name in THREE}
    far, near = records.runs(RESNET50, "linear")[0], records.runs(MAP, "linear", peak_lr=peak)[0]
    others = differing(far, near)
    sizes = {run.config.network: run.parameters for study in (DIGITS, NETWORKS) for run in records[study]}
    apart = max(max(x) - min(x) for x in (finals(records.runs(CIFAR10, name)) for name in SURVEY))
    return Finding(
        """
        At {peak}, the small network learns the digits with each schedule. One forty times as large does not:
        all {n} constant runs end near guessing, at {constant} at most, and {good} of those with linear decay
        gets above {good_is}. At {low} both networks learn, and linear decay leads by {lead_large} points in
        the large one, {lead_small} in the small one. Two networks at *one* rate differ in two things: the
        architecture, and how far this rate is from what each tolerates.

        **What a single run can show.** ResNet-50 on CIFAR-10 has [one run of each schedule](analysis.ipynb).
        Linear decay leads by {resnet50} points, against {ours} in our smaller network, where seeds of one
        schedule are within {apart} points: luck alone hardly makes such a gap. But the two settings differ in
        {others} things: network, length, augmentation, weight penalty, and images held back from training.
        Which one widens the gap, single runs cannot say.
        """,
        {
            "peak": f"{peak:g}",
            "n": count(len(large["constant"])),
            "constant": percent(max(large["constant"]), 0),
            "good": count(len(good)),
            "good_is": percent(0.9, 0),
            "low": f"{low:g}",
            "lead_large": between(lead["resnet10"]),
            "lead_small": between(lead["resnet8"]),
            "resnet50": points(fmean(resnet50["linear"]) - fmean(resnet50["constant"])),
            "ours": points(
                fmean(finals(records.runs(CIFAR10, "linear")))
                - fmean(finals(records.runs(CIFAR10, "constant")))
            ),
            "others": count(len(others)),
            "apart": points(apart),
        },
        {
            "at the shared rate every run of the small network learns": min(
                x for name in THREE for x in ends_at(high, name, "resnet8")
            )
            > 0.9,
            "the large one guesses in all its constant runs": max(large["constant"]) < 0.2,
            "one run with linear decay is good": len(good) == 1,
            "at the lower rate all runs of both learn": min(
                x for network in calm for name in THREE for x in ends_at(calm, name, network)
            )
            > 0.9,
            "both intervals hold zero there": all(
                each.interval[0] < 0 < each.interval[1] for each in lead.values()
            ),
            "it is forty times as large": round(sizes["resnet10"] / sizes["resnet8"]) == 40,
            "one run of ResNet-50 for each": all(len(ends) == 1 for ends in resnet50.values()),
            "its gap is more than five times what seeds differ by": fmean(resnet50["linear"])
            - fmean(resnet50["constant"])
            > 5 * apart,
            "its gap is more than twice ours": fmean(resnet50["linear"]) - fmean(resnet50["constant"])
            > 2
            * (
                fmean(finals(records.runs(CIFAR10, "linear")))
                - fmean(finals(records.runs(CIFAR10, "constant")))
            ),
            "the settings that differ": others
            == {"network", "epochs", "augmentation", "weight_decay", "held"},
        },
    )


# --- What we found ----------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Say the chapter's three results, each with its number and its limit."""
    budgets, digits = budget_levels(records), rate_levels(records)
    short, long, low, peak = min(budgets), max(budgets), 0.0003, shared_peak(records)
    mean = {name: means(budgets, name) for name in THREE}
    at = {name: means(digits, name) for name in THREE}
    settings = all_settings(records)
    return Finding(
        """
        > **What we found**
        >
        > 1. **Short of time, drops lose and linear decay wins most.** On CIFAR-10 the shared peak of {peak}
        >    is too high for a constant rate. Yet with {short} epochs drops end {lost} points below it, linear
        >    decay {won} above. With {long} epochs they are {drop_long} and {linear_long} above.
        > 2. **At a low peak, the constant rate wins.** On the digits it leads linear decay by {behind} points
        >    at {low}; at {peak} it is {ahead} behind.
        > 3. **In {n} settings, linear decay always ends above drops.** The constant rate is first, second or
        >    last. {Few} to {many} seeds each: where two are level, their order may be luck.
        """,
        {
            "short": count(short),
            "peak": f"{peak:g}",
            "lost": points(mean["constant"][short] - mean["drop"][short]),
            "won": points(mean["linear"][short] - mean["constant"][short]),
            "long": long,
            "drop_long": points(mean["drop"][long] - mean["constant"][long]),
            "linear_long": points(mean["linear"][long] - mean["constant"][long]),
            "behind": points(at["constant"][low] - at["linear"][low]),
            "low": f"{low:g}",
            "ahead": points(at["linear"][peak] - at["constant"][peak]),
            "n": len(settings),
            "Few": count(min(setting.seeds for setting in settings)).capitalize(),
            "many": count(max(setting.seeds for setting in settings)),
        },
        {
            "with the fewest epochs every run with drops is below every constant one": max(
                ends_at(budgets, "drop", short)
            )
            < min(ends_at(budgets, "constant", short)),
            "that peak is too high for a constant rate": map_plan.too_high(records),
            "linear decay leads the constant rate most there": mean["linear"][short] - mean["constant"][short]
            == max(mean["linear"][e] - mean["constant"][e] for e in budgets),
            "with the most epochs both are ahead of every constant run": min(
                ends_at(budgets, "drop", long) + ends_at(budgets, "linear", long)
            )
            > max(ends_at(budgets, "constant", long)),
            "at the low rate every constant run is above every linear one": min(
                ends_at(digits, "constant", low)
            )
            > max(ends_at(digits, "linear", low)),
            "at the shared one linear decay is ahead with each seed": min(
                paired_differences(digits[peak], "linear", "constant").values()
            )
            > 0,
            "three orders occur": {ranked(setting.mean) for setting in settings} == set(ORDERS),
            "linear decay is ahead of drops in every setting": all(
                setting.mean["linear"] > setting.mean["drop"] for setting in settings
            ),
        },
    )
