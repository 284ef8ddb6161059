"""Exercises of the chapter "Time-based decay": what t counts, and what compounds."""

from __future__ import annotations

import math

from lrbook.exercises.judges import Function, Number
from lrbook.exercises.task import Draw, Mistake, Task, exercise
from lrlib.schedules import TimeDecay

CHAPTER = "time_based"
PER_EPOCH = 391  # 50,000 images in batches of 128
CLOSE = 0.005
RUNS = ((0.001, 100), [(0.002, 100), (0.0005, 60), (0.004, 50), (0.003, 80)])  # decay, epochs


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="By the update")
def time_end(draw: Draw) -> Task:
    decay, epochs = draw("run", *RUNS)
    last = epochs * PER_EPOCH - 1
    lr = 0.1 * TimeDecay(decay=decay)(last)
    return Task(
        answer="my_lr",
        prompt=f"""
            50,000 images in batches of 128 make {PER_EPOCH} updates an epoch. The rate of update $t$, counted
            from 0, is $0.1 / (1 + {decay:g}\\,t)$. Which rate does the last update of {epochs} epochs have?
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            t = {epochs} * {PER_EPOCH} - 1
            my_lr = 0.1 / (1 + {decay:g} * t)
        """,
        reveal=f"the rate ends at {lr:.3g}, {0.1 / lr:.0f} times below its start.",
        judge=Number(expected=lr, rel=CLOSE),
        mistakes=[
            Mistake(
                f"my_lr = 0.1 / (1 + {decay} * {epochs - 1})",
                f"that counts epochs; t counts updates here, {PER_EPOCH} of them in each epoch.",
            ),
            Mistake(
                f"my_lr = 1 / (1 + {decay} * {last})",
                "that is the factor; multiply it by the peak rate, 0.1.",
            ),
            Mistake(
                f"my_lr = 0.1 / (1 + {10 * decay} * {last})",
                "ten times too much decay. The survey slips here in the same way: 0.1 / 100 is "
                "0.001, not 0.01.",
            ),
            Mistake(
                f"my_lr = 0.1 / (1 + {decay} * {PER_EPOCH - 1})",
                "that is the end of the first epoch, not of the last.",
            ),
            Mistake(
                f"my_lr = 0.1 * (1 - {decay}) ** {last}",
                "that falls by the same share at every update; here one is divided by a sum that grows.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="By the epoch")
def time_end_epoch(draw: Draw) -> Task:
    decay, epochs = draw("run", *RUNS, like="time_end")
    lr = 0.1 * TimeDecay(decay=decay)(epochs - 1)
    return Task(
        answer="my_lr",
        prompt=f"""
            The same formula and the same decay of {decay:g}, but someone sets the rate once an epoch and lets
            $t$ count epochs, from 0. Which rate does the last of {epochs} epochs have?
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            epoch = {epochs} - 1
            my_lr = 0.1 / (1 + {decay:g} * epoch)
        """,
        reveal=f"it ends at {lr:.3g}: nearly a constant rate. The unit of $t$ is a part of the schedule.",
        judge=Number(expected=lr, rel=CLOSE),
        mistakes=[
            Mistake(
                f"my_lr = 0.1 / (1 + {decay} * {epochs * PER_EPOCH - 1})",
                f"that is the end if t counts updates; here it takes {epochs} values only.",
            ),
            Mistake(
                f"my_lr = 1 / (1 + {decay} * {epochs - 1})",
                "that is the factor; multiply it by the peak rate, 0.1.",
            ),
            Mistake(
                f"my_lr = 0.1 / (1 + {10 * decay} * {epochs - 1})",
                "ten times too much decay: look at the zeros behind the point.",
            ),
            Mistake(
                f"my_lr = 0.1\nfor epoch in range({epochs}):\n    my_lr = my_lr / (1 + {decay} * epoch)",
                "that divides the rate that was divided already: each epoch starts again from the peak rate.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Time-based decay, from the peak")
def time_decay(draw: Draw) -> Task:
    decay = draw("decay", 0.001, [0.0005, 0.002, 0.004, 0.005])
    form = "time_decay = lambda step: 0.1 / (1 + {} * {})"
    return Task(
        answer="time_decay",
        prompt=f"""
            Write time-based decay as a pure function: peak rate 0.1, decay {decay:g} per update, and `step`
            is the number of updates completed, so that the first update has `step = 0`. Return the rate.
        """,
        starter="""
            def time_decay(step):
                return None  # a rate
        """,
        solution=f"""
            def time_decay(step):
                return 0.1 / (1 + {decay:g} * step)
        """,
        reveal="a pure function of the step has no memory, so nothing in it can compound.",
        judge=Function(
            expected=lambda t: 1 / (1 / 0.1 + decay * t / 0.1),
            probes=[(0,), (1,), (PER_EPOCH - 1,), (PER_EPOCH,), (1000,), (5000,)],
            impure="asked twice for the same step, your function gives two rates: it divides a rate that was "
            "divided already. Start from the peak rate in every call.",
        ),
        mistakes=[
            Mistake(
                form.format(decay, f"(step // {PER_EPOCH})"),
                "it counts epochs; the decay is meant per update.",
            ),
            Mistake(
                form.format(decay, f"(step * {PER_EPOCH})"),
                f"`step` counts updates already; times {PER_EPOCH} is for a count of epochs.",
            ),
            Mistake(
                form.format(decay, "(step + 1)"),
                "off by one: the first update has step 0, and the whole peak rate.",
            ),
            Mistake(
                f"time_decay = lambda step: 1 / (1 + {decay} * step)",
                "that is the factor; the rate is 0.1 times as large.",
            ),
            Mistake(
                "def time_decay(step):\n    lr = 0.1\n    for t in range(step + 1):\n"
                f"        lr = lr / (1 + {decay} * t)\n    return lr",
                "it divides the rate that was divided already, and so compounds: divide the peak rate, once.",
            ),
            Mistake(
                f"lr = 0.1\ndef time_decay(step):\n    global lr\n    lr = lr / (1 + {decay} * "
                "step)\n    return lr",
                "asked twice for the same step, your function gives two rates: it divides a rate that was "
                "divided already. Start from the peak rate in every call.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="Only the batch size was changed")
def batch_size(draw: Draw) -> Task:
    batch = draw("batch", 64, [32, 256, 512])
    updates = {size: 100 * math.ceil(50_000 / size) for size in (128, batch)}
    updates["other way"] = 100 * math.ceil(50_000 / (128 * 128 // batch))
    end = {name: 0.1 * TimeDecay(decay=0.001)(n - 1) for name, n in updates.items()}
    return Task(
        answer="my_lr",
        prompt=f"""
            The survey's run once more: $0.1 / (1 + 0.001\\,t)$ with $t$ in updates, 50,000 images, 100
            epochs. In batches of 128 it ends at {end[128]:.3g}. A colleague with another computer changes the
            batch size to {batch}, nothing else, and gets another curve. Which rate does the last update have
            now?
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            from math import ceil

            t = 100 * ceil(50_000 / {batch}) - 1
            my_lr = 0.1 / (1 + 0.001 * t)
        """,
        reveal=f"""
            it ends at {end[batch]:.3g}. A batch size of {batch} makes {updates[batch]:,} updates of it
            instead of {updates[128]:,}, and the schedule counts updates: the batch size is hidden inside.
        """,
        judge=Number(expected=end[batch], rel=CLOSE),
        mistakes=[
            Mistake(
                f"my_lr = {end[128]!r}",
                "that is the old end: the number of updates in an epoch depends on the batch size.",
            ),
            Mistake(
                f"my_lr = {end['other way']!r}",
                "the wrong way round: smaller batches make more updates of an epoch, larger ones fewer.",
            ),
            Mistake(
                "my_lr = 0.1 / (1 + 0.001 * 99)",
                "that counts epochs; then the batch size would not matter, and the colleague's "
                "curve would agree.",
            ),
            Mistake(f"my_lr = 10 * {end[batch]!r}", "that is the factor; multiply it by the peak rate, 0.1."),
            Mistake(
                f"my_lr = {end[128]!r} * {batch} / 128",
                "nearly: t is in proportion to 1 / batch size, but the 1 below the line is not. "
                "Put the new t in.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="The rate that vanished")
def compounding(draw: Draw) -> Task:
    decay, epochs = draw("run", (0.01, 100), [(0.02, 50), (0.02, 100), (0.05, 40), (0.01, 80)])
    log10 = -1 - math.fsum(math.log10(1 + decay * epoch) for epoch in range(epochs))
    plain = 0.1 / (1 + decay * (epochs - 1))
    return Task(
        answer="my_lr",
        prompt=f"""
            This loop was meant to end near {plain:.3f}, and the network stopped learning early:

            ```python
            lr = 0.1
            for epoch in range({epochs}):
                lr = lr / (1 + {decay:g} * epoch)
                train_one_epoch(lr)
            ```

            Which rate does its last epoch really have? The power of ten is what matters.
        """,
        starter="my_lr = None  # a number",
        solution=f"""
            my_lr = 0.1
            for epoch in range({epochs}):
                my_lr /= 1 + {decay:g} * epoch
        """,
        reveal=f"""
            it ends near {10**log10:.0e}. Each pass divides the rate that was divided already, so the falls
            multiply. The formula divides the *peak* rate: `lr = 0.1 / (1 + {decay:g} * epoch)`.
        """,
        judge=Number(expected=10**log10, rel=0.5),
        mistakes=[
            Mistake(
                f"my_lr = {plain!r}",
                "that is what was meant; look at which `lr` stands on the right-hand side.",
            ),
            Mistake(
                f"my_lr = 0.1 / (1 + {decay}) ** {epochs}",
                "it does compound, but `epoch` grows: the later divisions are much larger than the first.",
            ),
            Mistake(f"my_lr = 10 * {10**log10!r}", "that is the factor; the loop starts at 0.1."),
            Mistake(
                "my_lr = 0.0",
                "very small, but not zero: a float reaches down to about 1e-308. Multiply the divisions.",
            ),
        ],
    )
