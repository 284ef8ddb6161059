"""Exercises of the chapter "Cosine annealing": the curve and its restarts."""

from __future__ import annotations

import math

from lrbook.exercises.judges import Function, Number, choice, steps
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import CosineAnnealing
from lrlib.theory.valley import Valley

CHAPTER = "cosine"


@exercise(chapter=CHAPTER, kind="code", level="medium", title="Cosine annealing with restarts")
def cosine(draw: Draw) -> Task:
    total, cycles = draw("run", (1000, 3), [(1000, 7), (500, 3), (800, 6), (2000, 7)])
    shape = CosineAnnealing(total_steps=total, cycles=cycles)
    length = shape.cycle_steps
    setup = "from math import cos, pi, degrees\ndef cosine(step):\n    "
    end = f"if step < {total} else 0.0"
    return Task(
        answer="cosine",
        prompt=f"""
            Write cosine annealing with {cycles} cycles over {total:,} updates as a function of the step that
            returns the rate: $\\tfrac{{0.1}}{{2}}\\,(1 + \\cos(\\pi\\,(t \\bmod L)/L))$, where
            $L = \\lceil {total}/{cycles} \\rceil$, and 0 from step {total:,} on. The first update has
            $t = 0$.
        """,
        starter="""
            def cosine(step):
                return None  # a rate
        """,
        solution=f"""
            from math import ceil, cos, pi


            def cosine(step):
                if step >= {total}:
                    return 0.0
                length = ceil({total} / {cycles})
                x = step % length / length
                return 0.05 * (1 + cos(pi * x))
        """,
        reveal=f"each cycle has {length} updates, rounded up, and each starts again from the whole peak.",
        judge=Function(
            expected=lambda step: (
                0.1 * math.cos(math.pi / 2 * (step % length) / length) ** 2 if step < total else 0.0
            ),
            probes=steps(
                *(0, 1, length // 2, length - 1, length, length + 1, 2 * length),
                *((cycles - 1) * length, total - 1, total, total + 100),
            ),
        ),
        mistakes=[
            Mistake(
                setup + f"return 0.05 * (1 + cos(pi * step / {total})) {end}",
                f"that is a single cycle over the whole run; {cycles} are asked for, each from the peak.",
            ),
            Mistake(
                setup + f"L = {total // cycles}\n    return 0.05 * (1 + cos(pi * (step % L) / L)) {end}",
                "the cycle is rounded down, which leaves a stump of one more cycle at the end: round up.",
            ),
            Mistake(
                setup + f"L = {total} / {cycles}\n    return 0.05 * (1 + cos(pi * (step % L) / L)) {end}",
                "the ceiling brackets are missing, as in the survey's print: a cycle is a whole "
                "number of updates.",
            ),
            Mistake(
                setup + f"L = {length}\n    return 0.05 * (1 + cos(pi * ((step - 1) % L) / L)) {end}",
                "off by one: that formula counts from 1; here the first update has step 0.",
            ),
            Mistake(
                setup + f"L = {length}\n    return 0.1 * (1 + cos(pi * (step % L) / L)) {end}",
                "twice too large: 1 + cos starts at 2, so it takes half of the peak.",
            ),
            Mistake(
                setup + f"L = {length}\n    return 0.1 * cos(pi * (step % L) / L) {end}",
                "the bare cosine falls below zero in the second half of a cycle: lift it by 1, and halve it.",
            ),
            Mistake(
                setup + f"L = {length}\n    return 0.5 * (1 + cos(pi * (step % L) / L)) {end}",
                "that is the factor; the rate is 0.1 times as large.",
            ),
            Mistake(
                setup + f"L = {length}\n    return 0.05 * (1 + cos(pi * (step % L) / L))",
                "past the end it goes on restarting: from the last step on the rate is 0.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="After a part of the way")
def cosine_part(draw: Draw) -> Task:
    step = draw("step", 75, [100, 50, 200, 225])
    factor = CosineAnnealing(total_steps=300)(step)
    return Task(
        answer="my_factor",
        prompt=f"""
            One cosine cycle over 300 updates. Sketch the curve first: which part of its peak does update
            {step} still have? Then compute it.
        """,
        starter="my_factor = None  # 0 to 1",
        solution=f"""
            from math import cos, pi

            x = {step} / 300
            my_factor = (1 + cos(pi * x)) / 2
        """,
        reveal=f"""
            {factor:.3f}, where linear decay has {1 - step / 300:.3f}. The cosine stays high for longer, falls
            fastest in the middle, and is gentle at both ends.
        """,
        judge=Number(expected=factor),
        mistakes=[
            Mistake(
                f"my_factor = 1 - {step} / 300",
                "that is linear decay; the cosine leaves its peak, and reaches its end, more gently.",
            ),
            Mistake(
                f"from math import cos, pi\nmy_factor = cos(pi * {step} / 300)",
                "the bare cosine runs from 1 to -1: lift it by 1, and halve it.",
            ),
            Mistake(
                f"from math import cos, pi\nmy_factor = (1 - cos(pi * {step} / 300)) / 2",
                "upside down: that is how far it has fallen.",
            ),
            Mistake(
                f"from math import cos\nmy_factor = (1 + cos({step} / 300)) / 2",
                "the pi is missing: over the run, the angle goes from 0 to pi.",
            ),
            Mistake(
                f"from math import cos, pi\nmy_factor = 0.05 * (1 + cos(pi * {step} / 300))",
                "that is a rate, with a peak of 0.1; the part of the peak is asked for.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="The brackets that got lost")
def restart_epoch(draw: Draw) -> Task:
    total, cycles = draw("run", (100, 7), [(60, 7), (80, 7), (100, 9), (110, 9)])
    length = math.ceil(total / cycles)
    starts = [epoch for epoch in range(1, total + 1) if (epoch - 1) % length == 0]
    last = starts[-1]
    exact = math.floor((cycles - 1) * total / cycles) + 2
    return Task(
        answer="my_epoch",
        prompt=f"""
            In the survey's cosine formula, the ceiling brackets of $\\lceil {total}/{cycles} \\rceil$ were
            lost: it divides by something that looks like plain {total}/{cycles}. With the brackets, and
            epochs counted from 1 as in that formula,
            $\\bmod(\\text{{epoch}} - 1, \\lceil {total}/{cycles} \\rceil)$ is 0 at each restart. At which
            epoch does the last of the {cycles} cycles begin?
        """,
        starter="my_epoch = None  # from 1",
        solution=f"""
            from math import ceil

            length = ceil({total} / {cycles})
            my_epoch = {cycles - 1} * length + 1
        """,
        reveal=f"""
            at epoch {last}: with brackets a cycle has {length} epochs. Without them it has
            {total / cycles:.2f}, no epoch but the first gets the whole peak, and the restarts wander.
        """,
        judge=Number(expected=last, rel=0.0, unit="of the epoch"),
        mistakes=[
            Mistake(
                f"my_epoch = {exact}",
                "that is the first epoch of the last cycle without the brackets: round the length up first.",
            ),
            Mistake(
                f"my_epoch = {(cycles - 1) * (total // cycles) + 1}",
                "that is with the length rounded down; these brackets round up.",
            ),
            Mistake(f"my_epoch = {last - 1}", "off by one: the formula counts epochs from 1."),
            Mistake(
                f"my_epoch = {last + length}",
                f"one cycle too far: the first of {cycles} begins at epoch 1.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Five valleys, or one")
def five_valleys(draw: Draw) -> Task:
    total = draw("total", 300, [240, 360, 420, 500])
    valley = Valley()
    one, five = (
        valley.best_peak_lr(CosineAnnealing(total_steps=total, cycles=cycles), steps=total)
        for cycles in (1, 5)
    )
    return Task(
        prompt=f"""
            In the valley: one cosine cycle over {total} updates, or five cycles of {total // 5}? Each takes
            the peak rate that suits it best. Which has the lower expected loss after update {total}?
        """,
        reveal=f"""
            one cycle ends at {one.loss:.4f}, five at {five.loss:.4f}. Every restart shakes up again what was
            calm, and the last cycle has a fifth of the time. What five cycles buy is five ends, five networks
            to average: a single valley cannot show that.
        """,
        **choice(
            draw,
            0 if one.loss < five.loss else 1,
            ("one cycle", "one long plan ends lower than the last of five short ones."),
            (
                "five cycles: they come to rest five times",
                "each rest is undone by the restart after it, and only the last one counts at the end.",
            ),
            (
                "the same: the areas are the same",
                "the areas are the same, and so is about the distance; but the shaking is paid "
                "back in the last "
                "cycle alone, which is short.",
            ),
            (
                "five cycles, as a restart jumps into a better valley",
                "this valley has one bottom, and nowhere else to jump to.",
            ),
        ),
    )
