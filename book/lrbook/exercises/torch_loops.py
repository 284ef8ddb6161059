"""PyTorch loops with one fault each, in the chapters on linear, time-based and cosine decay.

A loop is judged by deed: it gets an optimizer, and each of its updates is noted with the rate that stands in
`optimizer.param_groups` at that moment.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lrbook.exercises.rates import Rates, Run
from lrbook.exercises.task import Draw, Mistake, Task, exercise, given

PEAK = 0.1


def watched(peak_lr: float = PEAK) -> tuple[Any, list[float]]:
    """Return an SGD optimizer of one weight, and the list to which it adds the rate of each update.

    >>> optimizer, rates = watched(0.5)
    >>> optimizer.step()
    >>> rates
    [0.5]
    """
    import torch  # here, since the exercises of the other chapters need no torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak_lr)
    rates: list[float] = []
    optimizer.register_step_pre_hook(lambda own, *_: rates.append(float(own.param_groups[0]["lr"])))
    return optimizer, rates


@dataclass(frozen=True, kw_only=True)
class TorchLoop(Rates):
    """Judges a loop by the rates of its optimizer's updates.

    Attributes
    ----------
    names : tuple of str
        What the numbers of a run count, in the order in which the loop takes them after the optimizer.
    factor : callable
        ``factor(step, *run)`` is the right factor of an update.
    before : callable
        Makes what stands between the optimizer and the numbers, from a run; for a resumed run it is what was
        saved.
    first : callable
        Which update is the loop's first; 0, or where a run is resumed.
    """

    names: tuple[str, ...]
    factor: Callable[..., float]
    before: Callable[[Run], tuple] = lambda run: ()
    first: Callable[[Run], int] = lambda run: 0

    def ask(self, answer: str) -> str:
        return (
            f"Mend the function `{answer}`. It is called with an optimizer at rate {PEAK:g}, and at each "
            '`optimizer.step()` the rate is read from `optimizer.param_groups[0]["lr"]`.'
        )

    def named(self, run: Run) -> str:
        return " of ".join(f"{many} {name}" for many, name in zip(run, self.names, strict=True))

    def counted(self, many: int) -> str:
        return f"your loop makes {many}"

    def rates(self, answer: Callable, run: Run) -> list[float]:
        optimizer, rates = watched()
        try:
            with warnings.catch_warnings():  # torch says in a warning what the exercise asks
                warnings.simplefilter("ignore")
                answer(optimizer, *self.before(run), *run)
        except (Exception, SystemExit) as error:
            raise given(f"with {self.named(run)}, your loop", error) from None
        return rates

    def expected(self, run: Run) -> list[float]:
        return [PEAK * self.factor(step, *run) for step in range(self.first(run), math.prod(run))]


LAMBDA = "from torch.optim.lr_scheduler import LambdaLR\n\n\n"
SCHEDULERS = "from torch.optim import lr_scheduler\n\n\n"


@exercise(chapter="time_based", kind="diagnosis", level="easy", title="Stepped once an epoch")
def torch_unit(draw: Draw) -> Task:
    head = (
        LAMBDA + "def loop(optimizer, epochs, per_epoch):\n"
        "    plan = LambdaLR(optimizer, lambda t: 1 / (1 + {decay} * {t}))\n"
        "    for _ in range(epochs):\n        for _ in range(per_epoch):\n"
    )
    inner, outer = "            {}\n", "        {}\n"
    step, advance = "optimizer.step()", "plan.step()"
    starter = head.format(decay="0.001", t="t") + inner.format(step) + outer.format(advance)
    right = head.format(decay="0.001", t="t") + inner.format(step) + inner.format(advance)
    return Task(
        answer="loop",
        prompt="""
            The decay of 0.001 was meant *per update*, as in the survey's source. With 100 epochs of 391
            updates the rate should end 40 times below its start. In this loop it ends at 0.091. Find the
            fault, and mend it. (`optimizer.step()` stands for forward, backward and the update.)
        """,
        starter=starter,
        solution=right,
        reveal="""
            `plan.step()` is what counts $t$. Called after every update it counts updates; called once per
            epoch it counts epochs, and the same formula is another schedule.
        """,
        judge=TorchLoop(
            runs=((3, 5), (4, 1), (2, 40)),
            names=("epochs", "updates"),
            wanted="a decay of 0.001 per update",
            factor=lambda step, *_: 1 / (1 + 0.001 * step),
        ),
        mistakes=[
            Mistake(
                starter.replace("plan", "scheduler"),
                "the scheduler still counts epochs: it steps once for all updates of an epoch.",
            ),
            Mistake(
                head.format(decay="0.001", t="per_epoch * t") + inner.format(step) + outer.format(advance),
                "the epochs begin at the right rates now, but within an epoch the rate stands still; every "
                "update is to have its own.",
            ),
            Mistake(
                head.format(decay="0.001", t="t") + inner.format(advance) + inner.format(step),
                "off by one: the first update is to have $t = 0$ and the whole peak; update first.",
            ),
            Mistake(
                right + outer.format(advance),
                "it steps once too often: after every update, and once more after every epoch.",
            ),
        ],
    )


@exercise(chapter="linear", kind="diagnosis", level="easy", title="Which step comes first?")
def torch_order(draw: Draw) -> Task:
    loop = LAMBDA + (
        "def loop(optimizer, updates):\n    plan = LambdaLR(optimizer, lambda t: {})\n"
        "    for _ in range(updates):\n        {}\n        {}\n"
    )
    factor, step, advance = "1 - t / updates", "optimizer.step()", "plan.step()"
    starter = loop.format(factor, advance, step)
    return Task(
        answer="loop",
        prompt="""
            Linear decay by PyTorch's `LambdaLR`. The first update should get the whole peak rate, and the
            last one should still move. Here the first gets less, and the last gets 0. Find the fault, and
            mend it. (`optimizer.step()` stands for forward, backward and the update.)
        """,
        starter=starter,
        solution=loop.format(factor, step, advance),
        reveal="""
            first the optimizer, then the scheduler. `LambdaLR` sets the rate of update 0 when it is made, so
            that a step before the first update throws it away. PyTorch warns of this order, once.
        """,
        judge=TorchLoop(
            runs=((4,), (1,), (10,)), names=("updates",), factor=lambda step, total: 1 - step / total
        ),
        mistakes=[
            Mistake(
                starter.replace("plan", "scheduler"),
                "the scheduler still steps before the update, and so the whole peak is never used.",
            ),
            Mistake(
                loop.format("1 - t / (updates + 1)", advance, step),
                "the last update moves now, but the first one still gets less than the peak: the order is "
                "wrong, not the horizon.",
            ),
            Mistake(
                loop.format("1 - t / max(1, updates - 1)", step, advance),
                "off by one: the last update, $t = T - 1$, gets 0 and does nothing. The horizon is $T$.",
            ),
            Mistake(
                loop.format(factor, step, "pass"),
                "without the scheduler's step the rate stays at its peak.",
            ),
        ],
    )


def _saved(run: Run) -> tuple[dict]:
    """Return what a loop of linear decay would have saved after the first part of a run."""
    from torch.optim.lr_scheduler import LambdaLR

    done, rest = run
    optimizer, _ = watched()
    plan = LambdaLR(optimizer, lambda t: 1 - t / (done + rest))
    for _ in range(done):
        optimizer.step()
        plan.step()
    return ({"optimizer": optimizer.state_dict(), "plan": plan.state_dict()},)


@dataclass(frozen=True, kw_only=True)
class Resumed(TorchLoop):
    """Judges a loop that goes on after `done` updates, for `rest` more."""

    def named(self, run: Run) -> str:
        return f"{run[1]} updates after the first {run[0]}"

    def expected(self, run: Run) -> list[float]:
        done, rest = run
        return [PEAK * self.factor(step, done + rest) for step in range(done, done + rest)]


@exercise(chapter="linear", kind="diagnosis", level="medium", title="After the power cut")
def torch_resume(draw: Draw) -> Task:
    head = SCHEDULERS + (
        "def resume(optimizer, saved, done, rest):\n    total = done + rest\n"
        "    plan = lr_scheduler.LambdaLR(optimizer, lambda t: 1 - t / {})\n"
    )
    old, count = (
        '    optimizer.load_state_dict(saved["optimizer"])\n',
        '    plan.load_state_dict(saved["plan"])\n',
    )
    loop = "    for _ in range(rest):\n        optimizer.step()\n        plan.step()\n"
    starter = head.format("total") + old + loop
    return Task(
        answer="resume",
        prompt="""
            A run of `done + rest` updates was cut after `done` of them, and `saved` holds two states, under
            `"optimizer"` and `"plan"` (the scheduler's). This function goes on. Its first update has the
            right rate, the second jumps up to nearly the peak. Find what is missing, and mend it.
        """,
        starter=starter,
        solution=head.format("total") + old + count + loop,
        reveal="""
            the scheduler has a state too: how many updates are done. Without it the count starts again at 0.
            The first update looks right only because the rate came with the optimizer's state.
        """,
        judge=Resumed(
            runs=((6, 4), (1, 5), (9, 3)),
            names=("updates", "updates"),
            factor=lambda step, total: 1 - step / total,
            before=_saved,
        ),
        mistakes=[
            Mistake(
                starter.replace("plan", "scheduler").replace('"scheduler"', '"plan"'),
                "the scheduler still begins to count at 0, although `done` updates are behind it.",
            ),
            Mistake(
                head.format("total") + count + loop,
                "the count goes on now, but the optimizer's state is not loaded, and the first update gets "
                "the whole peak.",
            ),
            Mistake(
                head.format("rest") + old + loop,
                "that plans the rest as a run of its own; it belongs to the old plan.",
            ),
            Mistake(
                head.format("total") + loop,
                "nothing of what was saved is loaded: it begins anew.",
            ),
            Mistake(
                SCHEDULERS
                + "def resume(optimizer, saved, done, rest):\n    total = done + rest\n"
                + old
                + "    plan = lr_scheduler.LambdaLR(optimizer, lambda t: 1 - t / total, last_epoch=done)\n"
                + loop,
                "off by one: `last_epoch` is the last update made, and `done` of them end at `done - 1`.",
            ),
        ],
    )


@exercise(chapter="cosine", kind="diagnosis", level="medium", title="The rate comes back up")
def torch_t_max(draw: Draw) -> Task:
    loop = (
        "from torch.optim.lr_scheduler import CosineAnnealingLR\n\n\n"
        "def loop(optimizer, epochs, per_epoch):\n    plan = CosineAnnealingLR(optimizer, T_max={})\n"
        "    for _ in range(epochs):\n        for _ in range(per_epoch):\n"
    )
    inner, outer = "            {}\n", "        {}\n"
    by_update = loop + inner.format("optimizer.step()") + inner.format("plan.step()")
    by_epoch = loop + inner.format("optimizer.step()") + outer.format("plan.step()")
    starter = by_update.format("epochs")
    return Task(
        answer="loop",
        prompt="""
            One cosine cycle over the whole run, with a rate of its own for each update. In this loop the rate
            is down at zero after a few updates, and then it climbs back up to the peak, again and again. Find
            the fault, and mend it. (`optimizer.step()` stands for forward, backward and the update.)
        """,
        starter=starter,
        solution=by_update.format("epochs * per_epoch"),
        reveal="""
            `T_max` is counted in calls of `plan.step()`, whatever they are called for. Past it,
            `CosineAnnealingLR` does not stop: the cosine goes up again, without any warning.
        """,
        judge=TorchLoop(
            runs=((3, 4), (2, 10), (5, 1)),
            names=("epochs", "updates"),
            wanted="one cosine cycle over all updates",
            factor=lambda step, epochs, each: math.cos(math.pi / 2 * step / (epochs * each)) ** 2,
        ),
        mistakes=[
            Mistake(
                starter.replace("plan", "scheduler"),
                "`T_max` still counts epochs, while the scheduler steps with every update.",
            ),
            Mistake(
                by_epoch.format("epochs"),
                "both count epochs now, and the curve has its length; but the rate stands still within an "
                "epoch, and each update is to have its own.",
            ),
            Mistake(
                by_epoch.format("epochs * per_epoch"),
                "the wrong half was changed: `T_max` counts updates now, and the scheduler steps by the "
                "epoch, so that the rate hardly falls.",
            ),
            Mistake(
                by_update.format("per_epoch"),
                "that is the length of one epoch: it reaches zero at the end of each first half of a wave.",
            ),
            Mistake(
                by_update.format("epochs * per_epoch - 1"),
                "off by one: the last update, $t = T - 1$, gets 0 and does nothing.",
            ),
        ],
    )
