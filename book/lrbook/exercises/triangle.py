"""Exercises of the chapter "Triangle": warm-up, its edges, and what it costs."""

from __future__ import annotations

import math

from lrbook.exercises.judges import Function, Number, choice, steps
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import LinearDecay, Triangle

CHAPTER = "triangle"


@exercise(chapter=CHAPTER, kind="code", level="medium", title="A triangle without a jump")
def triangle(draw: Draw) -> Task:
    total, warmup = draw("run", (1000, 100), [(2000, 150), (800, 200), (1200, 60), (600, 30)])
    shape = Triangle(total_steps=total, warmup_steps=warmup)
    up, form = f"step / {warmup} if step < {warmup} else ", "triangle = lambda step: 0.1 * "
    down = f"max(0, {total} - step) / {total - warmup}"
    return Task(
        answer="triangle",
        prompt=f"""
            Write the triangle as a function of the step that returns the rate. Over {warmup} updates it
            climbs in a straight line from 0 to the peak rate 0.1, which update {warmup} gets; then it falls
            in a straight line and would reach 0 at step {total:,}, the end of the run. From there on it is 0.
        """,
        starter="""
            def triangle(step):
                return None  # a rate
        """,
        solution=f"""
            def triangle(step):
                if step < {warmup}:
                    return 0.1 * step / {warmup}
                left = max(0, {total} - step)
                return 0.1 * left / {total - warmup}
        """,
        reveal=f"""
            the two lines meet at update {warmup}, since the fall is divided by the {total - warmup:,} updates
            that it takes, and not by the whole run.
        """,
        judge=Function(
            expected=lambda step: 0.1 * shape(step),
            probes=steps(
                *(0, 1, warmup // 2, warmup - 1, warmup, warmup + 1, (warmup + total) // 2),
                *(total - 1, total, total + 50),
            ),
        ),
        mistakes=[
            Mistake(
                form + f"({up}max(0, 1 - step / {total}))",
                "after the warm-up it jumps down at once, as BERT's own schedule does: divide "
                f"by {total - warmup}, "
                "the updates of the fall.",
            ),
            Mistake(
                form + f"((step + 1) / {warmup} if step < {warmup} else {down})",
                "off by one: the climb starts at 0, and the peak belongs to the update after it. "
                "(Some libraries do it your way, so that update 0 is not wasted.)",
            ),
            Mistake(
                form + f"({up}({total} - step) / {total - warmup})",
                "past the end the rate is below zero: stop at 0.",
            ),
            Mistake(
                f"triangle = lambda step: {up}{down}", "that is the factor; the rate is 0.1 times as large."
            ),
            Mistake(
                form + f"max(0, 1 - step / {total})",
                "that is linear decay; the warm-up is missing.",
            ),
            Mistake(
                form + f"({up}max(0, 1 - (step - {warmup}) / {total}))",
                f"wrong horizon: it would fall for {total} updates after the warm-up, and the "
                "run is over before.",
            ),
            Mistake(
                form + f"({up}1)",
                "after the warm-up it stays at the peak; it has to fall to 0.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="What the warm-up costs")
def warmup_area(draw: Draw) -> Task:
    total, warmup = 1000, 100
    triangle_area = math.fsum(Triangle(total_steps=total, warmup_steps=warmup).values(total)) / total
    linear_area = math.fsum(LinearDecay(total_steps=total).values(total)) / total
    lost = 1 - triangle_area / linear_area
    return Task(
        prompt=f"""
            The area under a schedule says how far it can reach. Linear decay over {total:,}
            updates, against a triangle with the same peak and a warm-up of {warmup} of them: which part of
            the area does the warm-up cost?
        """,
        reveal=f"""
            next to nothing: the two areas are {linear_area:.4f} and {triangle_area:.4f} of a constant rate's.
            Both are triangles with the same base and height. What the climb loses, the later peak gives back:
            from update {warmup} on, the rate is higher than linear decay's.
        """,
        **choice(
            draw,
            min(range(4), key=lambda i: abs((0.1, 0.05, 0.0, -0.05)[i] - lost)),
            (
                "a tenth, as a tenth of the run is warm-up",
                "the rate is not zero during the climb, and after it the peak is still ahead.",
            ),
            (
                "a twentieth, as the climb has half of that tenth",
                "the climb does lose that much, but after it the triangle is higher than linear decay, until "
                "the end.",
            ),
            (
                "nothing worth speaking of",
                "the two areas are the same: half of base times height.",
            ),
            (
                "it gains a twentieth, as it falls from a later peak",
                "the later fall gains, but the climb has lost as much before it.",
            ),
        ),
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="A step in the log")
def bert(draw: Draw) -> Task:
    total, warmup = draw("run", (1000, 100), [(2000, 100), (1000, 200), (800, 120), (400, 60)])
    peak = 1e-4
    lr = peak - peak * warmup / total
    return Task(
        answer="my_lr",
        prompt=f"""
            A log shows a rate that climbs in a straight line toward $10^{{-4}}$ over {warmup} updates, and
            then is suddenly lower. The code is the one that was published with BERT: with $T = {total}$ and
            $W = {warmup}$, $10^{{-4}}\\, t/W$ for $t < W$, and after that $10^{{-4}}\\,(1 - t/T)$. Which rate
            does update {warmup}, the first after the climb, get?
        """,
        starter="my_lr = None  # a number",
        solution=f"my_lr = 1e-4 * (1 - {warmup} / {total})",
        reveal=f"""
            {lr:.3g}. The decay counts from the start of the run, so at $t = W$ it has already fallen by
            $W/T$, and the rate falls at once by {warmup / total:g} of the peak. A triangle without a jump
            takes $(T - t)/(T - W)$.
        """,
        judge=Number(expected=lr, rel=0.002),
        mistakes=[
            Mistake(
                "my_lr = 1e-4",
                "a continuous triangle would; this decay was not moved to the end of the "
                "warm-up. Put t = W in.",
            ),
            Mistake(
                f"my_lr = 1 - {warmup} / {total}",
                "that is the factor; multiply it by the peak rate.",
            ),
            Mistake(
                f"my_lr = 1e-4 * ({warmup} - 1) / {warmup}",
                "that is the update before, the last of the climb.",
            ),
            Mistake(
                f"my_lr = 1e-4 * {warmup} / {total}",
                "that is the height of the step; the rate after it is asked for.",
            ),
        ],
    )
