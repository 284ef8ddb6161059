"""Exercises of the chapter "Drop-based decay": where the drops fall, and what they do."""

from __future__ import annotations

import numpy as np

from lrbook.exercises.judges import Function, Number, steps
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import DropDecay
from lrlib.theory.valley import Valley

CHAPTER = "drop_based"
PER_EPOCH = 391  # 50,000 images in batches of 128
SOURCE = (0.25, 15)  # a quarter every 15 epochs
OTHERS = [(0.4, 12), (0.3, 30), (0.2, 22), (0.4, 18)]


@exercise(chapter=CHAPTER, kind="code", level="easy", title="The source's drop, update by update")
def drop(draw: Draw) -> Task:
    factor, every = draw("drop", SOURCE, OTHERS)
    shape = DropDecay(drop_factor=factor, drop_steps=every * PER_EPOCH, offset_steps=PER_EPOCH)
    first = (every - 1) * PER_EPOCH
    return Task(
        answer="drop",
        prompt=f"""
            The survey's source trains at
            $0.1 \\cdot {factor:g}^{{\\lfloor (1 + \\text{{epoch}})/{every} \\rfloor}}$, with epochs counted
            from 0, and {PER_EPOCH} updates in each. Write it as a function of the step, the number of updates
            completed, that returns the rate.
        """,
        starter="""
            def drop(step):
                return None  # a rate
        """,
        solution=f"""
            def drop(step):
                epoch = step // {PER_EPOCH}
                drops = (1 + epoch) // {every}
                return 0.1 * {factor:g}**drops
        """,
        reveal=f"""
            because of the `1 +`, epoch {every - 2} still has the whole rate and epoch {every - 1} the first
            lower one; {every} epochs later comes the second drop.
        """,
        judge=Function(
            expected=lambda step: 0.1 * shape(step),
            probes=steps(
                *(0, 1, PER_EPOCH, first - PER_EPOCH, first - 1, first, first + PER_EPOCH),
                *(every * PER_EPOCH - 1, first + every * PER_EPOCH - 1, first + every * PER_EPOCH),
                100 * PER_EPOCH - 1,
            ),
        ),
        mistakes=[
            Mistake(
                f"drop = lambda step: 0.1 * {factor} ** ((1 + step) // {every})",
                f"it takes the step for the epoch and drops every {every} updates; an epoch is "
                f"{PER_EPOCH} of them.",
            ),
            Mistake(
                f"drop = lambda step: 0.1 * {factor} ** (step // {PER_EPOCH} // {every})",
                f"off by one: without the `1 +` the first drop comes in epoch {every}, one late.",
            ),
            Mistake(
                f"drop = lambda step: 0.1 * {factor} * ((1 + step // {PER_EPOCH}) // {every})",
                "the exponent is missing, as in the survey's print: `factor * drops` starts at "
                "zero and then grows.",
            ),
            Mistake(
                f"drop = lambda step: {factor} ** ((1 + step // {PER_EPOCH}) // {every})",
                "that is the factor; the rate is 0.1 times as large.",
            ),
            Mistake(
                f"drop = lambda step: 0.1 * {factor} ** ((1 + step) // ({every} * {PER_EPOCH}))",
                "the 1 is added to the steps: it has to bring the drop forward by an epoch, not "
                "by an update.",
            ),
            Mistake(
                f"drop = lambda step: 0.1 * {factor} ** ((1 + step / {PER_EPOCH}) / {every})",
                "without the floor brackets the rate slides down; a drop waits, and then falls at once.",
            ),
            Mistake(
                f"drop = lambda step: 0.1 * 0.5 ** (step // {PER_EPOCH} // 10)",
                "half every 10 epochs is the survey's example; its table was made with the "
                "other drop, above.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Where it ends")
def drop_end(draw: Draw) -> Task:
    factor, every = draw("drop", SOURCE, OTHERS, like="drop")
    shape = DropDecay(drop_factor=factor, drop_steps=every, offset_steps=1)
    end, drops = 0.1 * shape(99), 100 // every
    return Task(
        answer="my_lr",
        prompt=f"""
            The same drop: $0.1 \\cdot {factor:g}^{{\\lfloor (1 + \\text{{epoch}})/{every} \\rfloor}}$.
            Estimate first, then compute: at which rate does the last of 100 epochs train?
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            drops = (1 + 99) // {every}
            my_lr = 0.1 * {factor:g}**drops
        """,
        reveal=f"{drops} drops leave {end:.3g}, {0.1 / end:,.0f} times less than at the start.",
        judge=Number(expected=end),
        mistakes=[
            Mistake(
                f"my_lr = 0.1 * {factor} * {drops}",
                "each drop multiplies once more: the number of drops is an exponent.",
            ),
            Mistake(f"my_lr = {factor} ** {drops}", "that is the factor; multiply it by the peak rate, 0.1."),
            Mistake(
                f"my_lr = 0.1 * {factor} ** {drops - 1}",
                "one drop too few: count the epochs at which a new exponent begins.",
            ),
            Mistake(
                f"my_lr = 0.1 * {factor} ** {drops + 1}", "one drop too many: the next would come later."
            ),
            Mistake(
                "my_lr = 0.1 * 0.5 ** 9",
                "half every 10 epochs is the survey's example, not the drop that its table was made with.",
            ),
            Mistake(
                f"my_lr = 0.1 * {factor} ** (100 / {every})",
                "without the floor brackets: a part of a drop does not happen.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="medium", title="Mark the largest fall")
def largest_fall(draw: Draw) -> Task:
    factor, every = draw("drop", SOURCE, [(0.25, 12), (0.25, 20), (0.2, 18), (0.2, 10)])
    shape = DropDecay(drop_factor=factor, drop_steps=10 * every, offset_steps=10)
    loss = Valley().trajectory(shape, steps=1000, peak_lr=1.2).loss[::10]
    falls = loss[:-1] - loss[1:]
    epoch = 5 + int(np.argmax(falls[5:]))
    return Task(
        answer="my_epoch",
        prompt=f"""
            The valley is trained for 100 epochs of 10 updates, counted from 0, at the rate
            $1.2 \\cdot {factor:g}^{{\\lfloor (1 + \\text{{epoch}})/{every} \\rfloor}}$. In which epoch does
            the expected loss fall most? Leave out epochs 0 to 4, where everything falls. Mark the epoch
            before you look at any curve.
        """,
        starter="my_epoch = None  # an epoch",
        solution=f"""
            from numpy import argmax, diff

            from lrlib import DropDecay, Valley

            shape = DropDecay(drop_factor={factor:g}, drop_steps=10 * {every}, offset_steps=10)
            path = Valley().trajectory(shape, steps=1000, peak_lr=1.2)
            falls = -diff(path.loss[::10])
            my_epoch = 5 + argmax(falls[5:])
        """,
        reveal=f"""
            in epoch {epoch}, the first at a lower rate, the loss falls from {loss[epoch]:.3f} to
            {loss[epoch + 1]:.3f}: the shaking of the large rate dies away at once. Now look for the same in
            the recorded run.
        """,
        judge=Number(expected=epoch, rel=0.0, unit="of the epoch"),
        mistakes=[
            Mistake(
                f"my_epoch = {every}",
                "off by one: the exponent holds `1 + epoch`, and the loss falls in the first epoch at "
                "the lower rate, not after it.",
            ),
            Mistake(
                f"my_epoch = {every - 2}",
                "in that epoch the rate is still whole; nothing can fall before the drop.",
            ),
            Mistake(
                f"my_epoch = {2 * every - 1}",
                "that is the second drop: by then the rate is lower, and there is less shaking to lose.",
            ),
            Mistake(
                "my_epoch = 5",
                "the distance still shrinks there, but the drop frees more loss than that.",
            ),
            Mistake(
                f"my_epoch = {(every - 1) * 10}",
                "that is the update; ten of them make an epoch.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="The formula as printed")
def misprint(draw: Draw) -> Task:
    epoch = draw("epoch", 80, [50, 65, 95])
    lr = sum(0.025 for _ in range(15, epoch + 1, 15))
    return Task(
        answer="my_lr",
        prompt=f"""
            In the survey's formula the floor brackets stand on the line, behind `drop_factor`. A colleague
            reads that as a product, types `lr = initial_lr * drop_factor * floor(epoch / drop_epoch)`
            with 0.1, 0.25 and 15, and wonders why nothing at all happens during the first 15
            epochs. Which rate does this program apply in epoch {epoch}?
        """,
        starter="my_lr = None  # a number",
        solution=f"my_lr = 0.1 * 0.25 * ({epoch} // 15)",
        reveal=f"""
            {lr:g}. The exponent got lost on the way to print: without it the rate is zero until epoch 15, and
            then *rises* by 0.025 every 15 epochs.
        """,
        judge=Number(expected=lr),
        mistakes=[
            Mistake(
                f"my_lr = 0.1 * 0.25 ** ({epoch} // 15)",
                "that is what was meant; the program does what was typed: there is no exponent in it.",
            ),
            Mistake(
                f"my_lr = 0.1 * 0.25 * {epoch} / 15", "the floor brackets still stand: cut off the fraction."
            ),
            Mistake(
                f"my_lr = 0.25 * ({epoch} // 15)",
                "that is the factor; the program multiplies by 0.1 as well.",
            ),
            Mistake(
                "my_lr = 0",
                f"that holds until epoch 14 only; by epoch {epoch} the floor brackets give more than 0.",
            ),
            Mistake(
                f"my_lr = 0.1 * 0.25 * (({epoch} + 15) // 15)",
                "one period too many: in the first one, the floor brackets give 0.",
            ),
        ],
    )
