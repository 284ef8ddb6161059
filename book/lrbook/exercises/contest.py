"""The last exercise of Part I: beat linear decay in the valley, with any schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrbook.exercises.judges import Function
from lrbook.exercises.task import Draw, Mistake, Seen, Task, exercise
from lrlib.schedules import Constant, CosineAnnealing, LinearDecay
from lrlib.theory.valley import Valley

CHAPTER = "cosine"


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Judges rates by the expected loss of the valley after `total` updates, computed exactly."""

    total: int
    target: float

    def ask(self, answer: str) -> str:
        return (
            f"Write the function `{answer}`, from the step to the rate (peak rate times factor). "
            "It is called for "
            f"steps 0 to {self.total - 1}, and has to bring a loss below {self.target:g}."
        )

    def see(self, answer: Any) -> Seen:
        return Function(expected=Constant(), probes=[(step,) for step in range(self.total)]).see(answer)

    def loss(self, seen: Seen) -> float:
        return Valley().final_loss(seen.__getitem__, steps=self.total, peak_lr=1.0)

    def allowed(self, seen: Seen) -> bool:
        return all(math.isfinite(rate) and rate >= 0 for rate in seen)

    def right(self, seen: Seen) -> bool:
        return self.allowed(seen) and self.loss(seen) < self.target

    def apart(self, seen: Seen, wrong: Seen) -> float:
        return 0.0 if np.allclose(seen, wrong, rtol=1e-3, atol=1e-9) else math.inf

    def describe(self, seen: Seen) -> str:
        if not self.allowed(seen):
            bad = next(step for step, rate in enumerate(seen) if not (math.isfinite(rate) and rate >= 0))
            return f"a rate has to be finite and not below zero, and at step {bad} it is {seen[bad]:g}."
        path = Valley().trajectory(seen.__getitem__, steps=self.total, peak_lr=1.0)
        loss, distance = path.loss[-1], path.distance[-1]
        if not math.isfinite(loss):
            return "it flies apart: the rates stay above the edge of stability for too long."
        idle = next((step for step in range(self.total) if not any(seen[step:])), self.total)
        if idle < 0.9 * self.total:
            wasted = self.total - idle
            return f"wrong horizon: rates are zero from step {idle} on, {wasted} updates wasted."
        if seen[-1] > 0.2 * max(seen):
            return (
                f"wrong horizon: the last update still has {seen[-1] / max(seen):.2g} of the peak rate, "
                "whose shaking is in the loss."
            )
        more = "distance: try larger rates" if distance > loss / 2 else "shaking: try smaller rates, late"
        return f"a loss of {loss:.5f}, not below {self.target:g}; most of it is {more}."


@exercise(chapter=CHAPTER, kind="code", level="hard", title="Beat this")
def beat(draw: Draw) -> Task:
    total = draw("total", 300, [200, 250, 350, 400])
    valley, shape = Valley(), LinearDecay(total_steps=total)
    best, fixed = valley.best_peak_lr(shape, steps=total), valley.best_peak_lr(Constant(), steps=total)
    judge = Contest(total=total, target=round(0.94 * best.loss, 4))
    restarts = CosineAnnealing(total_steps=total, cycles=5)
    again = valley.best_peak_lr(restarts, steps=total)
    shaking = valley.trajectory(Constant(), steps=total, peak_lr=fixed.peak_lr).shaking[-1]
    form = f"my_rate = lambda t: {best.peak_lr!r} * "

    def linear_over(steps: int) -> str:
        return form + f"max(0, 1 - t / {steps})"

    def described(code: str) -> Mistake:
        space: dict[str, Any] = {}
        exec(code, space)  # noqa: S102  code of this module
        return Mistake(code, judge.describe(judge.see(space["my_rate"])))

    return Task(
        answer="my_rate",
        prompt=f"""
            {total} updates in the noisy valley, from the usual start. Linear decay at its best peak rate,
            {best.peak_lr:.3f}, leaves an expected loss of {best.loss:.4f}. Beat {judge.target:.4f}: any
            schedule of {total} updates and any peak rate, as long as no rate is negative.
        """,
        starter="""
            def my_rate(step):
                return None  # a rate
        """,
        solution=f"""
            from lrlib import Valley

            T = {total}


            def shape(t):
                left = 1 - t / T
                return left / (1 + 2 * t / T)


            best = Valley().best_peak_lr(shape, steps=T)


            def my_rate(step):
                factor = shape(step)
                return best.peak_lr * factor
        """,
        reveal="""
            there is room below linear decay. In a valley with flat and steep directions it pays to start
            higher, fall early, and still end at zero. It is a model of noise against progress, not of your
            network.
        """,
        judge=judge,
        mistakes=[
            Mistake(
                linear_over(total),
                f"that is linear decay at its best, {best.loss:.4f}; try a curve that starts "
                "higher and falls early.",
            ),
            Mistake(
                f"my_rate = lambda t: {fixed.peak_lr!r}",
                f"that is the best fixed rate, {fixed.loss:.4f}; {shaking:.4f} of its loss is shaking, so "
                "let it fall.",
            ),
            Mistake(
                f"from lrlib import CosineAnnealing\ns = CosineAnnealing(total_steps={total}, cycles=5)\n"
                f"my_rate = lambda t: {again.peak_lr!r} * s(t)",
                f"five cycles leave {again.loss:.4f}: each restart shakes up what was calm. Come "
                "to rest once.",
            ),
            described(form + f"(1 - t / {total}) - 0.2 * (t % 2)"),
            described(linear_over(total // 2)),
            described(linear_over(2 * total)),
            described("my_rate = lambda t: 3.0"),
        ],
    )
