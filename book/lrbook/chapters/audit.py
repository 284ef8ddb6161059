"""What the chapter on the applied rate prints: eight faulty loops, their verdicts, what other tools show.

A loop is kept as a diff: what stands on the page is what is run, once without the lines that begin with a
plus and once without those that begin with a minus. Nothing here is recorded; all is computed on the page.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch.optim import lr_scheduler

from lrbook.finding import Finding, Records, count, finding, percent
from lrlib import CosineAnnealing, DropDecay, LinearDecay, audit
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, GRAY, NARROW, WIDE, TwoWidths, plain
from lrlib.runs import Run

PEAK, T = 0.1, 60
LINEAR = LinearDecay(total_steps=T)


class Trap(NamedTuple):
    """A loop from a public thread, and the plan that its author had.

    `title` is its panel's; `overflows` is the number of its first losses that are infinite; `known` is what
    the verdict is told of the loop.
    """

    thread: str
    title: str
    loop: str
    plan: LinearDecay | CosineAnnealing | DropDecay = LINEAR
    groups: int = 1
    overflows: int = 0
    known: Mapping[str, int] = MappingProxyType({})


TRAPS = {
    "per_epoch": Trap(
        "Lightning-AI/pytorch-lightning#5631",
        "by the epoch",
        """
        |  scheduler = LinearLR(optimizer, 1, 0, total_iters=60)
        |  for epoch in range(6):
        |      for batch in range(10):
        |          optimizer.step()
        |+         scheduler.step()
        |-     scheduler.step()
        """,
        known={"steps_per_epoch": 10},
    ),
    "epochs_as_horizon": Trap(
        "ScrollPrize/villa#1495",
        "epochs as horizon",
        """
        |- scheduler = CosineAnnealingLR(optimizer, T_max=6)
        |+ scheduler = CosineAnnealingLR(optimizer, T_max=60)
        |  for epoch in range(6):
        |      for batch in range(10):
        |          optimizer.step()
        |          scheduler.step()
        """,
        CosineAnnealing(total_steps=T),
        known={"steps_per_epoch": 10},
    ),
    "micro_batches": Trap(
        "starVLA/starVLA#210",
        "by the micro-batch",
        """
        |  scheduler = LinearLR(optimizer, 1, 0, total_iters=60)
        |  for number in range(240):  # micro-batches, four an update
        |      if number % 4 == 3:
        |          optimizer.step()
        |+         scheduler.step()
        |-     scheduler.step()
        """,
        known={"accumulate": 4},
    ),
    "order": Trap(
        "ildoonet/pytorch-gradual-warmup-lr#8",
        "scheduler first",
        """
        |  scheduler = LinearLR(optimizer, 1, 0, total_iters=60)
        |  for update in range(60):
        |-     scheduler.step()
        |      optimizer.step()
        |+     scheduler.step()
        """,
    ),
    "overflow": Trap(
        "pytorch/pytorch#55585",
        "skipped updates",
        """
        |  scheduler = LinearLR(optimizer, 1, 0, total_iters=60)
        |  for update in range(60):
        |      optimizer.zero_grad()
        |      scaler.scale(loss(update)).backward()
        |+     scale = scaler.get_scale()
        |      scaler.step(optimizer)
        |      scaler.update()
        |-     scheduler.step()
        |+     if scaler.get_scale() >= scale:
        |+         scheduler.step()
        """,
        overflows=3,
        known={"skipped": 3},
    ),
    "resume": Trap(
        "torch-points3d/torch-points3d#630",
        "resumed",
        """
        |  for part in range(2):  # cut once, and resumed
        |-     if part == 1:
        |-         optimizer.load_state_dict(saved[0])
        |      scheduler = LambdaLR(optimizer, lambda t: 1 - t / 60)
        |+     if part == 1:
        |+         optimizer.load_state_dict(saved[0])
        |+         scheduler.load_state_dict(saved[1])
        |      for update in range(30):
        |          optimizer.step()
        |          scheduler.step()
        |      saved = [x.state_dict() for x in (optimizer, scheduler)]
        """,
    ),
    "compounding": Trap(
        "wuzhe71/CPD#14",
        "multiplied up",
        """
        |  for epoch in range(6):
        |      for group in optimizer.param_groups:
        |-         group["lr"] *= 0.5 ** (epoch // 2)
        |+         group["lr"] = 0.1 * 0.5 ** (epoch // 2)
        |      for batch in range(10):
        |          optimizer.step()
        """,
        DropDecay(drop_factor=0.5, drop_steps=20),
    ),
    "last_group": Trap(
        "rasbt/LLMs-from-scratch#692",
        "one group of two",
        """
        |  for update in range(60):
        |      for group in optimizer.param_groups:
        |-         pass
        |-     group["lr"] = 0.1 * (1 - update / 60)
        |+         group["lr"] = 0.1 * (1 - update / 60)
        |      optimizer.step()
        """,
        groups=2,
    ),
}


def diff_of(trap: Trap) -> str:
    """Return a trap's loop as the page shows it."""
    return "\n".join(line.strip()[1:] for line in trap.loop.strip().splitlines())


def code_of(trap: Trap, *, mended: bool) -> str:
    """Return a trap's loop as Python: the lines of the fault, or those that mend it."""
    left_out = "-" if mended else "+"
    return "\n".join(line[2:] for line in diff_of(trap).splitlines() if not line.startswith(left_out))


def ran(trap: Trap, *, mended: bool = False, **more: object) -> audit.RateLog:
    """Run a trap's loop on one weight a parameter group, and return what was applied.

    `more` are names that the loop shall see, such as another ``LinearLR``.
    """
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(trap.groups)]
    for weight in weights:
        weight.grad = torch.ones(1)
    optimizer = torch.optim.SGD([{"params": [weight]} for weight in weights], lr=PEAK)

    def loss(update: int) -> torch.Tensor:
        return weights[0].sum() * (math.inf if update < trap.overflows else 1.0)

    names = {"optimizer": optimizer, "loss": loss, "scaler": torch.amp.GradScaler("cpu")}
    for name in ("LinearLR", "LambdaLR", "CosineAnnealingLR"):
        names[name] = getattr(lr_scheduler, name)
    with audit.watch(optimizer) as log:
        code = compile(code_of(trap, mended=mended), "<loop>", "exec")
        exec(code, {**names, **more})  # noqa: S102  code of this module
    return log


def judged(name: str, *, mended: bool = False) -> audit.Verdict:
    """Return the verdict on the faulty or the mended loop of a trap; torch's own warnings are left out."""
    trap = TRAPS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ran(trap, mended=mended).compare(trap.plan, peak_lr=PEAK, **trap.known)


# What a log says of each loop, if it is written by: torch's own warning, `get_last_lr` after each step,
# Lightning's monitor, Keras's history, timm's `_get_lr` drawn for all updates. It "shows" a fault if it is
# another log than that of the loop without it. The tests run all of them.
SHOWS, HIDES, NONE, NEVER = "differs", "**looks right**", "no log", "cannot arise"
TOOLS = (
    "PyTorch's warning",
    "`get_last_lr()`",
    "Lightning's [monitor](https://lightning.ai/docs/pytorch/stable/api/"
    "lightning.pytorch.callbacks.LearningRateMonitor.html)",
    "Keras's [history](https://keras.io/api/callbacks/learning_rate_scheduler/)",
    "timm's `_get_lr`",
)
WARNED, GET_LAST_LR, MONITOR, HISTORY, CURVE = range(len(TOOLS))
SHOWN = {
    "per_epoch": ("none", SHOWS, SHOWS, SHOWS, HIDES),
    "epochs_as_horizon": ("none", SHOWS, SHOWS, NONE, SHOWS),
    "micro_batches": ("warns", SHOWS, SHOWS, NONE, HIDES),
    "order": ("warns", HIDES, HIDES, NEVER, HIDES),
    "overflow": ("warns", HIDES, HIDES, NEVER, HIDES),
    "resume": ("none", SHOWS, SHOWS, SHOWS, HIDES),
    "compounding": ("none", NONE, SHOWS, SHOWS, NONE),
    "last_group": ("none", NONE, SHOWS, NEVER, NONE),
}


def _column(tool: int) -> list[str]:
    return [row[tool] for row in SHOWN.values()]


# --- Figure 22.1: eight plans, and what was applied -------------------------------------------------------


def traps_figure() -> TwoWidths:
    """Draw the planned rates of each loop as a broken line, and the applied ones over them."""
    verdicts = {name: judged(name) for name in TRAPS}

    def panel(axes: Axes, name: str) -> None:
        verdict = verdicts[name]
        axes.plot(verdict.planned, color=GRAY, linestyle=(0, (3, 1.5)), linewidth=1.6)
        axes.plot(verdict.rates, color=COLOR["drop"], linewidth=1.8)
        axes.set_title(TRAPS[name].title)
        axes.set_xlim(0, T)
        axes.set_ylim(0, 1.08 * PEAK)
        axes.set_xticks([0, T // 2, T])
        axes.set_yticks([0, PEAK])
        plain(axes.yaxis)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.9) if wide else (NARROW, 7.2))
        grid = figure.subplots(*((2, 4) if wide else (4, 2)), sharex=True, sharey=True)
        for axes, name in zip(grid.flat, TRAPS, strict=True):
            panel(axes, name)
        for axes in grid[-1]:
            axes.set_xlabel("update")
        for row in grid:
            row[0].set_ylabel("rate")
        first = grid.flat[0]
        note(first, "planned", (4, 0.030), color=GRAY)
        note(first, "applied", (24, 0.077), color=COLOR["drop"])
        return figure

    return TwoWidths(
        draw,
        alt="Eight panels, the planned rates over sixty updates as a broken line and the applied rates as a "
        "solid one. Stepped by the epoch, the rate hardly falls; with epochs as horizon it swings up and "
        "down; by the micro-batch it is at zero after a quarter; with the scheduler first, and with skipped "
        "updates, it lies just below the plan; resumed, it starts again at the peak; multiplied up, its "
        "steps get larger and larger; the first of two groups stays at the peak.",
    )


# --- What we found ----------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each."""
    verdicts = {name: judged(name) for name in TRAPS}
    silent = _column(WARNED).count("none")
    hidden = [name for name, row in SHOWN.items() if row[GET_LAST_LR] == row[MONITOR] == HIDES]
    return Finding(
        """
        > **What we found**
        >
        > 1. **A loop can apply other rates than planned and finish without an error.** Of {all} loops from
        >    public threads all do, and in {silent} PyTorch does not even warn.
        > 2. **The applied rates tell the fault.** Set beside its plan, each of the {all} is read as what it
        >    is, and each is mended by the lines shown.
        > 3. **A log of rates is no such check.** In {hidden} of the {all}, both `get_last_lr()` and
        >    Lightning's monitor write the very log of a right loop.
        """,
        {"all": count(len(TRAPS)), "silent": count(silent), "hidden": count(len(hidden))},
        {
            "every loop parts from its plan": not any(verdict.agrees for verdict in verdicts.values()),
            "most without a warning": silent > len(TRAPS) / 2,
            "every reading is sure": all(verdict.sure for verdict in verdicts.values()),
            "none is unknown": all(verdict.kind != "unknown" for verdict in verdicts.values()),
            "every mended loop agrees": all(judged(name, mended=True).agrees for name in TRAPS),
            "some are hidden from both logs": len(hidden) > 1,
        },
    )


# --- Eight loops ------------------------------------------------------------------------------------------


def parts_of(name: str) -> dict[str, str]:
    """Return what a trap's text has of the loop: its thread, the diff, and what is printed of it."""
    trap = TRAPS[name]
    lines = str(judged(name)).splitlines()
    cause = next((i for i, line in enumerate(lines) if line.startswith("  For example")), len(lines))
    after = [line for line in lines[cause:] if line.startswith(("  Note", "  Or ", "  Parameter"))]
    repository, number = trap.thread.split("#")
    return {
        "thread": f"[{trap.thread}](https://github.com/{repository}/issues/{number})",
        "loop": f"```diff\n{diff_of(trap)}\n```",
        "verdict": "```text\n" + "\n".join([*lines[:cause], *after]) + "\n```",
    }


def _holds(name: str, *kinds: str) -> dict[str, bool]:
    """Return what each trap's text claims by showing its loop: how it is read, and that it is mended."""
    found = judged(name)
    return {
        f"it is read as {' and '.join(kinds)}": tuple(each.kind for each in found.readings) == kinds,
        "the mended loop agrees": judged(name, mended=True).agrees,
    }


@finding(heading="Stepped by the epoch, a schedule over updates barely moves")
def per_epoch_text(records: Records) -> Finding:
    """Show the scheduler that is stepped once an epoch."""
    last = judged("per_epoch").rates[-1] / PEAK
    return Finding(
        """
        Lightning steps a scheduler once an epoch unless told otherwise ({thread}). Its numbers count
        updates here, so the last update still has {last} of the peak.

        {loop}

        {verdict}
        """,
        {"last": percent(last, 0), **parts_of("per_epoch")},
        {"most of the peak is left": last > 0.9, **_holds("per_epoch", "stepped_per_epoch")},
    )


@finding(heading="A horizon in epochs, stepped by updates, swings up and down")
def epochs_as_horizon_text(records: Records) -> Finding:
    """Show the cosine whose horizon is the number of epochs."""
    rates = judged("epochs_as_horizon").rates
    peaks = sum(rate > 0.999 * PEAK for rate in rates)
    return Finding(
        """
        The other way round ({thread}): the number of epochs is given as horizon, and the scheduler moves
        with every update. PyTorch's cosine does not stop at its end, so the rate is at the peak {peaks}
        times.

        {loop}

        {verdict}
        """,
        {"peaks": count(peaks), **parts_of("epochs_as_horizon")},
        {"it comes back to the peak": peaks > 1, **_holds("epochs_as_horizon", "too_fast", "climbs_again")},
    )


@finding(heading="Stepped by the micro-batch, the schedule is over at a quarter of the run")
def micro_batches_text(records: Records) -> Finding:
    """Show the scheduler that counts micro-batches."""
    rates = judged("micro_batches").rates
    idle = sum(rate == 0 for rate in rates)
    return Finding(
        """
        With [gradient accumulation](../reference/glossary.md#gradient-accumulation) four micro-batches
        make an update. A scheduler that is stepped at each of them ({thread}) runs four times too fast, and
        {idle} of {all} updates change nothing.

        {loop}

        {verdict}
        """,
        {"idle": idle, "all": len(rates), **parts_of("micro_batches")},
        {
            "three quarters are idle": idle == 3 * len(rates) / 4,
            **_holds("micro_batches", "too_fast"),
        },
    )


@finding(heading="The scheduler before the optimizer loses the first rate")
def order_text(records: Records) -> Finding:
    """Show the scheduler that is stepped before the optimizer."""
    rates = judged("order").rates
    return Finding(
        """
        Each update gets the rate of the next ({thread}). The planned first rate is never used, and the last
        update has rate {last}. Over thousands of updates this is nothing; with a schedule in epochs it is
        an epoch.

        {loop}

        {verdict}
        """,
        {"last": f"{rates[-1]:g}", **parts_of("order")},
        {
            "the peak is never applied": max(rates) < PEAK,
            "the last update is idle": rates[-1] == 0,
            **_holds("order", "shift_ahead"),
        },
    )


@finding(heading="Skipped updates do not stop the scheduler")
def overflow_text(records: Records) -> Finding:
    """Show the GradScaler that skips while the scheduler goes on."""
    log = judged("overflow")
    return Finding(
        """
        In mixed precision a `GradScaler` skips an update whose gradients are not finite, as the first ones
        often are. The scheduler is not told ({thread}). Here {skipped} updates are skipped, and the plan
        is that much ahead for the rest of the run. The loss is made infinite by hand.

        {loop}

        {verdict}
        """,
        {"skipped": count(T - len(log.rates)), **parts_of("overflow")},
        {
            "some are skipped": len(log.rates) < T,
            "it is ahead by as many": not log.agrees and log.readings[0].numbers["k"] == T - len(log.rates),
            **_holds("overflow", "shift_ahead"),
        },
    )


@finding(heading="Resumed without its state, the schedule begins again")
def resume_text(records: Records) -> Finding:
    """Show the run that is cut and resumed with the optimizer's state alone."""
    verdict = judged("resume")
    return Finding(
        """
        The optimizer's state is loaded before the scheduler is made, and the scheduler's not at all
        ({thread}). From update {first} on the plan runs a second time from its start.

        {loop}

        {verdict}
        """,
        {"first": verdict.first, **parts_of("resume")},
        {
            "it is right until the cut": verdict.first == T // 2,
            "and starts again at the peak": verdict.rates[T // 2] == PEAK,
            **_holds("resume", "restarted"),
        },
    )


@finding(heading="A total factor, multiplied in at each epoch, compounds")
def compounding_text(records: Records) -> Finding:
    """Show the decay that multiplies the rate which has been decayed already."""
    verdict = judged("compounding")
    too_small = verdict.planned[-1] / verdict.rates[-1]
    return Finding(
        """
        The factor is that of the whole way from the peak, and multiplies the rate of the moment
        ({thread}). For a while they agree; the last rate is {times} times too small.

        {loop}

        {verdict}
        """,
        {"times": f"{too_small:.0f}", **parts_of("compounding")},
        {
            "they agree at first": verdict.first is not None and verdict.first > T / 4,
            "it ends more than ten times too small": too_small > 10,
            **_holds("compounding", "compounding"),
        },
    )


@finding(heading="A line outside the loop over groups leaves all groups but the last at the peak")
def last_group_text(records: Records) -> Finding:
    """Show the rate that is set for the last parameter group alone."""
    verdict = judged("last_group")
    return Finding(
        """
        One level of indentation ({thread}). The last group follows the plan, so a glance at one group's
        rate may find nothing; the first stays at the peak.

        {loop}

        {verdict}
        """,
        parts_of("last_group"),
        {
            "the last group agrees": verdict.groups[-1].agrees,
            "the first stays at the peak": set(verdict.groups[0].rates) == {PEAK},
            **_holds("last_group", "never_changes"),
        },
    )


# --- Other tools ------------------------------------------------------------------------------------------


@finding(heading="A log of the rate may look right while the run is wrong")
def tools_text(records: Records) -> Finding:
    """Set the other tools beside each other, loop by loop."""
    looks_right = [name for name, row in SHOWN.items() if row[GET_LAST_LR] == row[MONITOR] == HIDES]
    rows = [f"| {TRAPS[name].title} | " + " | ".join(row) + " |" for name, row in SHOWN.items()]
    head = ["| loop | " + " | ".join(TOOLS) + " |", "| --- |" + " --- |" * len(TOOLS)]
    return Finding(
        """
        We wrote the {all} loops for the tools that people have, with the fault and without. Then we compared
        what each tool writes down: *differs* if the logs are not the same, **looks right** if they are.
        Where Lightning's Trainer does not let a fault arise, the loop is one of manual optimization. *Cannot
        arise*: Keras sets the rate itself at each update, its `LossScaleOptimizer` does not count a skipped
        one, and it has [no parameter groups](https://keras.io/api/optimizers/) (read).

        {table}

        `get_last_lr()` gives the rate of the *next* update, and Lightning's monitor reads the rate at the
        start of a batch, before the step. Neither sees {hidden} loops: {names}. There PyTorch
        warns, once: it is the only one of these that judges. timm's `_get_lr` draws the plan
        and knows no loop. It finds {curve} fault, the one in the plan itself. And where a log differs, its
        reader must know how the right one looks. That is what a plan is for.
        """,
        {
            "all": count(len(TRAPS)),
            "table": "\n".join(head + rows),
            "hidden": count(len(looks_right)),
            "names": " and ".join(TRAPS[name].title for name in looks_right),
            "curve": count(_column(CURVE).count(SHOWS)),
        },
        {
            "two look right to both": len(looks_right) == 2,
            "torch warns of these": all(SHOWN[name][WARNED] == "warns" for name in looks_right),
            "the curve finds the fault of the plan": [
                name for name, row in SHOWN.items() if row[CURVE] == SHOWS
            ]
            == ["epochs_as_horizon"],
            "three cannot arise in Keras": [name for name, row in SHOWN.items() if row[HISTORY] == NEVER]
            == ["order", "overflow", "last_group"],
        },
    )


# --- The reader's own run ---------------------------------------------------------------------------------


def rates_of(run: Run) -> tuple[list[float], list[float]]:
    """Return the rates that a run's optimizer held at the start of each epoch, and the plan's factors."""
    each = run.config.total_steps // run.config.epochs
    plan = run.config.schedule()
    return [epoch.first_lr for epoch in run.epochs], [
        plan(each * number) for number in range(len(run.epochs))
    ]
