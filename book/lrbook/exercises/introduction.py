"""Exercises of the chapter "Introduction": the edge of stability, and momentum."""

from __future__ import annotations

from lrbook.exercises.judges import Number
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "introduction"


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Where the edge is")
def edge(draw: Draw) -> Task:
    steep, flat = draw("steep", 4, [3, 5, 6, 8]), 0.1
    low, high = 0.0, 100.0
    while high - low > 1e-12 * high:  # the largest rate whose updates do not grow, by halving
        middle = (low + high) / 2
        low, high = (middle, high) if abs(1 - middle * steep) <= 1 else (low, middle)
    return Task(
        answer="my_edge",
        prompt=f"""
            A valley has two directions, with curvatures {steep} and {flat}. Above which fixed rate does its
            training fly apart?
        """,
        starter="my_edge = None  # a number",
        solution=f"my_edge = 2 / {steep}",
        reveal=f"""
            the steepest direction decides. An update multiplies its distance by $1 - {steep}\\eta$, which
            leaves the range from -1 to 1 at $\\eta = 2/{steep}$. The flat direction alone would
            tolerate far more.
        """,
        judge=Number(expected=low),
        mistakes=[
            Mistake(
                f"my_edge = 1 / {steep}",
                "at that rate the steep direction lands on the bottom in one update; beyond it the distance "
                "changes its sign every time, and still shrinks.",
            ),
            Mistake(
                f"my_edge = 2 / {flat}",
                "that is the edge of the flat direction; long before it, the steep one has flown apart.",
            ),
            Mistake(
                f"my_edge = 2 * {steep}",
                "upside down: the steeper the walls, the smaller the rate that they tolerate.",
            ),
            Mistake(
                f"my_edge = 2 / ({steep} + {flat})",
                "curvatures of different directions do not add up; each direction goes its own way.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="Same rate, other result")
def momentum(draw: Draw) -> Task:
    keep = draw("momentum", 0.9, [0.8, 0.75, 0.95, 0.6])
    buffer = 0.0
    for _ in range(2000):  # a slope of 1, for ever
        buffer = keep * buffer + 1.0
    return Task(
        answer="my_lr",
        prompt=f"""
            Plain SGD trains in the noisy valley at rate 1. Then momentum {keep} is switched on and the rate
            is left at 1. Nothing flies apart, since momentum moves the edge up; but the weights shake nearly
            {1 / (1 - keep):.3g} times as hard, and the loss ends as much higher. The update is now
            $b \\leftarrow {keep}\\,b + g$ and then
            $w \\leftarrow w - \\eta\\, b$. Which rate would, on a long straight slope, make the same steps as
            before?
        """,
        starter="my_lr = None  # a number",
        solution=f"my_lr = 1 * (1 - {keep})",
        reveal=f"""
            on a constant slope $b$ grows to $g/(1 - {keep})$, which is {buffer:.3g} times the gradient, and
            so the rate has to be that much smaller. This is why momentum 0.9 makes a rate of 0.1 act like 1.
        """,
        judge=Number(expected=1 / buffer),
        mistakes=[
            Mistake(
                "my_lr = 1", "that is the rate that shakes too hard: old gradients now add to the new one."
            ),
            Mistake(
                f"my_lr = {keep}",
                "momentum does not just scale the step once: the buffer sums up gradients, each a little "
                "fainter than the one after it. Add up the series.",
            ),
            Mistake(
                f"my_lr = 1 / (1 - {keep})",
                "upside down: the buffer makes the steps longer, so the rate has to be smaller.",
            ),
            Mistake(
                f"my_lr = 1 / (1 + {keep})",
                "that counts this gradient and the last one; the buffer remembers all of them.",
            ),
        ],
    )
