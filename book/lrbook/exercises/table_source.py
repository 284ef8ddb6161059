"""Exercises of the chapter "Where the table comes from": a loss taken apart, a digit, a network counted."""

from __future__ import annotations

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "table_source"


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="What is left of the loss")
def without_penalty(draw: Draw) -> Task:
    printed, decay, squares = draw(
        "loss",
        (0.182, 5e-4, 310),
        [(0.2, 5e-4, 350), (0.15, 1e-3, 120), (0.13, 2e-4, 500), (0.24, 1e-3, 190)],
    )
    rest = printed - decay * squares
    return Task(
        answer="my_loss",
        prompt=f"""
            Keras prints a training loss of {printed:g}. Each layer adds its L2 penalty, $\\lambda \\|w\\|^2$
            with $\\lambda$ = {decay:g}, and over all layers $\\|w\\|^2$ is {squares}. How large is the
            cross-entropy?
        """,
        starter="my_loss = None  # a number",
        solution=f"my_loss = {printed:g} - {decay:g} * {squares}",
        reveal=f"""
            {decay * squares:.3g} of {printed:g} is penalty, and {rest:.3g} is left. On images that it has
            learned by heart, a network's printed loss says more of its weights than of its mistakes.
        """,
        judge=Number(expected=rest),
        mistakes=[
            Mistake(
                f"my_loss = {printed:g} - {decay:g} * {squares} / 2",
                "torch's weight decay is the gradient of half of that; Keras's l2 has no half.",
            ),
            Mistake(
                f"my_loss = {printed:g}",
                "that is what is printed, and the penalty is in it.",
            ),
            Mistake(
                f"my_loss = {printed:g} + {decay:g} * {squares}",
                "the printed loss has the penalty in it already: take it away.",
            ),
            Mistake(
                f"my_loss = {decay:g} * {squares}",
                "that is the penalty; what is left of the printed loss without it?",
            ),
            Mistake(
                f"my_loss = {printed:g} - {decay:g} * {squares} ** 0.5",
                "the penalty takes the sum of the squares, and not its root.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="0.86 or 0.87?")
def one_digit(draw: Draw) -> Task:
    parts = choice(
        draw,
        3,
        (
            "another epoch was printed",
            "then other digits would differ too; 0.8651 is the last epoch of the log, and 0.87 its report.",
        ),
        (
            "the training accuracy was printed",
            "on the training images this network is right every time: that column says 1.0000.",
        ),
        (
            "it is the sampling error of 10,000 images",
            "one run has one accuracy on its test images; sampling is about other images.",
        ),
        ("the last digits were cut off, and not rounded", ""),
    )
    return Task(
        prompt="""
            For power 5 the source's log ends at a test accuracy of 0.8651, and its report prints 0.87. The
            survey's table has 0.86. What is the simplest explanation?
        """,
        reveal="""
            0.8651 rounds to 0.87; cut after two digits it is 0.86. Half a point hangs on it, as much as lies
            between the best schedules of the table. Two more digits would have cost nothing.
        """,
        **parts,
    )


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Count a layer")
def count_layer(draw: Draw) -> Task:
    each, bias, norm = draw(
        "layer",
        (2, "without bias", "the batch norm after it"),
        [
            (3, "with a bias", "the batch norm after it"),
            (1, "without bias", "a batch norm after it that has a scale and no shift"),
        ],
    )
    return Task(
        answer="trained",
        prompt=f"""
            A layer is a convolution {bias}, from `inputs` to `outputs` channels with a kernel of `k` by `k`,
            and {norm}. How many numbers does training change in it?
        """,
        starter="""
            def trained(inputs, outputs, k):
                return None  # a count
        """,
        solution=f"""
            def trained(inputs, outputs, k):
                w = inputs * outputs * k * k
                return w + {each} * outputs
        """,
        reveal=f"""
            a kernel for each pair of channels, and {each} more for each output. Batch norm's running mean and
            variance are stored, but no gradient changes them. Add up such layers, and a table's "ResNet"
            shows which one it is.
        """,
        judge=Function(
            expected=lambda inputs, outputs, k: inputs * outputs * k * k + each * outputs,
            probes=[(3, 64, 3), (64, 128, 3), (64, 256, 1), (128, 64, 5)],
            unit="inputs",
        ),
        mistakes=[
            Mistake(
                f"def trained(i, o, k):\n    return i * o * k * k + ({each} + 2) * o",
                "the running mean and variance are in it; they are measured, and not trained.",
            ),
            Mistake(
                "def trained(i, o, k):\n    return i * o * k * k",
                "those are the kernels; batch norm trains numbers too, for each output channel.",
            ),
            Mistake(
                f"def trained(i, o, k):\n    return i * o * k + {each} * o",
                "a kernel has k rows and k columns.",
            ),
            Mistake(
                f"def trained(i, o, k):\n    return i * o * k * k + ({each} + 1) * o",
                "one too many for each output: read again which of bias, scale and shift this layer has.",
            ),
            Mistake(
                f"def trained(i, o, k):\n    return i * o * k * k + {each} * i",
                "what comes after the convolution goes by its output channels.",
            ),
        ],
    )
