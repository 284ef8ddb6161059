"""Thirty faulty loops with the real libraries, after public threads.

Each function runs a loop under `lrlib.audit.watch` and returns the log, the plan and what a reader would know
of the loop. No code is copied from the threads; the loops are written from what they describe.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.optim import SGD, Adam
from torch.optim import lr_scheduler as torch_lr

from frameworks import keras_rates, lightning_log, trainer_log, two_processes
from lrlib import CosineAnnealing, DropDecay, LinearDecay, with_warmup
from lrlib.adapters.audit import RateLog, watch

PEAK, BATCHES, EPOCHS = 0.1, 10, 6
T = BATCHES * EPOCHS


class Fault(NamedTuple):
    """A loop, its thread, the kinds of reading that must lead, some of their numbers, and what it needs."""

    thread: str
    kinds: tuple[str, ...]
    numbers: dict
    needs: tuple[str, ...]
    run: Callable


FAULTS: dict[str, Fault] = {}


def fault(thread: str, *kinds: str, needs: tuple[str, ...] = (), **numbers):
    def keep(run: Callable) -> Callable:
        FAULTS[run.__name__] = Fault(thread, kinds, numbers, needs, run)
        return run

    return keep


def weights(n: int = 1) -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.zeros(1)) for _ in range(n)]


def update(optimizer, params) -> None:
    for param in params:
        param.grad = torch.ones_like(param)
    optimizer.step()


def onecycle_plan(total: int) -> list[float]:
    """What OneCycleLR(total) was meant to do: torch's own rates, stepped right, as parts of the peak."""
    optimizer = SGD(weights(), lr=1.0)
    scheduler = torch_lr.OneCycleLR(optimizer, max_lr=1.0, total_steps=total, cycle_momentum=False)
    rates = []
    for done in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if done < total - 1:
            scheduler.step()
    return rates


@fault("pytorch/pytorch#65417", "stepped_per_epoch", every=BATCHES)
def onecycle_per_epoch():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.OneCycleLR(
        optimizer, max_lr=PEAK, epochs=EPOCHS, steps_per_epoch=BATCHES, cycle_momentum=False
    )
    with watch(optimizer, scheduler) as log:
        for _ in range(EPOCHS):
            for _ in range(BATCHES):
                update(optimizer, params)
            scheduler.step()
    return log, onecycle_plan(T), {"steps_per_epoch": BATCHES}


@fault("Lightning-AI/pytorch-lightning#5631", "stepped_per_epoch", needs=("lightning",), every=BATCHES)
def lightning_default_interval():
    def configure(module):
        optimizer = SGD(module.parameters(), lr=PEAK)
        return [optimizer], [torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=T)]

    return lightning_log(configure, EPOCHS, BATCHES), LinearDecay(total_steps=T), {"steps_per_epoch": BATCHES}


@fault("Lightning-AI/pytorch-lightning#6948", "stepped_per_epoch", needs=("lightning",), every=BATCHES)
def lightning_interval_misplaced():
    def configure(module):
        optimizer = SGD(module.parameters(), lr=PEAK)
        scheduler = torch_lr.OneCycleLR(
            optimizer, PEAK, epochs=EPOCHS, steps_per_epoch=BATCHES, cycle_momentum=False
        )
        return {"optimizer": optimizer, "lr_scheduler": scheduler, "interval": "step"}

    return lightning_log(configure, EPOCHS, BATCHES), onecycle_plan(T), {"steps_per_epoch": BATCHES}


@fault("ScrollPrize/villa#1495", "too_fast", "climbs_again", speed=BATCHES)
def epoch_horizon_per_batch():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.CosineAnnealingLR(optimizer, T_max=EPOCHS)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, CosineAnnealing(total_steps=T), {"steps_per_epoch": BATCHES}


@fault("sthalles/SimCLR#8", "horizon_long", total_steps=100, every=BATCHES)
def horizon_of_the_loader_per_epoch():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.CosineAnnealingLR(optimizer, T_max=BATCHES)
    with watch(optimizer, scheduler) as log:
        for _ in range(EPOCHS):
            for _ in range(BATCHES):
                update(optimizer, params)
            scheduler.step()
    return log, CosineAnnealing(total_steps=T), {"steps_per_epoch": BATCHES}


@fault("huggingface/accelerate#2142", "too_fast", needs=("accelerate",), speed=2)
def accelerate_two_processes():
    rates, clock = two_processes(T, PEAK)
    return RateLog.of(rates, clock), LinearDecay(total_steps=T), {"processes": 2}


@fault("huggingface/diffusers#4387", "horizon_long", needs=("accelerate", "transformers"), total_steps=4 * T)
def accelerate_accumulation():
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState
    from transformers import get_scheduler

    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=4)
    model = torch.nn.Linear(1, 1)
    optimizer = SGD(model.parameters(), lr=PEAK)
    scheduler = get_scheduler("cosine", optimizer, num_warmup_steps=0, num_training_steps=T * 4)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4 * T, 1)), batch_size=1)
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
    return log, CosineAnnealing(total_steps=T), {"accumulate": 4}


@fault("starVLA/starVLA#210", "too_fast", speed=4)
def scheduler_per_micro_batch():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=T)
    with watch(optimizer, scheduler) as log:
        for number in range(4 * T):
            if number % 4 == 3:
                update(optimizer, params)
            scheduler.step()
    return log, LinearDecay(total_steps=T), {"accumulate": 4}


@fault("vllm-project/speculators#1104", "horizon_long", total_steps=T)
def max_steps_ignored():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=T)
    with watch(optimizer, scheduler) as log:
        for _ in range(25):  # max_steps
            update(optimizer, params)
            scheduler.step()
    return log, LinearDecay(total_steps=25), {"steps_per_epoch": BATCHES}


@fault("ildoonet/pytorch-gradual-warmup-lr#8", "shift_ahead", k=1)
def scheduler_first():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=T)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            scheduler.step()
            update(optimizer, params)
    return log, LinearDecay(total_steps=T), {}


@fault("Lightning-AI/pytorch-lightning#17972", "shift_behind", needs=("lightning",), k=-1)
def lightning_warmup_after_the_step():
    def set_rate(module, optimizer):
        if module.trainer.global_step < 20:
            for group in optimizer.param_groups:
                group["lr"] = PEAK * min(1.0, (module.trainer.global_step + 1) / 20)

    def configure(module):
        return SGD(module.parameters(), lr=PEAK)

    log = lightning_log(configure, EPOCHS, BATCHES, after_step=set_rate)
    return log, lambda t: min(1.0, (math.floor(t) + 1) / 20), {}


@fault("huggingface/transformers#34754", "shift_behind", needs=("transformers",), k=-1)
def transformers_first_rate_is_zero():
    from transformers import get_scheduler

    params = weights()
    optimizer = Adam(params, lr=PEAK)
    scheduler = get_scheduler("constant_with_warmup", optimizer, num_warmup_steps=10)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, lambda t: min(1.0, (math.floor(t) + 1) / 10), {}


def _scaler_skips(*, fused: bool):
    params = weights()
    optimizer = SGD(params, lr=PEAK, fused=fused)
    scheduler = torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=T)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    scaler.scale(torch.ones(1))  # makes its state, which a backward pass would
    with watch(optimizer, scheduler) as log:
        for number in range(T):
            for param in params:
                param.grad = torch.full_like(param, math.inf if number < 3 else 1.0)
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
    return log, LinearDecay(total_steps=T), {"skipped": T - len(log)}


@fault("pytorch/pytorch#55585", "shift_ahead", k=3)
def scaler_skips():
    return _scaler_skips(fused=False)


@fault("pytorch/pytorch#55585, fused", "shift_ahead", k=3)
def scaler_skips_in_a_fused_step():
    return _scaler_skips(fused=True)


@fault("ultralytics/yolov5#292", "jump")
def rate_reset_for_an_epoch():
    def factor(epoch):
        return (1 + math.cos(epoch * math.pi / EPOCHS)) / 2 * 0.9 + 0.1

    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LambdaLR(optimizer, factor)
    with watch(optimizer) as before:
        for _ in range(3):
            for _ in range(BATCHES):
                update(optimizer, params)
            scheduler.step()
    saved = optimizer.state_dict()
    optimizer = SGD(params, lr=PEAK)
    optimizer.load_state_dict(saved)
    scheduler = torch_lr.LambdaLR(optimizer, factor)
    scheduler.last_epoch = 3 - 1  # the thread's line
    with watch(optimizer) as after:
        for _ in range(3, EPOCHS):
            for _ in range(BATCHES):
                update(optimizer, params)
            scheduler.step()
    plan = lambda t: factor(math.floor(t) // BATCHES)  # noqa: E731
    return before + after, plan, {"steps_per_epoch": BATCHES, "total_steps": T}


@fault("torch-points3d/torch-points3d#630", "restarted")
def state_before_scheduler():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LambdaLR(optimizer, LinearDecay(total_steps=T).__call__)
    with watch(optimizer) as before:
        for _ in range(30):
            update(optimizer, params)
            scheduler.step()
    state = io.BytesIO()
    torch.save(optimizer.state_dict(), state)
    state.seek(0)
    optimizer = SGD(params, lr=PEAK)
    optimizer.load_state_dict(torch.load(state))
    scheduler = torch_lr.LambdaLR(optimizer, LinearDecay(total_steps=T).__call__)
    with watch(optimizer) as after:
        for _ in range(30):
            update(optimizer, params)
            scheduler.step()
    return before + after, LinearDecay(total_steps=T), {}


@fault("nianticlabs/manydepth#46", "never_changes", rate=PEAK)
def made_anew_midway():
    params = weights()
    log = RateLog()
    for _ in range(2):
        optimizer = SGD(params, lr=PEAK)
        scheduler = torch_lr.StepLR(optimizer, step_size=3, gamma=0.1)
        with watch(optimizer) as part:
            for _ in range(3):
                for _ in range(BATCHES):
                    update(optimizer, params)
                scheduler.step()
        log = log + part
    return log, DropDecay(drop_factor=0.1, drop_steps=3 * BATCHES), {"steps_per_epoch": BATCHES}


@fault("huggingface/transformers#18070", "horizon_changed", needs=("transformers", "accelerate"))
def trainer_resumed_with_more_epochs(folder):
    before = trainer_log(folder, 3, BATCHES, PEAK)
    after = trainer_log(folder, 6, BATCHES, PEAK, resume=f"{folder}/checkpoint-{3 * BATCHES}")
    return before + after, LinearDecay(total_steps=T), {"steps_per_epoch": BATCHES}


@fault("wuzhe71/CPD#14", "compounding", every=BATCHES)
def total_factor_on_the_current_rate():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    with watch(optimizer) as log:
        for epoch in range(EPOCHS):
            for group in optimizer.param_groups:
                group["lr"] *= 0.5 ** (epoch // 2)
            for _ in range(BATCHES):
                update(optimizer, params)
    return log, DropDecay(drop_factor=0.5, drop_steps=2 * BATCHES), {"steps_per_epoch": BATCHES}


@fault("keras-team/keras#3544", "compounding", needs=("keras",), every=BATCHES)
def keras_callback_on_the_current_rate():
    def configure(keras):
        callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / (1 + 0.1 * epoch))
        return keras.optimizers.SGD(PEAK), [callback]

    log = RateLog.of(keras_rates(configure, EPOCHS, BATCHES))
    return log, lambda t: 1 / (1 + 0.1 * (math.floor(t) // BATCHES)), {"steps_per_epoch": BATCHES}


@fault("lhoyer/MIC#60", "scaled", factor=PEAK)
def lambda_returns_the_rate():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LambdaLR(optimizer, lambda t: PEAK * (1 + 0.01 * t) ** -0.75)
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, lambda t: (1 + 0.01 * t) ** -0.75, {}


@fault("yaodongyu/TRADES#11", "frozen")
def branch_never_reached():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    with watch(optimizer) as log:
        for epoch in range(EPOCHS):
            rate = PEAK
            if epoch >= 2:
                rate = PEAK * 0.1
            elif epoch >= 4:
                rate = PEAK * 0.01
            for group in optimizer.param_groups:
                group["lr"] = rate
            for _ in range(BATCHES):
                update(optimizer, params)
    return log, DropDecay(drop_factor=0.1, drop_steps=2 * BATCHES), {"steps_per_epoch": BATCHES}


@fault("open-edge-platform/physical-ai-studio#403", "frozen")
def rate_as_factor():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.LambdaLR(optimizer, lambda t: t / 10 if t < 10 else (PEAK / 1e4) ** (t // 30))
    with watch(optimizer, scheduler) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    return log, lambda t: t / 10 if t < 10 else 0.1 ** (t // 30), {}


@fault("pytorch/pytorch#91765", "climbs_again", at=T)
def onecycle_one_step_more():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = torch_lr.OneCycleLR(optimizer, PEAK, total_steps=T, cycle_momentum=False)
    with watch(optimizer, scheduler) as log:
        for done in range(T + 1):
            update(optimizer, params)
            if done < T:
                scheduler.step()
    return log, onecycle_plan(T), {}


@fault("pytorch/pytorch#78003", "frozen")
def cosine_made_again_at_zero():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    with watch(optimizer) as log:
        for _ in range(2):
            scheduler = torch_lr.CosineAnnealingLR(optimizer, T_max=30)
            for _ in range(30):
                update(optimizer, params)
                scheduler.step()
    return log, CosineAnnealing(total_steps=T, cycles=2), {}


@fault("huggingface/pytorch-image-models#1242", "layered_warmup", needs=("timm",), warmup_steps=20)
def timm_without_prefix():
    from timm.scheduler import CosineLRScheduler

    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = CosineLRScheduler(optimizer, t_initial=T, warmup_t=20, t_in_epochs=False)
    with watch(optimizer) as log:
        for done in range(T):
            update(optimizer, params)
            scheduler.step_update(done + 1)
    return log, with_warmup(CosineAnnealing(total_steps=T - 20), 20), {}


@fault("huggingface/pytorch-image-models#2125", "never_changes", needs=("timm",), rate=PEAK)
def timm_counts_epochs():
    from timm.scheduler import CosineLRScheduler

    params = weights()
    optimizer = SGD(params, lr=PEAK)
    scheduler = CosineLRScheduler(optimizer, t_initial=T)  # t_in_epochs=True by default
    with watch(optimizer) as log:
        for done in range(T):
            update(optimizer, params)
            scheduler.step_update(done + 1)
    return log, CosineAnnealing(total_steps=T), {}


@fault("pytorch/pytorch#129565", "stretch", first=0, last=9)
def restarts_wipe_out_the_warmup():
    params = weights()
    optimizer = SGD(params, lr=PEAK)
    parts = [
        torch_lr.LinearLR(optimizer, 0.1, 1.0, 10),
        torch_lr.CosineAnnealingWarmRestarts(optimizer, 30),
    ]
    scheduler = torch_lr.ChainedScheduler(parts, optimizer)
    with watch(optimizer) as log:
        for _ in range(T):
            update(optimizer, params)
            scheduler.step()
    cosine = CosineAnnealing(total_steps=T, cycles=2)
    return log, lambda t: cosine._factor(t) * min(1.0, 0.1 + 0.09 * t), {}


@fault("rasbt/LLMs-from-scratch#692", "never_changes", rate=PEAK)
def last_group_only():
    params = weights(2)
    optimizer = SGD([{"params": [param], "lr": PEAK} for param in params], lr=PEAK)
    plan = LinearDecay(total_steps=T)
    with watch(optimizer) as log:
        for t in range(T):
            for group in optimizer.param_groups:  # noqa: B007
                pass
            group["lr"] = PEAK * plan(t)
            update(optimizer, params)
    return log, plan, {}


@fault("the example in Keras's docstring of CosineDecay", "never_changes", needs=("keras",), rate=0.0)
def keras_integer_zero():
    def configure(keras):
        schedule = keras.optimizers.schedules.CosineDecay(
            0, decay_steps=T - 10, warmup_target=PEAK, warmup_steps=10
        )
        return keras.optimizers.SGD(schedule), []

    log = RateLog.of(keras_rates(configure, EPOCHS, BATCHES))
    return log, with_warmup(CosineAnnealing(total_steps=T - 10), 10), {}
