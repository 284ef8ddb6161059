"""Exercises of the chapter "Schedules, and the constant baseline": the noise floor."""

from __future__ import annotations

import math

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import Constant
from lrlib.theory.valley import Valley

CHAPTER = "constant"


def settled(lr: float, curvature: float, noise: float = 0.1) -> float:
    """Return the variance after so many updates that it stands still: the floor, without its formula."""
    v, before = noise * lr**2 * curvature, -1.0
    while v != before and v < 1e12:
        v, before = (1 - lr * curvature) ** 2 * v + noise * lr**2 * curvature, v
    return v if v < 1e12 else math.inf


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="A quarter of the rate")
def floor_ratio(draw: Draw) -> Task:
    lr = draw("lr", 0.28, [0.4, 0.6, 0.8, 1.2])
    ratio = settled(lr, 1.0) / settled(lr / 4, 1.0)
    return Task(
        answer="my_ratio",
        prompt=f"""
            In a direction of curvature 1, the rate {lr:g} has settled on its noise floor
            $v_\\infty = 0.1\\,\\eta / (2 - \\eta\\ell)$. You go on with a quarter of the rate
            until it settles again. By which factor does the floor sink? Guess first: less than 4, 4, or more?
        """,
        starter="my_ratio = None  # above 1",
        solution=f"""
            def floor(lr):
                return 0.1 * lr / (2 - lr)


            a, b = floor({lr:g}), floor({lr / 4:g})
            my_ratio = a / b
        """,
        reveal=f"""
            it sinks {ratio:.2f}-fold, by more than 4. The $\\eta$ above the line gives the 4; the
            $2 - \\eta\\ell$ below it is smaller at the large rate, which shook more than in proportion.
        """,
        judge=Number(expected=ratio),
        mistakes=[
            Mistake(
                "my_ratio = 4",
                "that holds for tiny rates only: the rate also stands below the line, in 2 - lr.",
            ),
            Mistake(
                "my_ratio = 16",
                "one update's noise goes with the square of the rate, but a small rate also forgets more "
                "slowly; the floor is where both balance.",
            ),
            Mistake(
                f"my_ratio = {lr / 4} / (2 - {lr / 4}) / ({lr} / (2 - {lr}))",
                "upside down: the old floor over the new one is above 1.",
            ),
            Mistake(
                f"from lrlib import Valley\nv = Valley()\n"
                f"my_ratio = v.noise_floor({lr}) / v.noise_floor({lr / 4})",
                "that is the floor of the whole valley, with its 64 directions; the question is about "
                "the steepest one alone.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="medium", title="The floor as a function")
def noise_floor(draw: Draw) -> Task:
    l = draw("curvature", 0.5, [0.25, 0.4, 0.8, 1.6])  # noqa: E741 - the letter of the formula
    edge = 2 / l
    probes = [(x * edge,) for x in (0.01, 0.1, 0.5, 0.95, 1.05, 2.0)]
    return Task(
        answer="floor",
        prompt=f"""
            Write $v_\\infty$ as a function of the rate, for one direction of curvature {l:g} with noise 0.1:
            the variance that stays after endless updates at a fixed rate. Mind the rates above the edge of
            stability: there the variance grows for ever, which is `math.inf`.
        """,
        starter="""
            def floor(lr):
                return None  # a variance
        """,
        solution=f"""
            import math


            def floor(lr):
                if lr * {l:g} >= 2:
                    return math.inf
                return 0.1 * lr / (2 - lr * {l:g})
        """,
        reveal="""
            set $v$ equal to its own update, solve, and look at where the formula stops meaning anything: at
            the edge it divides by zero, beyond it, it would give a negative variance.
        """,
        judge=Function(
            expected=lambda lr: settled(lr, l), probes=probes, unit="rate", rel=1e-6
        ),  # the sum converges
        mistakes=[
            Mistake(
                f"floor = lambda lr: 0.1 * lr / (2 - lr * {l})",
                f"above the edge, at rate {1.05 * edge:g}, it gives a negative variance: the formula holds "
                "below the edge only.",
            ),
            Mistake(
                f"floor = lambda lr: 0.1 * lr / 2 if lr < {edge} else float('inf')",
                "that is the rule of thumb for tiny rates; near the edge the floor climbs to infinity.",
            ),
            Mistake(
                f"floor = lambda lr: 0.1 * lr**2 * {l} if lr < {edge} else float('inf')",
                "that is the noise of one update; what is left of the earlier ones has to be added.",
            ),
            Mistake(
                f"floor = lambda lr: {l} / 2 * 0.1 * lr / (2 - lr * {l}) if lr < {edge} else float('inf')",
                "that is the loss, half the curvature times the variance; the variance itself is asked for.",
            ),
            Mistake(
                f"floor = lambda lr: lr / (2 - lr * {l}) if lr < {edge} else float('inf')",
                "the noise 0.1 is missing: the shape is right, the size is not.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="It does not get better")
def stuck(draw: Draw) -> Task:
    lr = draw("lr", 0.8, [0.6, 0.7, 0.9])
    valley = Valley()

    def after(later: float, *, first: int = 2000, more: int = 1000) -> float:
        return valley.final_loss(lambda t: lr if t < first else later, steps=first + more, peak_lr=1.0)

    log = {n: valley.final_loss(Constant(), steps=n, peak_lr=lr) for n in (500, 1000, 2000)}
    ends = [after(lr), after(2 * lr), after(lr / 2), after(lr, first=3000, more=3000)]
    return Task(
        prompt=f"""
            A run in the valley at the fixed rate {lr:g} logs an expected loss of {log[500]:.4f} after 500
            updates, {log[1000]:.4f} after 1,000 and {log[2000]:.4f} after 2,000. What helps most?
        """,
        reveal=f"""
            the run sits on its noise floor, and the floor depends on the rate: 1,000 updates at half the rate
            bring {ends[2]:.4f}, at the same rate {ends[0]:.4f}, at twice the rate {ends[1]:.4f}.
        """,
        **choice(
            draw,
            min(range(4), key=ends.__getitem__),
            (
                "another 1,000 updates at this rate",
                f"the distance is long gone; another 1,000 updates leave {ends[0]:.4f}, since a floor does "
                "not sink by waiting.",
            ),
            (
                "another 1,000 updates at twice the rate",
                f"that shakes harder and ends at {ends[1]:.4f}: large rates help while there is "
                "distance left.",
            ),
            ("another 1,000 updates at half the rate", "half the rate has the lower floor."),
            (
                "a fresh start with other weights, and three times the updates",
                f"every start ends on the same floor, {ends[3]:.4f}: it depends on rate, noise "
                "and curvature.",
            ),
        ),
    )
