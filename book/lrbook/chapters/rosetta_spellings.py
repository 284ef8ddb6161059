"""How 18 schedules are written in torch, Keras, optax, timm and transformers: the one source of the table.

A spelling is an expression. Its names: `peak` is the peak rate, 0.1; `T` the updates of the run; `opt` an
optimizer whose rate is `peak`; `S` is ``keras.optimizers.schedules`` and `jnp` is ``jax.numpy``; torch's and
timm's schedulers and `get_scheduler` of transformers are imported by name. What each gives, update by update,
stands in ``rosetta.json`` (``python tests/helpers/rosetta_runs.py`` writes it); tests compare the two.
"""

from __future__ import annotations

from lrbook.chapters.rosetta_rows import Row, Spelling

#: In the order of the table. Lightning runs torch's object, and so has torch's spelling.
FRAMEWORKS = ("torch", "keras", "optax", "timm", "transformers", "lightning")
PEAK, LENGTHS, BEYOND = 0.1, (100, 103), 6

_S, _STEPS = Spelling, "t_in_epochs=False"

ROWS = {
    "constant": Row(
        "constant",
        "Constant()",
        {
            "torch": _S("ConstantLR(opt, factor=1.0)", note="factor is 1/3 by default"),
            "keras": _S("peak"),
            "optax": _S("optax.constant_schedule(peak)"),
            "timm": _S(f"StepLRScheduler(opt, decay_t=1, decay_rate=1.0, {_STEPS})"),
            "transformers": _S("get_scheduler('constant', opt)"),
        },
    ),
    "time": Row(
        "time-based decay",
        "TimeDecay(decay=0.01)",
        {
            "torch": _S("LambdaLR(opt, lambda t: 1 / (1 + 0.01 * t))", own=True),
            "keras": _S("S.InverseTimeDecay(peak, decay_steps=1, decay_rate=0.01)"),
            "optax": _S("lambda t: peak / (1 + 0.01 * t)", own=True),
            "timm": _S(
                "WSDLRScheduler(opt, t_initial=T + 1, decay_t=1, stable_fn='power', stable_power=1.0, "
                f"stable_timescale=1 / 0.01, {_STEPS})",
                note="a stable phase of power 1",
            ),
        },
    ),
    "drop": Row(
        "drop-based decay",
        "DropDecay(drop_factor=0.25, drop_steps=15)",
        {
            "torch": _S("StepLR(opt, step_size=15, gamma=0.25)"),
            "keras": _S("S.ExponentialDecay(peak, decay_steps=15, decay_rate=0.25, staircase=True)"),
            "optax": _S(
                "optax.exponential_decay(peak, transition_steps=15, decay_rate=0.25, staircase=True)"
            ),
            "timm": _S(f"StepLRScheduler(opt, decay_t=15, decay_rate=0.25, {_STEPS})"),
        },
    ),
    "linear": Row(
        "linear decay",
        "LinearDecay(total_steps=T)",
        {
            "torch": _S("LinearLR(opt, start_factor=1.0, end_factor=0.0, total_iters=T)"),
            "keras": _S(
                "S.PolynomialDecay(peak, decay_steps=T, end_learning_rate=0.0)",
                note="end_learning_rate is 0.0001 by default",
            ),
            "optax": _S("optax.linear_schedule(peak, 0.0, transition_steps=T)"),
            "timm": _S(
                f"PolyLRScheduler(opt, t_initial=T, power=1.0, {_STEPS})", note="power is 0.5 by default"
            ),
            "transformers": _S("get_scheduler('linear', opt, 0, T)"),
        },
    ),
    "poly5": Row(
        "polynomial decay, power 5",
        "PolynomialDecay(total_steps=T, power=5)",
        {
            "torch": _S("PolynomialLR(opt, total_iters=T, power=5)", note="total_iters is 5 by default"),
            "keras": _S("S.PolynomialDecay(peak, decay_steps=T, end_learning_rate=0.0, power=5.0)"),
            "optax": _S("optax.polynomial_schedule(peak, 0.0, power=5, transition_steps=T)"),
            "timm": _S(f"PolyLRScheduler(opt, t_initial=T, power=5.0, {_STEPS})"),
            "transformers": _S(
                "get_scheduler('polynomial', opt, 0, T, {'lr_end': 0.0, 'power': 5.0})",
                note="lr_end is 1e-07 by default",
            ),
        },
    ),
    "triangle": Row(
        "triangle: warm-up 10, line to zero",
        "Triangle(total_steps=T, warmup_steps=10)",
        {
            "torch": _S(
                "SequentialLR(opt, [LinearLR(opt, 1e-10, 1.0, 10), LinearLR(opt, 1.0, 0.0, T - 10)], [10])",
                note="a start_factor of 0 is refused",
            ),
            "optax": _S(
                "optax.join_schedules([optax.linear_schedule(0.0, peak, 10), "
                "optax.linear_schedule(peak, 0.0, T - 10)], [10])"
            ),
            "timm": _S(
                "PolyLRScheduler(opt, t_initial=T - 10, power=1.0, warmup_t=10, warmup_prefix=True, "
                f"{_STEPS})",
                note="t_initial without the warm-up",
            ),
            "transformers": _S("get_scheduler('linear', opt, 10, T)"),
        },
    ),
    "cosine": Row(
        "cosine annealing",
        "CosineAnnealing(total_steps=T)",
        {
            "torch": _S("CosineAnnealingLR(opt, T_max=T)"),
            "keras": _S("S.CosineDecay(peak, decay_steps=T)"),
            "optax": _S("optax.cosine_decay_schedule(peak, decay_steps=T)"),
            "timm": _S(f"CosineLRScheduler(opt, t_initial=T, {_STEPS})"),
            "transformers": _S("get_scheduler('cosine', opt, 0, T)"),
        },
    ),
    "cosine5": Row(
        "cosine annealing, 5 cycles",
        "CosineAnnealing(total_steps=T, cycles=5)",
        {
            "torch": _S("CosineAnnealingWarmRestarts(opt, T_0=-(-T // 5))"),
            "keras": _S("S.CosineDecayRestarts(peak, first_decay_steps=-(-T // 5), t_mul=1.0)"),
            "optax": _S(
                "optax.join_schedules([optax.cosine_decay_schedule(peak, -(-T // 5))] * 5, "
                "[k * -(-T // 5) for k in range(1, 5)])"
            ),
            "timm": _S(
                f"CosineLRScheduler(opt, t_initial=-(-T // 5), cycle_limit=5, {_STEPS})",
                note="cycle_limit is 1 by default",
            ),
            "transformers": _S(
                "get_scheduler('cosine_with_restarts', opt, 0, 5 * -(-T // 5), {'num_cycles': 5})"
            ),
        },
    ),
    "milestones": Row(
        "drops at given updates",
        "MilestoneDecay(milestones=tuple(range(10, T, 15)), drop_factor=0.25)",
        {
            "torch": _S("MultiStepLR(opt, milestones=range(10, T, 15), gamma=0.25)"),
            "keras": _S(
                "S.PiecewiseConstantDecay([b - 1 for b in range(10, T, 15)], "
                "[peak * 0.25**k for k in range(1 + len(range(10, T, 15)))])",
                note="a boundary belongs to the piece before it",
            ),
            "optax": _S("optax.piecewise_constant_schedule(peak, {b: 0.25 for b in range(10, T, 15)})"),
            "timm": _S(
                "MultiStepLRScheduler(opt, decay_t=[b + 1 for b in range(10, T, 15)], decay_rate=0.25, "
                f"{_STEPS})",
                note="milestone m acts at update m - 1",
            ),
        },
    ),
    "exponential": Row(
        "exponential decay to 1/100",
        "ExponentialDecay(decay_rate=0.01, decay_steps=T)",
        {
            "torch": _S("ExponentialLR(opt, gamma=0.01 ** (1 / T))"),
            "keras": _S("S.ExponentialDecay(peak, decay_steps=T, decay_rate=0.01)"),
            "optax": _S("optax.exponential_decay(peak, transition_steps=T, decay_rate=0.01)"),
            "timm": _S(f"StepLRScheduler(opt, decay_t=1, decay_rate=0.01 ** (1 / T), {_STEPS})"),
        },
    ),
    "warm_cosine": Row(
        "warm-up 10, then a cosine",
        "with_warmup(CosineAnnealing(total_steps=T - 10), 10)",
        {
            "torch": _S(
                "SequentialLR(opt, [LinearLR(opt, 1e-10, 1.0, 10), CosineAnnealingLR(opt, T - 10)], [10])"
            ),
            "keras": _S(
                "S.CosineDecay(0.0, decay_steps=T - 10, warmup_target=peak, warmup_steps=10)",
                note="decay_steps without the warm-up; 0.0, never 0",
            ),
            "optax": _S(
                "optax.warmup_cosine_decay_schedule(0.0, peak, warmup_steps=10, decay_steps=T)",
                note="decay_steps with the warm-up",
            ),
            "timm": _S(
                f"CosineLRScheduler(opt, t_initial=T - 10, warmup_t=10, warmup_prefix=True, {_STEPS})",
                note="t_initial without the warm-up",
            ),
            "transformers": _S("get_scheduler('cosine', opt, 10, T)"),
        },
    ),
    "noam": Row(
        "warm-up 10, then inverse square root",
        "InverseSqrt(warmup_steps=10)",
        {
            "torch": _S("LambdaLR(opt, lambda t: min((t + 1) / 10, (10 / (t + 1)) ** 0.5))", own=True),
            "optax": _S("lambda t: peak * jnp.minimum((t + 1) / 10, (10 / (t + 1)) ** 0.5)", own=True),
            "timm": _S(
                f"WSDLRScheduler(opt, t_initial=T + 1, decay_t=1, stable_fn='rsqrt', warmup_t=10, {_STEPS})",
                note="counts from 0, the paper from 1",
            ),
            "transformers": _S(
                "get_scheduler('inverse_sqrt', opt, 10)", note="counts from 0, the paper from 1"
            ),
        },
    ),
    "1cycle": Row(
        "1cycle, two halves of a cosine",
        "OneCycle(total_steps=T, warmup_steps=round(0.3 * T))",
        {
            "torch": _S(
                "OneCycleLR(opt, max_lr=peak, total_steps=T + 1, pct_start=(round(0.3 * T) + 1) / (T + 1))",
                note="with total_steps=T peak and end come one update early",
            ),
            "optax": _S("optax.cosine_onecycle_schedule(T, peak)", note="the peak is at int(0.3 * T)"),
        },
    ),
    "sgdr": Row(
        "SGDR: cycles of 10, 20, 40, ...",
        "WarmRestarts(cycle_steps=10, growth=2)",
        {
            "torch": _S("CosineAnnealingWarmRestarts(opt, T_0=10, T_mult=2)"),
            "keras": _S("S.CosineDecayRestarts(peak, first_decay_steps=10, t_mul=2.0)"),
            "optax": _S(
                "optax.sgdr_schedule([dict(init_value=peak, peak_value=peak, warmup_steps=0, "
                "decay_steps=10 * 2**k) for k in range(4)])",
                note="every cycle is named",
            ),
            "timm": _S(f"CosineLRScheduler(opt, t_initial=10, cycle_mul=2.0, cycle_limit=99, {_STEPS})"),
        },
    ),
    "clr": Row(
        "cyclic triangles, 20 up and 20 down",
        "CyclicTriangle(half_cycle_steps=20, low=0.1)",
        {
            "torch": _S(
                "CyclicLR(opt, base_lr=peak / 10, max_lr=peak, step_size_up=20, cycle_momentum=False)"
            ),
            "optax": _S(
                "optax.piecewise_interpolate_schedule('linear', peak / 10, "
                "{20 * k: 10.0 if k % 2 else 0.1 for k in range(1, 8)})",
                note="the scales multiply",
            ),
        },
    ),
    "wsd": Row(
        "warm-up 10, hold, line to zero over 20",
        "join([(with_warmup(Constant(), 10), T - 20), (LinearDecay(total_steps=20), 20)])",
        {
            "torch": _S(
                "SequentialLR(opt, [LinearLR(opt, 1e-10, 1.0, 10), ConstantLR(opt, 1.0), "
                "LinearLR(opt, 1.0, 0.0, 20)], [10, T - 20])"
            ),
            "optax": _S(
                "optax.join_schedules([optax.linear_schedule(0.0, peak, 10), optax.constant_schedule(peak), "
                "optax.linear_schedule(peak, 0.0, 20)], [10, T - 20])"
            ),
            "timm": _S(
                f"WSDLRScheduler(opt, t_initial=T - 10, decay_t=20, warmup_t=10, decay_fn='linear', {_STEPS})"
            ),
            "transformers": _S(
                "get_scheduler('warmup_stable_decay', opt, 10, T, "
                "{'num_decay_steps': 20, 'decay_type': 'linear'})",
                note="decay_type is 'cosine' by default",
            ),
        },
    ),
    "wsd_sqrt": Row(
        "warm-up 10, hold, 1 - sqrt over 20",
        "join([(with_warmup(Constant(), 10), T - 20), (OneMinusSqrt(total_steps=20), 20)])",
        {
            "torch": _S(
                "SequentialLR(opt, [LinearLR(opt, 1e-10, 1.0, 10), ConstantLR(opt, 1.0), "
                "LambdaLR(opt, lambda t: max(0.0, 1 - (t / 20) ** 0.5))], [10, T - 20])",
                own=True,
            ),
            "optax": _S(
                "optax.join_schedules([optax.linear_schedule(0.0, peak, 10), optax.constant_schedule(peak), "
                "lambda t: peak * (1 - jnp.sqrt(jnp.clip(t / 20, 0, 1)))], [10, T - 20])",
                own=True,
                note="every part is called at every count, negative ones too",
            ),
            "timm": _S(f"WSDLRScheduler(opt, t_initial=T - 10, decay_t=20, warmup_t=10, {_STEPS})"),
            "transformers": _S(
                "get_scheduler('warmup_stable_decay', opt, 10, T, "
                "{'num_decay_steps': 20, 'decay_type': '1-sqrt'})"
            ),
        },
    ),
    "rex": Row(
        "REX",
        "Rex(total_steps=T)",
        {
            "torch": _S("LambdaLR(opt, lambda t: max(0.0, (1 - t / T) / (1 - t / T / 2)))", own=True),
            "optax": _S("lambda t: peak * jnp.maximum(0.0, (1 - t / T) / (1 - t / T / 2))", own=True),
            "timm": _S(
                "WSDLRScheduler(opt, t_initial=T, decay_t=T, decay_fn=lambda z: (1 - z) / (1 - z / 2), "
                f"{_STEPS})",
                own=True,
            ),
        },
    ),
}
