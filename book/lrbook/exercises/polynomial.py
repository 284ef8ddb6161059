"""Exercises of the chapter "Polynomial decay": the area under the curve is its reach."""

from __future__ import annotations

import math

from lrbook.exercises.judges import Function, Number, steps
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import DropDecay, PolynomialDecay

CHAPTER = "polynomial"
PER_EPOCH = 391  # 50,000 images in batches of 128
DROPS = ((0.25, 15), [(0.5, 12), (0.1, 30), (0.2, 20), (0.4, 18)])


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Polynomial decay, edges and all")
def polynomial(draw: Draw) -> Task:
    power, total = draw("run", (5, 39_100), [(2, 11_730), (3, 7_820), (4, 19_550), (6, 3_910)])
    shape = PolynomialDecay(total_steps=total, power=power)
    form = "polynomial = lambda step: "
    left = f"max(0, 1 - step / {total})"
    return Task(
        answer="polynomial",
        prompt=f"""
            Write polynomial decay with power {power} as a function of the step that returns the rate: peak
            rate 0.1, a run of {total:,} updates, and zero from the end on.
        """,
        starter="""
            def polynomial(step):
                return None  # a rate
        """,
        solution=f"""
            def polynomial(step):
                left = max(0, {total} - step)
                return 0.1 * (left / {total}) ** {power}
        """,
        reveal="only the part of the run that is left is raised to the power; power 1 is linear decay.",
        judge=Function(
            expected=lambda step: 0.1 * shape(step),
            probes=steps(0, 1, PER_EPOCH - 1, total // 4, total // 2, total, total + 100, 2 * total),
        ),
        mistakes=[
            Mistake(
                form + f"0.1 * (1 - min(1, step / {total}) ** {power})",
                "the power is on the wrong part: this curve stays high and falls at the end. "
                "Raise what is left.",
            ),
            Mistake(form + f"{left} ** {power}", "that is the factor; the rate is 0.1 times as large."),
            Mistake(
                form + f"0.1 * {power} * {left}",
                "the power is an exponent, not a multiplier: this is a straight line that starts too high.",
            ),
            Mistake(
                form + f"0.1 * (1 - step / {total}) ** {power}",
                "past the end it moves away from zero again, down or up: stop at 0.",
            ),
            Mistake(
                form + f"0.1 * {left} ** (1 / {power})",
                "upside down: the root keeps the rate high; a power above 1 makes it fall early.",
            ),
            Mistake(
                form + f"0.1 * max(0, 1 - step / ({total} // {PER_EPOCH})) ** {power}",
                f"wrong horizon: the run has {total // PER_EPOCH} epochs, but `step` counts updates.",
            ),
            Mistake(
                form + f"0.1 * max(0, 1 - step // {PER_EPOCH} * {PER_EPOCH} / {total}) ** {power}",
                "it keeps the rate for a whole epoch; every update is to have its own.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="medium", title="How far can the drop go?")
def area(draw: Draw) -> Task:
    factor, every = draw("drop", *DROPS)
    values = DropDecay(drop_factor=factor, drop_steps=every, offset_steps=1).values(100)
    mean = math.fsum(values) / 100
    return Task(
        answer="my_area",
        prompt=f"""
            The area under a schedule's factor, as a part of the area of a constant rate, says how far it
            can reach. For linear decay it is about a half. Estimate it for the drop
            ${factor:g}^{{\\lfloor (1 + \\text{{epoch}})/{every} \\rfloor}}$ with epochs 0 to 99, then
            compute: the mean of the 100 factors.
        """,
        starter="my_area = None  # from 0 to 1",
        solution=f"""
            factors = [{factor:g} ** ((1 + e) // {every}) for e in range(100)]
            my_area = sum(factors) / 100
        """,
        reveal=f"""
            {mean:.3f}, of which the {every - 1} epochs before the first drop give {(every - 1) / 100:.2f}.
            Unless its peak rate makes up for it, this plan falls far short of linear decay's reach.
        """,
        judge=Number(expected=mean, rel=0.005),
        mistakes=[
            Mistake(
                f"my_area = sum({factor} ** (e // {every}) for e in range(100)) / 100",
                "off by one: with the `1 +` in the exponent, each drop comes an epoch earlier.",
            ),
            Mistake(
                f"my_area = 0.1 * {mean!r}",
                "that is the area under the rate; the factor starts at 1.",
            ),
            Mistake(f"my_area = 100 * {mean!r}", "that is the sum; divide it by the 100 epochs."),
            Mistake(
                f"my_area = {every - 1} / 100",
                "that counts the epochs before the first drop only; those after it add something too.",
            ),
            Mistake(
                f"my_area = {factor}",
                "that is one drop; the area adds up all epochs, each with its own number of drops.",
            ),
        ],
    )


def _area(power: float) -> float:
    return math.fsum((1 - e / 100) ** power for e in range(100)) / 100


@exercise(chapter=CHAPTER, kind="predict", level="hard", title="The power that covers as much")
def area_power(draw: Draw) -> Task:
    factor, every = draw("drop", *DROPS, like="area")
    values = DropDecay(drop_factor=factor, drop_steps=every, offset_steps=1).values(100)
    mean = math.fsum(values) / 100
    low, high = 0.1, 50.0
    while high - low > 1e-9:  # the area falls as the power grows
        middle = (low + high) / 2
        low, high = (middle, high) if _area(middle) > mean else (low, middle)
    limit = 1 / mean - 1
    return Task(
        answer="my_power",
        prompt=f"""
            Which power has the same area as that drop,
            ${factor:g}^{{\\lfloor (1 + \\text{{epoch}})/{every} \\rfloor}}$? Take
            $(1 - \\text{{epoch}}/100)^p$
            with the rate set once an epoch, epochs 0 to 99, so that the area is the mean of 100 factors.
        """,
        starter="my_power = None  # a number",
        solution=f"""
            from scipy.optimize import brentq


            def excess(p):
                drop = sum({factor:g} ** ((1 + e) // {every}) for e in range(100))
                poly = sum((1 - e / 100) ** p for e in range(100))
                return poly - drop


            my_power = brentq(excess, 0.1, 50)
        """,
        reveal=f"""
            {low:.2f} if the rate is set once an epoch; {limit:.2f} in the continuous limit, where the area is
            $1/(p + 1)$. Same area does not mean same result: the two spend it at different times.
        """,
        judge=Number(expected=low),
        mistakes=[
            Mistake(
                f"my_power = 1 / {mean!r} - 1",
                "that is the continuous limit, 1 / (p + 1) = area. Held for an epoch, the rate is a little "
                "higher than the curve, so it takes a larger power.",
            ),
            Mistake(
                f"my_power = 1 / {mean!r}",
                "that is p + 1 in the continuous limit: the integral of x to the power p is 1 / (p + 1).",
            ),
            Mistake("my_power = 1", "power 1 is linear decay, and its area is about a half."),
            Mistake(
                f"my_power = {mean!r}",
                "that is the area; the power that has this area is asked for.",
            ),
            Mistake(
                f"my_power = {mean!r} / (1 - {mean!r})",
                "upside down: a smaller area needs a larger power.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="A plateau before a third of the run")
def plateau(draw: Draw) -> Task:
    power, epoch = draw("run", (5, 25), [(3, 30), (4, 20), (2, 30), (5, 15)])
    factors = [((100 - e) / 100) ** power for e in range(100)]
    spent = math.fsum(factors[:epoch]) / math.fsum(factors)
    return Task(
        answer="my_part",
        prompt=f"""
            A run of 100 epochs with power {power} has a training loss that hardly moves after epoch {epoch}.
            "It has converged", says a colleague. Before you agree: which part of its area, which is the
            reach of this plan, has been spent in the first {epoch} epochs?
        """,
        starter="my_part = None  # from 0 to 1",
        solution=f"""
            left = (1 - {epoch} / 100) ** ({power} + 1)
            my_part = 1 - left
        """,
        reveal=f"""
            about {spent:.2f} of it. A plateau there can be a plan that is nearly used up, or a network that
            has learned its images; the loss alone does not tell. The survey sees its power 5 flatten after
            about 25 epochs.
        """,
        judge=Number(expected=spent, rel=0.02),
        mistakes=[
            Mistake(
                f"my_part = {epoch} / 100",
                "that is the part of the time; early epochs have the large rates, and count for more.",
            ),
            Mistake(
                f"my_part = 1 - (1 - {epoch} / 100) ** {power}",
                "that is how far the rate has fallen; the area is its integral, with a power one higher.",
            ),
            Mistake(
                f"my_part = (1 - {epoch} / 100) ** ({power} + 1)",
                "that is the part which is left; what has been spent is asked for.",
            ),
            Mistake(
                f"my_part = (1 - {epoch} / 100) ** {power}",
                f"that is the factor in epoch {epoch}; add up the factors of all epochs before it.",
            ),
            Mistake(
                f"my_part = 100 * {spent!r}",
                "in points; the part is a fraction from 0 to 1.",
            ),
        ],
    )
