"""Exercises of the chapter "Linear decay": the last update, and the horizon."""

from __future__ import annotations

from lrbook.exercises.judges import Function, Number, choice, steps
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import LinearDecay
from lrlib.theory.valley import Valley

CHAPTER = "linear"
PER_EPOCH = 391  # 50,000 images in batches of 128


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Linear decay, edges and all")
def linear(draw: Draw) -> Task:
    peak, total = draw("run", (0.1, 39_100), [(0.2, 11_730), (0.05, 7_820), (0.1, 19_550), (0.4, 3_910)])
    shape = LinearDecay(total_steps=total)
    form = f"linear = lambda step: {peak} * max(0, 1 - "
    return Task(
        answer="linear",
        prompt=f"""
            Write linear decay as a function of the step that returns the rate: peak rate {peak:g}, a run of
            {total:,} updates. The first update, `step = 0`, gets the whole peak; the last one still moves. A
            call past the end must not raise, nor give a rate below zero.
        """,
        starter="""
            def linear(step):
                return None  # a rate
        """,
        solution=f"""
            def linear(step):
                left = max(0, {total} - step)
                return {peak:g} * left / {total}
        """,
        reveal=f"""
            the last update has step {total - 1:,} and the rate {peak / total:.3g}; zero is reached one step
            later, where no update is made.
        """,
        judge=Function(
            expected=lambda step: peak * shape(step),
            probes=steps(0, 1, PER_EPOCH - 1, total // 2, total - 1, total, total + 100),
        ),
        mistakes=[
            Mistake(
                form + f"step / ({total} - 1))",
                "off by one: it is zero at the last update, which then does nothing. Zero "
                "belongs one step later.",
            ),
            Mistake(
                form + f"(step + 1) / {total})",
                "off by one: the first update has step 0, and gets the whole peak.",
            ),
            Mistake(
                f"linear = lambda step: {peak} * (1 - step / {total})",
                "past the end the rate is below zero, and would climb the hill: stop at 0.",
            ),
            Mistake(
                f"linear = lambda step: max(0, 1 - step / {total})",
                f"that is the factor; the rate is {peak:g} times that.",
            ),
            Mistake(
                form + f"step // {PER_EPOCH} * {PER_EPOCH} / {total})",
                "it keeps the rate for a whole epoch; every update is to have its own.",
            ),
            Mistake(
                form + f"step / ({total} // {PER_EPOCH}))",
                f"wrong horizon: the run has {total // PER_EPOCH} epochs, but `step` counts updates.",
            ),
            Mistake(
                f"linear = lambda step: {peak} * min(1, step / {total})",
                "it climbs; turn it round, so that it starts at the peak.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="The last epoch is not zero")
def linear_last(draw: Draw) -> Task:
    epochs = draw("epochs", 100, [20, 40, 50, 80])
    lr = 0.1 * LinearDecay(total_steps=epochs)(epochs - 1)
    return Task(
        answer="my_lr",
        prompt=f"""
            The survey: the rate is 0 "at the last epoch". Its formula is
            $0.1\\,(1 - \\text{{epoch}}/{epochs})$, set once an epoch, with epochs counted from 0 and {epochs}
            of them. At which rate does the last epoch train?
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            last = {epochs} - 1
            my_lr = 0.1 * (1 - last / {epochs})
        """,
        reveal=f"""
            {lr:g}, a {epochs}th of the peak, for a whole epoch. The 0 would belong to an epoch after
            the last.
        """,
        judge=Number(expected=lr),
        mistakes=[
            Mistake(
                "my_lr = 0",
                f"the formula gives 0 at epoch {epochs}, but the last one is number {epochs - 1}.",
            ),
            Mistake(
                f"my_lr = 1 / {epochs}",
                "that is the factor; multiply it by the peak rate, 0.1.",
            ),
            Mistake(
                f"my_lr = 0.1 / ({epochs} * {PER_EPOCH})",
                "that is the last update of a rate that changes at every update; here it is set "
                "once an epoch.",
            ),
            Mistake(
                f"my_lr = 0.2 / {epochs}",
                "that is the last epoch but one.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Killed, or planned short")
def killed(draw: Draw) -> Task:
    total, stop = draw("run", (300, 150), [(300, 100), (400, 200), (400, 150), (240, 120)])
    valley, long, short = Valley(), LinearDecay(total_steps=total), LinearDecay(total_steps=stop)
    cut, planned = valley.best_peak_lr(long, steps=stop), valley.best_peak_lr(short, steps=stop)
    return Task(
        prompt=f"""
            Linear decay over {total} updates, killed at {stop}, or linear decay over {stop}? This time the
            race is fair: each gets the peak rate that suits it best, for the loss after update {stop}. What
            do you find?
        """,
        reveal=f"""
            killed: {cut.loss:.4f} at its best peak rate, {cut.peak_lr:.2f}; planned for {stop}:
            {planned.loss:.4f} at {planned.peak_lr:.2f}. The killed run can only choose: a small rate that
            covers little, or a large one that still shakes. The plan for {stop} starts large *and* ends
            small.
        """,
        **choice(
            draw,
            0 if cut.loss < planned.loss else 1,
            (
                "the killed run is lower: its rates stay higher, so that it covers more distance",
                "it covers more at the same peak, but the shaking is still in it; tuning its peak down "
                "gives the distance back.",
            ),
            ("the short plan is lower", "the short plan ends calm, and the killed run cannot."),
            (
                f"about the same: both make {stop} updates, and a tuned peak rate makes up for the rest",
                "tuning helps, but not that far: the losses still differ by more than a quarter.",
            ),
            (
                "it depends on the random numbers of the run",
                "the expected loss of the valley is computed exactly; no random number is in it.",
            ),
        ),
    )
