"""Loops without a fault, in six frameworks: each returns what was applied and the plan that it follows."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.optim import LBFGS, SGD, Adam, AdamW
from torch.optim import lr_scheduler as torch_lr

import lrlib
from faulty_loops import PEAK, T, onecycle_plan, update, weights
from frameworks import keras_rates, lightning_log, trainer_log
from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    join,
    with_warmup,
)
from lrlib.adapters.audit import RateLog, watch

W = 10
WARM_LINEAR = Triangle(total_steps=T, warmup_steps=W)
WARM_COSINE = with_warmup(CosineAnnealing(total_steps=T - W), W)
WSD = join([(with_warmup(Constant(), W), T - 20), (LinearDecay(total_steps=20), 20)])


class Right(NamedTuple):
    needs: tuple[str, ...]
    run: Callable  # () or (folder) -> log, plan


RIGHT: dict[str, Right] = {}


def plain(make: Callable, optimizer_class: type = SGD, **settings) -> RateLog:
    """The loop that every tutorial has: update, then scheduler."""
    params = weights()
    optimizer = optimizer_class(params, lr=PEAK, **settings)
    scheduler = make(optimizer)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log


def right(name: str, *needs: str):
    def keep(run: Callable) -> Callable:
        RIGHT[name] = Right(needs, run)
        return run

    return keep


def sequential(optimizer, first, then, at):
    return torch_lr.SequentialLR(optimizer, [first(optimizer), then(optimizer)], [at])


TORCH = {
    "ConstantLR": (Constant(), lambda o: torch_lr.ConstantLR(o, 1.0)),
    "StepLR": (DropDecay(drop_factor=0.25, drop_steps=15), lambda o: torch_lr.StepLR(o, 15, 0.25)),
    "MultiStepLR": (
        lambda t: 1.0 if t < 20 else 0.1 if t < 40 else 0.01,
        lambda o: torch_lr.MultiStepLR(o, [20, 40], 0.1),
    ),
    "ExponentialLR": (lambda t: 0.95**t, lambda o: torch_lr.ExponentialLR(o, 0.95)),
    "LinearLR": (LinearDecay(total_steps=T), lambda o: torch_lr.LinearLR(o, 1.0, 0.0, T)),
    "PolynomialLR": (PolynomialDecay(total_steps=T, power=5), lambda o: torch_lr.PolynomialLR(o, T, 5)),
    "CosineAnnealingLR": (CosineAnnealing(total_steps=T), lambda o: torch_lr.CosineAnnealingLR(o, T)),
    "CosineAnnealingWarmRestarts": (
        CosineAnnealing(total_steps=T, cycles=5),
        lambda o: torch_lr.CosineAnnealingWarmRestarts(o, T // 5),
    ),
    "LambdaLR": (TimeDecay(decay=0.01), lambda o: torch_lr.LambdaLR(o, lambda t: 1 / (1 + 0.01 * t))),
    "CyclicLR": (
        WARM_LINEAR,
        lambda o: torch_lr.CyclicLR(o, 0.0, PEAK, W, T - W, cycle_momentum=False),
    ),
    "SequentialLR": (
        with_warmup(LinearDecay(total_steps=T - W), W, start=0.1),
        lambda o: sequential(
            o,
            lambda o: torch_lr.LinearLR(o, 0.1, 1.0, W),
            lambda o: torch_lr.LinearLR(o, 1.0, 0.0, T - W),
            W,
        ),
    ),
    "ChainedScheduler": (
        lambda t: min(1.0, 0.1 + 0.09 * t) * 0.95**t,
        lambda o: torch_lr.ChainedScheduler(
            [torch_lr.LinearLR(o, 0.1, 1.0, W), torch_lr.ExponentialLR(o, 0.95)], o
        ),
    ),
    "to_torch": (WSD, lambda o: lrlib.to_torch(o, WSD)),
}
for _name, (_plan, _make) in TORCH.items():
    right(f"torch {_name}")(lambda plan=_plan, make=_make: (plain(make), plan))
for _name, _class, _settings in (
    ("Adam", Adam, {}),
    ("AdamW fused", AdamW, {"fused": True}),
    ("Adam foreach", Adam, {"foreach": True}),
):
    right(f"torch {_name}")(
        lambda kind=_class, settings=_settings: (
            plain(lambda o: lrlib.to_torch(o, WARM_COSINE), kind, **settings),
            WARM_COSINE,
        )
    )


@right("OneCycleLR, its last step left out")
def onecycle():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.OneCycleLR(optimizer, PEAK, total_steps=T, cycle_momentum=False)
    with watch(optimizer, scheduler) as log:
        for done in range(T):
            update(optimizer, params)
            if done < T - 1:
                scheduler.step()
    return log, onecycle_plan(T)


@right("the rate set by hand")
def by_hand():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    with watch(optimizer) as log:
        for t in range(T):
            for group in optimizer.param_groups:
                group["lr"] = PEAK * WARM_LINEAR(t)
            update(optimizer, params)
    return log, WARM_LINEAR


@right("a tensor as rate, written in place")
def tensor_rate():
    params = weights()
    optimizer = Adam(params, lr=torch.tensor(PEAK, dtype=torch.float64))
    plan = CosineAnnealing(total_steps=T)
    with watch(optimizer) as log:
        for t in range(T):
            optimizer.param_groups[0]["lr"].fill_(PEAK * plan(t))
            update(optimizer, params)
    return log, plan


@right("a float32 tensor as rate")
def single_tensor_rate():
    params = weights()
    optimizer = Adam(params, lr=torch.tensor(PEAK))
    plan = CosineAnnealing(total_steps=T)
    with watch(optimizer) as log:
        for t in range(T):
            optimizer.param_groups[0]["lr"].fill_(PEAK * plan(t))
            update(optimizer, params)
    return log, plan


@right("micro-batches, scheduler per update")
def accumulation():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, LinearDecay(total_steps=T))
    with watch(optimizer, scheduler) as log:
        for number in range(4 * T):
            if number % 4 == 3:
                update(optimizer, params)
                scheduler.step()
    return log, LinearDecay(total_steps=T)


@right("a closure, LBFGS")
def closure():
    params = weights()
    optimizer = LBFGS(params, lr=PEAK, max_iter=4)
    scheduler = lrlib.to_torch(optimizer, LinearDecay(total_steps=T))

    def loss():
        optimizer.zero_grad()
        value = ((params[0] - 1) ** 2).sum()
        value.backward()
        return value

    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            optimizer.step(loss)
            scheduler.step()
    return log, LinearDecay(total_steps=T)


def scaled(fused: bool):
    params = weights()
    optimizer = SGD(params, lr=PEAK, fused=fused)
    scheduler = lrlib.to_torch(optimizer, LinearDecay(total_steps=T))
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    scaler.scale(torch.ones(1))
    with watch(optimizer, scheduler) as log:
        for number in range(T + 3):
            params[0].grad = torch.full_like(params[0], float("inf") if number in (0, 1, 9) else 1.0)
            before = scaler.get_scale()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            if scaler.get_scale() >= before:
                scheduler.step()
    return log, LinearDecay(total_steps=T)


right("GradScaler, scheduler waits")(lambda: scaled(False))
right("GradScaler, fused, scheduler waits")(lambda: scaled(True))


@right("resumed from saved states")
def resumed():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, WSD)
    with watch(optimizer, scheduler) as before:
        for _ in range(25):
            update(optimizer, params)
            scheduler.step()
    file = io.BytesIO()
    torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    optimizer = SGD(params, lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, WSD)
    saved = torch.load(file)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    with watch(optimizer, scheduler) as after:
        for _ in range(25, T):
            update(optimizer, params)
            scheduler.step()
    return before + after, WSD


@right("states loaded inside the block")
def loaded_inside():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, WSD)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
            optimizer.load_state_dict(optimizer.state_dict())  # makes new groups
    return log, WSD


@right("two groups with one shape")
def two_groups():
    params = weights(2)
    optimizer = SGD([{"params": [param], "lr": PEAK} for param in params], lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, WARM_LINEAR)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, WARM_LINEAR


def timm_loop(make: Callable) -> RateLog:
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = make(optimizer)
    with watch(optimizer) as log:
        for done in range(T):
            update(optimizer, params)
            scheduler.step_update(done + 1)
    return log


@right("timm cosine with prefix", "timm")
def timm_cosine():
    from timm.scheduler import CosineLRScheduler

    make = lambda o: CosineLRScheduler(  # noqa: E731
        o, t_initial=T - W, warmup_t=W, warmup_prefix=True, t_in_epochs=False
    )
    return timm_loop(make), WARM_COSINE


@right("timm poly", "timm")
def timm_poly():
    from timm.scheduler import PolyLRScheduler

    make = lambda o: PolyLRScheduler(o, t_initial=T, power=5, t_in_epochs=False)  # noqa: E731
    return timm_loop(make), PolynomialDecay(total_steps=T, power=5)


@right("timm step", "timm")
def timm_step():
    from timm.scheduler import StepLRScheduler

    make = lambda o: StepLRScheduler(o, decay_t=15, decay_rate=0.25, t_in_epochs=False)  # noqa: E731
    return timm_loop(make), DropDecay(drop_factor=0.25, drop_steps=15)


@right("timm Lookahead", "timm")
def lookahead():
    from timm.optim import Lookahead

    params = weights()
    optimizer = Lookahead(SGD(params, lr=PEAK))
    scheduler = torch_lr.LinearLR(optimizer._base_optimizer, 1.0, 0.0, T)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, LinearDecay(total_steps=T)


TRANSFORMERS = {
    "linear": (WARM_LINEAR, {}),
    "cosine": (WARM_COSINE, {}),
    "constant_with_warmup": (with_warmup(Constant(), W), {}),
    "cosine_with_restarts": (
        with_warmup(CosineAnnealing(total_steps=T - W, cycles=5), W),
        {"num_cycles": 5},
    ),
    "polynomial": (
        with_warmup(PolynomialDecay(total_steps=T - W, power=5), W),
        {"power": 5, "lr_end": 0.0},
    ),
    "warmup_stable_decay": (WSD, {"num_decay_steps": 20, "decay_type": "linear"}),
}


def transformers_loop(name: str, options: dict) -> RateLog:
    from transformers import get_scheduler

    return plain(
        lambda o: (
            get_scheduler(
                name, o, num_warmup_steps=W, num_training_steps=T, scheduler_specific_kwargs=options
            )
            if options
            else get_scheduler(name, o, num_warmup_steps=W, num_training_steps=T)
        )
    )


for _name, (_plan, _options) in TRANSFORMERS.items():
    right(f"transformers {_name}", "transformers")(
        lambda name=_name, plan=_plan, options=_options: (transformers_loop(name, options), plan)
    )


@right("transformers Trainer", "transformers", "accelerate")
def trainer(folder):
    return trainer_log(folder, 6, 10, PEAK), LinearDecay(total_steps=T)


@right("transformers Trainer, micro-batches", "transformers", "accelerate")
def trainer_accumulating(folder):
    return trainer_log(folder, 6, 10, PEAK, accumulate=2), LinearDecay(total_steps=T)


@right("transformers Trainer, to_torch", "transformers", "accelerate")
def trainer_with_ours(folder):
    return trainer_log(folder, 6, 10, PEAK, scheduler=lambda o: lrlib.to_torch(o, WSD)), WSD


@right("Lightning, interval step", "lightning")
def lightning_step():
    def configure(module):
        optimizer = SGD(module.parameters(), lr=PEAK)
        scheduler = torch_lr.LinearLR(optimizer, 1.0, 0.0, T)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    return lightning_log(configure, 6, 10), LinearDecay(total_steps=T)


@right("Lightning, micro-batches", "lightning")
def lightning_accumulating():
    def configure(module):
        optimizer = SGD(module.parameters(), lr=PEAK)
        scheduler = lrlib.to_torch(optimizer, WARM_COSINE)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    return lightning_log(configure, 6, 20, accumulate_grad_batches=2), WARM_COSINE


@right("accelerate, micro-batches", "accelerate")
def accelerated():
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = torch.nn.Linear(1, 1)
    optimizer = SGD(model.parameters(), lr=PEAK)
    scheduler = lrlib.to_torch(optimizer, WARM_COSINE)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2 * T, 1)), batch_size=1)
    model, optimizer, scheduler, data = accelerator.prepare(model, optimizer, scheduler, data)
    with watch(optimizer, scheduler) as log:
        for (x,) in data:
            with accelerator.accumulate(model):
                accelerator.backward(model(x).sum())
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    return log, WARM_COSINE


KERAS = {
    "CosineDecay": (
        WARM_COSINE,
        lambda s: s.CosineDecay(0.0, decay_steps=T - W, warmup_target=PEAK, warmup_steps=W),
    ),
    "PolynomialDecay": (
        PolynomialDecay(total_steps=T, power=5),
        lambda s: s.PolynomialDecay(PEAK, decay_steps=T, end_learning_rate=0.0, power=5.0),
    ),
    "InverseTimeDecay": (
        TimeDecay(decay=0.01),
        lambda s: s.InverseTimeDecay(PEAK, decay_steps=1, decay_rate=0.01),
    ),
    "ExponentialDecay, staircase": (
        DropDecay(drop_factor=0.25, drop_steps=15),
        lambda s: s.ExponentialDecay(PEAK, decay_steps=15, decay_rate=0.25, staircase=True),
    ),
}


def keras_loop(make: Callable) -> RateLog:
    rates = keras_rates(lambda keras: (keras.optimizers.SGD(make(keras.optimizers.schedules)), []), 6, 10)
    return RateLog.of(rates)


for _name, (_plan, _make) in KERAS.items():
    right(f"Keras {_name}", "keras")(lambda plan=_plan, make=_make: (keras_loop(make), plan))


@right("optax linear", "optax", "jax")
def optax_linear():
    import optax

    from frameworks import optax_moved

    return RateLog.of(optax_moved(optax.linear_schedule(PEAK, 0.0, T), T)), LinearDecay(total_steps=T)
