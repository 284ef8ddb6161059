"""Exercises of the chapter on the applied rate: find the fault from the rates."""

from __future__ import annotations

from lrbook.exercises.judges import Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrbook.exercises.torch_loops import LAMBDA, TorchLoop

CHAPTER = "audit"


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="The second drop never comes")
def second_drop(draw: Draw) -> Task:
    one, two, end = draw("epochs", (30, 60, 90), [(20, 40, 60), (40, 80, 120), (50, 100, 150)])
    return Task(
        prompt=f"""
            Planned: rate 0.1, from epoch {one} on 0.01, from epoch {two} on 0.001, until epoch {end}.
            Applied: 0.1 in epochs 0 to {one - 1}, and 0.01 in all epochs from {one} to {end - 1}. Which of
            these loops made such rates?
        """,
        reveal=f"""
            `elif` is asked only where `if` has said no, and from epoch {one} on it always says yes. Ask for
            the latest drop first. This stood in the code of a paper
            ([yaodongyu/TRADES#11](https://github.com/yaodongyu/TRADES/issues/11)).
        """,
        **choice(
            draw,
            1,
            (
                f"it asks `if epoch >= {two}` for the second drop, then `elif epoch >= {one}` for the first",
                f"asked in this order, epoch {two} finds the second drop, as planned.",
            ),
            (
                f"it asks `if epoch >= {one}` for the first drop, then `elif epoch >= {two}` for the second",
                "this is the one.",
            ),
            (
                "its scheduler is stepped twice an epoch",
                f"the clock would be twice as fast: the drops would come at {one // 2} and {one}.",
            ),
            (
                f"it was resumed at epoch {one} with a new scheduler",
                f"a new scheduler begins at its peak, so epoch {one} would have 0.1.",
            ),
        ),
    )


@exercise(chapter=CHAPTER, kind="predict", level="medium", title="When the clock runs too fast")
def fast_clock(draw: Draw) -> Task:
    total, speed = draw("run", (6000, 3), [(6000, 4), (10_000, 4), (9000, 3), (8000, 5)])
    rate = 0.1 * (1 - speed * 100 / total)
    return Task(
        answer="my_update",
        prompt=f"""
            Planned is linear decay from 0.1 to zero over {total:,} updates. The log shows 0.1 at update 0 and
            {rate:.6g} at update 100. The scheduler is stepped several times an update. Which is the first
            update with rate 0?
        """,
        starter="my_update = None  # a number",
        solution=f"my_update = 100 / (1 - {rate:.6g} / 0.1)",
        reveal=f"""
            update {total // speed:,}. The rate has lost {speed * 100 / total:.4g} of the peak in 100 updates,
            which the plan loses in {100 * speed}: the clock runs {speed} times too fast, and the remaining
            {total - total // speed:,} updates change nothing.
        """,
        judge=Number(expected=total / speed, rel=0.002),
        mistakes=[
            Mistake(
                f"my_update = {total}",
                "that is the end of the plan; at the logged rates it comes sooner.",
            ),
            Mistake(
                f"my_update = {speed}",
                "that is how many times too fast the clock runs; the update is asked for.",
            ),
            Mistake(
                f"my_update = {total} * {speed}",
                "the wrong way round: a clock that is too fast ends early.",
            ),
            Mistake(
                f"my_update = {total} - {total} / {speed}",
                "that many updates have rate 0; the first of them is asked for.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="easy", title="A tenth of the plan")
def tenth(draw: Draw) -> Task:
    loop = LAMBDA + (
        "def loop(optimizer, updates):\n    plan = LambdaLR(optimizer, lambda t: {})\n"
        "    for _ in range(updates):\n        optimizer.step()\n        plan.step()\n"
    )
    starter = loop.format("0.1 * (1 - t / updates)")
    return Task(
        answer="loop",
        prompt="""
            Planned is linear decay from 0.1. With 5 updates the applied rates are 0.01, 0.008, 0.006, 0.004
            and 0.002. Find the fault from the rates, and mend the loop. (`optimizer.step()` stands for
            forward, backward and the update.)
        """,
        starter=starter,
        solution=loop.format("1 - t / updates"),
        reveal="""
            `LambdaLR` wants a *factor*: it multiplies the optimizer's own rate by what the function returns.
            So a function that returns the rate multiplies the peak in twice, as in
            [lhoyer/MIC#60](https://github.com/lhoyer/MIC/issues/60).
        """,
        judge=TorchLoop(
            runs=((5,), (1,), (12,)), names=("updates",), factor=lambda step, total: 1 - step / total
        ),
        mistakes=[
            Mistake(
                starter.replace("plan", "scheduler"),
                "the rates are still the plan's times 0.1: what does `LambdaLR` do with what it gets?",
            ),
            Mistake(
                loop.format("10 * (1 - t / updates)"),
                "now they are 10 times too large: divided out once too often.",
            ),
            Mistake(
                loop.format("1 - (t + 1) / updates"),
                "the size is right, but each update has the rate of the next: `LambdaLR` counts from 0.",
            ),
            Mistake(
                loop.format("1"),
                "that is a constant rate; the decay is missing.",
            ),
        ],
    )
