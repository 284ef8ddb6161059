"""What the page on six frameworks prints: the table of spellings, and ten surprises.

The spellings stand in `rosetta_spellings`, what came of them in ``rosetta.json``, which
``python tests/helpers/rosetta_runs.py`` writes with all frameworks installed. What torch does is asked of the
torch that is here. A function that ends in ``_text`` returns Markdown. What is a finding has the decorator.
"""

from __future__ import annotations

import functools
import json
from html import escape
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrbook.chapters._write import Table, listed, results_table
from lrbook.chapters.rosetta_spellings import FRAMEWORKS, LENGTHS, PEAK, ROWS
from lrbook.finding import Finding, Records, count, finding, rounded
from lrlib import CosineAnnealing, LinearDecay, preview
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, NARROW, RULE, WIDE, TwoWidths
from lrlib.schedules import WarmRestarts

NAMES = {"keras": "Keras", "lightning": "Lightning"}
APPLIED, PLAN = COLOR["drop"], COLOR["linear"]

#: Surprises in torch: what is written, and for how many updates it is asked.
IN_TORCH = {
    "linear": ("LinearLR(opt)", 30),
    "onecycle": ("OneCycleLR(opt, peak, total_steps=10)", 11),
    "onecycle, linear": ("OneCycleLR(opt, peak, total_steps=10, anneal_strategy='linear')", 11),
    "cosine": ("CosineAnnealingLR(opt, T_max=100)", 201),
    "restarts first": (
        "ChainedScheduler([CosineAnnealingWarmRestarts(opt, 10, 2), LinearLR(opt, 0.1, 1.0, 10)], opt)",
        30,
    ),
    "restarts last": (
        "ChainedScheduler([LinearLR(opt, 0.1, 1.0, 10), CosineAnnealingWarmRestarts(opt, 10, 2)], opt)",
        30,
    ),
}


@functools.cache
def record() -> dict:
    """Return what the frameworks did: versions, cells of the table, surprises."""
    return json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def torch_rates(name: str) -> list[float]:
    """Return the rates of a surprise in torch, as parts of the peak, from the torch that is here."""
    import torch

    code, updates = IN_TORCH[name]
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    names = {**vars(torch.optim.lr_scheduler), "opt": opt, "peak": PEAK}
    made = eval(code, names)  # noqa: S307  code of this module
    return [rate / PEAK for rate in preview(made, updates)]


def number(value: float) -> str:
    """Return a number with two digits, a minus sign where it is due."""
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}", 1)


# --- Figure 21.1: six of the ten --------------------------------------------------------------------------


def panels() -> list[tuple[str, list[float], list[float]]]:
    """Return six surprises: what is written, the planned rates, the applied ones, as parts of the peak."""
    found = record()["surprises"]
    epochs, micro, silent = found["per_epoch"], found["accumulation"], found["silent_step_update"]
    cycle = torch_rates("onecycle, linear")
    return [
        ("torch: LinearLR(opt)", LinearDecay(total_steps=30).values(30), torch_rates("linear")),
        ("torch: OneCycleLR", cycle[:10] + cycle[9:10], cycle),
        ("torch: chained restarts", WarmRestarts(cycle_steps=10).values(30), torch_rates("restarts first")),
        ("Keras: accumulation", micro["planned"], micro["applied"]),
        ("timm: step_update", CosineAnnealing(total_steps=100).values(100), [silent["lowest"]] * 100),
        ("Lightning: interval", epochs["planned"], epochs["applied"]),
    ]


def surprises_figure() -> TwoWidths:
    """Draw plan and applied rates of six surprises."""

    def panel(axes: Axes, title: str, plan: list[float], applied: list[float]) -> None:
        axes.axhline(0, color=RULE, linewidth=0.8, zorder=0)
        few = {"marker": "o", "markersize": 2.6} if len(plan) < 40 else {}
        axes.plot(range(len(plan)), plan, color=PLAN, linewidth=1.6, linestyle=(0, (4, 2)))
        axes.plot(range(len(applied)), applied, color=APPLIED, linewidth=1.6, **few)
        axes.set_title(title)
        axes.set_ylim(-0.25, 2.0)
        axes.set_yticks([0, 1])

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 4.2) if wide else (NARROW, 5.4))
        grid = figure.subplots(*((2, 3) if wide else (3, 2)), sharey=True).ravel()
        for axes, (title, plan, applied) in zip(grid, panels(), strict=True):
            panel(axes, title, plan, applied)
        note(grid[0], "applied", (14, 1), (0, 6), color=APPLIED)
        note(grid[0], "meant", (18, 0.4), (4, 3), color=PLAN)
        for axes in grid[-3:] if wide else grid[-2:]:
            axes.set_xlabel("update")
        return figure

    return TwoWidths(
        draw,
        alt="Six panels, each with the rates that were meant, dashed, and those that were applied, solid. "
        "LinearLR of torch rises and stays at the peak where a line to zero was meant. One step after the "
        "end of OneCycleLR the rate is negative. Chained restarts jump to almost twice the peak at the "
        "second update. With accumulation in Keras the line is at zero after two updates of eight. timm's "
        "scheduler stays at the peak. In Lightning the rate moves twice in thirty updates.",
    )


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the page: spellings that agree, what is beside them, and how to look."""
    cells = [cell for _, name, cell in _spelled() if name != "lightning"]
    agree = [cell for cell in cells if _agrees(cell)]
    lacking = {name: _lacking(name) for name in FRAMEWORKS}
    return Finding(
        """
        > **What we found**
        >
        > 1. **The same schedule can be said nearly everywhere, and then the rates agree.** {agree} of
        >    {cells} spellings give the planned rate at every update. Keras lacks {keras} of {rows}
        >    schedules, transformers {transformers}.
        > 2. **What one writes first is often another schedule.** Defaults that warm up, counters of epochs
        >    or of micro-batches, arguments with the warm-up in them or not: ten of these follow. They
        >    raise no error, or one update too late.
        > 3. **You can look before you train.** `lrlib.preview` lists what a torch scheduler is going to do,
        >    and `to_torch`, `to_optax` and `to_keras` give a framework the rates themselves.
        """,
        {
            "agree": len(agree),
            "cells": len(cells),
            "keras": count(len(lacking["keras"])),
            "transformers": count(len(lacking["transformers"])),
            "rows": len(ROWS),
        },
        {
            "nearly all agree": 0 < len(cells) - len(agree) <= 3,
            "Keras and transformers lack most": min(len(lacking[name]) for name in ("keras", "transformers"))
            > max(len(lacking[name]) for name in ("torch", "optax", "timm")),
            "each schedule has a spelling that agrees": all(
                any(_agrees(cell) for row, name, cell in _spelled() if row == each and name != "lightning")
                for each in ROWS
            ),
        },
    )


# --- The table --------------------------------------------------------------------------------------------


def _spelled() -> list[tuple[str, str, dict]]:
    """Return schedule, framework and what came of it, for each spelling that was run."""
    return [(row, name, cell) for row, cells in record()["cells"].items() for name, cell in cells.items()]


def _lacking(framework: str) -> list[str]:
    return [row for row, cells in record()["cells"].items() if framework not in cells]


def _agrees(cell: dict) -> bool:
    """Whether a spelling has the planned rates at both lengths, rounding apart."""
    return {cell[str(total)]["verdict"] for total in LENGTHS} <= {"equal", "rounding"}


@finding(heading="Said with the right arguments, the rates agree")
def agreement_text(records: Records) -> Finding:
    """Say which spellings part from the plan, what rounding is, and what happens beyond the end."""
    cells = {(row, name): cell for row, name, cell in _spelled() if name != "lightning"}
    parting = {key: cell for key, cell in cells.items() if not _agrees(cell)}
    shifted = [cell for key, cell in parting.items() if key[0] == "noam"]
    cycle = cells["1cycle", "optax"][str(LENGTHS[1])]
    beyond = [key for key, cell in cells.items() if _beyond(cell[str(LENGTHS[0])]) == "climbs again"]
    lightning = {
        cell[str(total)]["verdict"]
        for _, name, cell in _spelled()
        if name == "lightning"
        for total in LENGTHS
    }
    rounding = {
        name: sum(
            _agrees(cell) and "rounding" in _verdicts(cell)
            for (_, each), cell in cells.items()
            if each == name
        )
        for name in FRAMEWORKS
    }
    return Finding(
        """
        We wrote {rows} schedules in each framework, ran its own optimizer for {short} and for {long} updates,
        and compared what moved a weight with `lrlib`. {parting} spellings part from the plan:

        - the inverse square root of timm and transformers counts from {zero},
          [the paper's](https://arxiv.org/abs/1706.03762) from {one}. Each rate comes an update late, update
          {zero} is made with rate {zero}, and in the warm-up the rate is lower by up to {late} of the peak;
        - optax puts the peak of 1cycle at `int(0.3 * T)`, where we round. With {long} updates that is an
          update earlier, and worth up to {cycle} of the peak.

        Keras and optax compute in 32 bits, so their rates are right up to rounding. Lightning runs torch's
        objects: with `interval="step"` its rates are torch's, bit for bit. Runs that go on after update
        {short} meet other differences: the cosines of {climbing} climb again.
        """,
        {
            "rows": len(ROWS),
            "short": LENGTHS[0],
            "long": LENGTHS[1],
            "parting": count(len(parting)).capitalize(),
            "zero": 0,
            "one": 1,
            "late": number(max(cell[str(total)]["worst"] for cell in shifted for total in LENGTHS)),
            "cycle": number(cycle.get("worst", 0.0)),
            "climbing": listed(name for name in FRAMEWORKS if name in {each for _, each in beyond}),
        },
        {
            "these three part": set(parting)
            == {("noam", "timm"), ("noam", "transformers"), ("1cycle", "optax")},
            "the inverse square root is one late, from rate zero": all(
                cell[str(total)]["verdict"] == "shifted" and cell[str(total)]["first"] == 0
                for cell in shifted
                for total in LENGTHS
            ),
            "optax's 1cycle parts at the second length alone": cycle["verdict"] == "differs"
            and cells["1cycle", "optax"][str(LENGTHS[0])]["verdict"] == "rounding",
            "Keras and optax round, others nearly never": rounding["keras"] + rounding["optax"]
            == sum(_agrees(cell) for (_, name), cell in cells.items() if name in ("keras", "optax"))
            and rounding["timm"] == rounding["transformers"] == 0,
            "Lightning is torch": lightning == {"as torch"},
            "cosines climb in torch and transformers": {name for _, name in beyond}
            == {"torch", "transformers"}
            and {row for row, _ in beyond} == {"cosine", "warm_cosine"},
        },
    )


def _verdicts(cell: dict) -> set[str]:
    return {cell[str(total)]["verdict"] for total in LENGTHS}


def glance() -> Table:
    """Return the table at a glance: schedules by frameworks."""
    rows = []
    for row, entry in ROWS.items():
        cells = record()["cells"][row]
        rows.append([entry.title, *(_mark(row, name, cells.get(name)) for name in FRAMEWORKS)])
    return Table(results_table(["schedule", *(NAMES.get(name, name) for name in FRAMEWORKS)], rows))


def _mark(row: str, framework: str, cell: dict | None) -> str | tuple[str, str]:
    if cell is None:
        return "\N{EN DASH}"
    if framework == "lightning":
        return "as torch"
    words = {
        "equal": "=",
        "rounding": "\N{ALMOST EQUAL TO}",
        "shifted": "1 late",
        "differs": "\N{NOT EQUAL TO}",
    }
    marks = list(dict.fromkeys(words[cell[str(total)]["verdict"]] for total in LENGTHS))
    text = " / ".join(marks)
    return (text, "own function") if ROWS[row].spellings[framework].own else text


def spellings() -> Table:
    """Return every spelling with what it differs by, folded by schedule."""
    return Table("".join(_folded(row) for row in ROWS))


def _folded(row: str) -> str:
    entry, cells = ROWS[row], record()["cells"][row]
    lines = [
        f'<tr><th scope="row">lrlib</th><td><code>{escape(entry.lrlib)}</code></td><td>the plan</td></tr>'
    ]
    for name in FRAMEWORKS:
        head = f'<th scope="row">{NAMES.get(name, name)}</th>'
        if name not in cells:
            lines.append(f'<tr>{head}<td colspan="2">cannot say it</td></tr>')
            continue
        if name == "lightning":
            code, small = 'torch\'s, with <code>interval="step"</code>', ""
        else:
            spelling = entry.spellings[name]
            small = "; ".join(
                ["needs a function of your own"] * spelling.own + [spelling.note] * bool(spelling.note)
            )
            code = f"<code>{escape(spelling.code)}</code>"
        small = f"<br><small>{escape(small)}</small>" if small else ""
        lines.append(f"<tr>{head}<td>{code}{small}</td><td>{escape(difference(cells[name]))}</td></tr>")
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("framework", "spelling", "differs by"))
    return (
        f"<details><summary>{escape(entry.title)}</summary>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></details>"
    )


def difference(cell: dict) -> str:
    """Say what a spelling differs by, from its record: within the run, and in the six updates beyond.

    >>> equal = {"verdict": "equal"}
    >>> difference({"100": equal, "103": equal})
    'nothing'
    >>> difference({"100": equal, "103": equal | {"after": [0, 0.01], "due": [0, 0]}})
    'T = 100: nothing; T = 103: nothing, beyond T climbs again'
    """
    said = {total: _said(cell[str(total)]) for total in LENGTHS}
    if len(set(said.values())) == 1:
        return said[LENGTHS[0]]
    return "; ".join(f"T = {total}: {text}" for total, text in said.items())


def _said(found: dict) -> str:
    verdict = found["verdict"]
    text = {
        "equal": "nothing",
        "rounding": "rounding, less than a millionth of the peak",
        "as torch": "what torch differs by",
    }.get(verdict, "")
    if verdict == "shifted":
        text = f"one update: late, by up to {number(found['worst'])} of the peak"
    if verdict == "differs":
        text = f"{found['count']} updates, by up to {number(found['worst'])} of the peak"
    beyond = _beyond(found)
    return f"{text}, beyond T {beyond}" if beyond else text


def _beyond(found: dict) -> str:
    """Say what happens in the updates beyond T if it is not what the plan does."""
    if "after" not in found or found["verdict"] == "shifted":
        return ""
    after, due = found["after"], found["due"]
    if None in after:
        return "goes up once, then refuses"
    if any(after[i + 1] > after[i] + 0.5 for i in range(len(after) - 1)) or after[0] > due[0] + 0.5:
        return "begins again at the peak"
    if after[-1] < due[-1]:
        return "falls to zero"
    return "climbs again" if after[-1] > after[0] else "ends some updates later"


# --- Ten surprises ----------------------------------------------------------------------------------------


@finding(heading="torch: LinearLR warms up unless told")
def linear_default_text(records: Records) -> Finding:
    """Say what LinearLR without arguments does."""
    rates = torch_rates("linear")
    top = next(t for t, rate in enumerate(rates) if rate > 1 - 1e-9)
    return Finding(
        """
        `LinearLR(opt)` is no linear decay. It begins at {first} of the rate, climbs to all of it at update
        {top}, and stays there. A line to zero is `LinearLR(opt, 1.0, 0.0, T)`. `ConstantLR(opt)` and
        `PolynomialLR(opt)` have such defaults too.
        """,
        {"first": number(rates[0]), "top": top},
        {
            "it climbs": rates == sorted(rates) and rates[0] < 0.5,
            "and stays": min(rates[top:]) > 1 - 1e-9 and top < 10,
        },
    )


@finding(heading="torch: the last step that OneCycleLR allows puts the rate up")
def onecycle_text(records: Records) -> Finding:
    """Say what happens at the step after the end, with both annealings."""
    waves, lines = torch_rates("onecycle"), torch_rates("onecycle, linear")
    return Finding(
        """
        A loop that calls `scheduler.step()` after each update makes one step more than the schedule has
        rates. `OneCycleLR` allows it and goes beyond its end: from almost zero to {cos} of the peak, and
        with straight lines to {linear} of it. An [update](../reference/glossary.md#update) made then would
        go uphill. The step after that raises an error. It has been reported
        [before](https://github.com/pytorch/pytorch/issues/91765).
        """,
        {"cos": number(waves[10]), "linear": number(lines[10])},
        {
            "it ends almost at zero": max(waves[9], lines[9]) < 1e-5,
            "then goes up": waves[10] > 0.01,
            "or below zero": lines[10] < 0,
        },
    )


@finding(heading="torch and transformers: a cosine climbs again after its end")
def climbs_text(records: Records) -> Finding:
    """Say what a cosine that is too short for the run does."""
    rates = torch_rates("cosine")
    same = [
        record()["cells"]["cosine"][name][str(LENGTHS[0])].get("after") for name in ("torch", "transformers")
    ]
    stays = [
        name
        for name in ("keras", "optax", "timm")
        if "after" not in record()["cells"]["cosine"][name][str(LENGTHS[0])]
    ]
    return Finding(
        """
        If `T_max` is smaller than the number of updates, the rate of `CosineAnnealingLR` goes up after it.
        It is {half} of the peak after one and a half times `T_max`, {whole} after twice. transformers'
        `cosine` does the same. {stays} stay at zero.
        """,
        {
            "half": number(rates[150]),
            "whole": "all of it" if rates[200] > 1 - 1e-9 else number(rates[200]),
            "stays": listed(NAMES.get(name, name) for name in stays),
        },
        {
            "it is zero at the end": rates[100] < 1e-9,
            "and at the peak after twice": rates[200] > 1 - 1e-9 and 0.4 < rates[150] < 0.6,
            "in transformers too": same[0] is not None and same[0] == same[1],
            "not in three others": len(stays) == 3,
        },
    )


@finding(heading="torch: chained restarts overshoot, or undo the warm-up")
def chained_text(records: Records) -> Finding:
    """Say what both orders of a chain do."""
    first, last = torch_rates("restarts first"), torch_rates("restarts last")
    plain = WarmRestarts(cycle_steps=10).values(30)
    return Finding(
        """
        `ChainedScheduler` multiplies what its parts would do, but `CosineAnnealingWarmRestarts` sets the
        rate afresh at each step. Put first, it sets the rate and the warm-up multiplies that: {most} times
        the peak at update {at}. Put last, it undoes the warm-up: the rates are those of the restarts alone.
        For a warm-up *before* restarts use `SequentialLR`.
        """,
        {"most": rounded(max(first), 2), "at": first.index(max(first))},
        {
            "it overshoots": max(first) > 1.5,
            "or there is no warm-up": max(abs(a - b) for a, b in zip(last, plain, strict=True)) < 1e-9,
        },
    )


@finding(heading="Keras: an initial rate of 0 instead of 0.0 trains nothing")
def integer_zero_text(records: Records) -> Finding:
    """Say what the integer zero does to a cosine with warm-up."""
    found = record()["surprises"]["integer_zero"]
    return Finding(
        """
        `CosineDecay(0, decay_steps=90, warmup_target=0.1, warmup_steps=10)` is how the example of the class
        writes it. All numbers are turned into the type of the first, an integer, and 0.1 becomes 0: **the
        rate is {low} at every step**. With `0.0` it climbs to {high}, as it should.
        """,
        {"low": number(max(found["0"])), "high": number(PEAK * max(found["0.0"]))},
        {
            "all rates are zero": max(found["0"]) == 0,
            "with a point they are right": max(found["0.0"]) == 1.0,
        },
    )


@finding(heading="Keras: gradient accumulation makes the schedule run ahead")
def accumulation_text(records: Records) -> Finding:
    """Say that the schedule counts micro-batches."""
    found = record()["surprises"]["accumulation"]
    applied, k = found["applied"], found["k"]
    end = next(t for t, rate in enumerate(applied) if rate == 0)
    return Finding(
        """
        With `gradient_accumulation_steps={k}` the optimizer makes one update for {k} batches, but the
        schedule counts the batches. A line over {planned} updates is at zero after {end}, and the first
        update already has {first} of the peak. All steps of the schedule must be counted in batches.
        """,
        {"k": k, "planned": len(applied), "end": end, "first": f"{applied[0]:.3g}"},
        {
            "it is k times too fast": end == len(applied) // k,
            "and ahead from the first": applied[0] == found["planned"][k - 1],
        },
    )


@finding(heading="One argument, two meanings: with the warm-up or without")
def decay_steps_text(records: Records) -> Finding:
    """Say where a cosine with warm-up ends, by framework, for the same number."""
    found = record()["surprises"]["decay_steps"]
    without = [name for name, each in found.items() if each["zero_at"] == 110]
    inside = [name for name, each in found.items() if each["zero_at"] == 100]
    return Finding(
        """
        A warm-up of {warmup} updates, then a cosine, and {total} in the argument for its length. In optax
        (`decay_steps`) and transformers (`num_training_steps`) it ends at update {with_it}: the warm-up is
        inside. In Keras (`decay_steps`) and in timm with `warmup_prefix=True` (`t_initial`) it ends at
        {without_it}. timm's default, `warmup_prefix=False`, ends at {with_it}, but the cosine has been
        running since update {zero}: the highest rate is {highest} of the peak.
        """,
        {
            "warmup": 10,
            "total": 100,
            "zero": 0,
            "with_it": min(each["zero_at"] for each in found.values()),
            "without_it": max(each["zero_at"] for each in found.values()),
            "highest": rounded(found["timm"]["highest"], 2),
        },
        {
            "outside in these": set(without) == {"keras", "timm, warmup_prefix=True"},
            "inside in those": set(inside) == {"optax", "transformers", "timm"},
            "timm's default never reaches the peak": found["timm"]["highest"] < 0.99
            and all(each["highest"] == 1 for name, each in found.items() if name != "timm"),
        },
    )


@finding(heading="Keras and optax: a long cosine ends at zero too early")
def float32_text(records: Records) -> Finding:
    """Say what 32 bits do to the last rates of a cosine."""
    found = record()["surprises"]["float32_cosine"]
    short, long = (found["keras"][total] for total in ("11730", "39100"))
    lost = CosineAnnealing(total_steps=39_100)(39_100 - max(1, long["zeros"]))
    return Finding(
        """
        Both compute the cosine in 32 bits. With {short} updates the last rate is {off} times what it should
        be; with {long} **the last {zeros} updates are made with rate {zero}**. The rates
        that are lost are below {lost} of the peak. `to_keras` and `to_optax` read a table of rates instead,
        and lose none.
        """,
        {
            "short": f"{11730:,}",
            "long": f"{39100:,}",
            "off": rounded(short["last_of_exact"], 1),
            "zeros": count(long["zeros"]),
            "zero": 0,
            "lost": "a millionth" if lost < 1e-6 else number(lost),
        },
        {
            "the last is off by half and more": short["last_of_exact"] > 1.5 and short["zeros"] == 0,
            "several are zero": long["zeros"] > 1,
            "both alike": found["keras"]["39100"]["zeros"] == found["optax"]["39100"]["zeros"],
        },
    )


@finding(heading="timm: step_update does nothing unless told")
def silent_text(records: Records) -> Finding:
    """Say that a scheduler of timm counts epochs by default."""
    found = record()["surprises"]["silent_step_update"]
    return Finding(
        """
        timm's schedulers count epochs by default, and then `step_update` returns without a word: with
        `{code}` the rate is the peak at all {updates} updates. With `t_in_epochs=False` it is `step` that
        does nothing.
        """,
        {"code": found["code"], "updates": 100},
        {
            "it never changes": found["lowest"] == found["highest"] == 1,
            "nor does the other": found["lowest_by_step"] == 1,
        },
    )


@finding(heading="Lightning: the scheduler steps once an epoch unless told")
def per_epoch_text(records: Records) -> Finding:
    """Say that the interval is the epoch by default."""
    found = record()["surprises"]["per_epoch"]
    applied, planned = found["applied"], found["planned"]
    return Finding(
        """
        A scheduler returned from `configure_optimizers` steps after each epoch. A line over {updates}
        updates in {epochs} epochs then has {different} rates, and ends at {last} of the peak, not at {due}.
        `"interval": "step"` belongs in the dict *of the scheduler*; beside it, it is ignored with a
        warning.
        """,
        {
            "updates": len(applied),
            "epochs": count(found["epochs"]),
            "different": count(len(set(applied))),
            "last": rounded(applied[-1], 2),
            "due": rounded(planned[-1], 2),
        },
        {
            "one rate an epoch": len(set(applied)) == found["epochs"] < len(applied),
            "it hardly falls": applied[-1] > 0.9 > planned[-1],
        },
    )


def versions_text() -> Finding:
    """Say with which versions the record was made."""
    made = [f"{NAMES.get(name, name)} {version}" for name, version in record()["versions"].items()]
    return Finding("Run with {made}.", {"made": listed(made)}, {})
