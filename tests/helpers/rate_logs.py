"""What other tools write down of the rate, in the eight loops of the chapter on the applied rate.

Each function returns the log of a loop with its fault, or of the same loop right and without a mishap; None
where the tool writes none. A tool shows a fault if the two logs differ.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LinearLR

from frameworks import torch_keras
from lrbook.chapters import audit as chapter
from lrbook.chapters.audit import PEAK, TRAPS, T
from lrlib import LinearDecay

EPOCHS, BATCHES = 6, 10
PLAN = LinearDecay(total_steps=T)


def warned(name: str) -> bool:
    """Whether torch warns while a faulty loop runs, each warning being shown."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        chapter.ran(TRAPS[name])
    return bool(seen)


def get_last_lr(name: str, *, right: bool) -> list | None:
    """What ``scheduler.get_last_lr()`` says after each call of ``scheduler.step()``."""
    seen: list = []

    def noted(kind: type) -> type:
        class Noted(kind):
            ready = False

            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.ready = True  # torch's constructors step once themselves

            def step(self, *args):
                super().step(*args)
                if self.ready:
                    seen.append(self.get_last_lr())

            def state_dict(self):
                return {key: value for key, value in super().state_dict().items() if key != "ready"}

        return Noted

    kinds = {kind.__name__: noted(kind) for kind in (LinearLR, LambdaLR, CosineAnnealingLR)}
    trap = TRAPS[name]._replace(overflows=0) if right else TRAPS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chapter.ran(trap, mended=right, **kinds)
    return seen or None


# Lightning


def monitor(name: str, *, right: bool) -> list | None:
    """What LearningRateMonitor(logging_interval="step") hands to a logger."""
    seen: list = []
    if name != "resume":
        _fit(seen, name, right)
        return seen
    saved = _fit(seen, name, right, batches=T // 2)
    _fit(seen, name, right, batches=T // 2, saved=saved)
    return seen


def _fit(seen: list, name: str, right: bool, *, batches: int = BATCHES, saved: Any = None) -> list[dict]:
    import lightning
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers.logger import DummyLogger

    for each in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(each).setLevel(logging.ERROR)
    kept: list = []

    class Logger(DummyLogger):
        def log_metrics(self, metrics, step=None):
            rates = {key: value for key, value in metrics.items() if key.startswith("lr-")}
            if rates:
                seen.append(rates)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
            by_hand = ("micro_batches", "order", "overflow", "last_group")
            self.automatic_optimization = name not in by_hand
            self.scaler = torch.amp.GradScaler("cpu")

        def configure_optimizers(self):
            two = name == "last_group"
            groups = [{"params": [weight]} for weight in self.weights] if two else self.parameters()
            optimizer = torch.optim.SGD(groups, lr=PEAK)
            if name in ("compounding", "last_group"):
                return optimizer
            if saved and not right:
                optimizer.load_state_dict(saved[0])
            if name == "resume":
                scheduler = LambdaLR(optimizer, lambda t: 1 - t / T)
            elif name == "epochs_as_horizon":
                scheduler = CosineAnnealingLR(optimizer, T_max=T if right else EPOCHS)
            else:
                scheduler = LinearLR(optimizer, 1, 0, total_iters=T)
            if saved and right:
                optimizer.load_state_dict(saved[0])
                scheduler.load_state_dict(saved[1])
            kept[:] = [optimizer, scheduler]
            unit = {} if name == "per_epoch" and not right else {"interval": "step"}
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, **unit}}

        def on_train_epoch_start(self):
            if name == "compounding":
                factor = 0.5 ** (self.current_epoch // 2)
                for group in self.optimizers().param_groups:
                    group["lr"] = (PEAK if right else group["lr"]) * factor

        def training_step(self, batch, number):
            loss = sum(weight.sum() for weight in self.weights) * batch[0].mean()
            if not self.automatic_optimization:
                self.by_hand(loss, number)
            return loss

        def by_hand(self, loss, number):
            optimizer, scheduler = self.optimizers(), self.lr_schedulers()
            done = self.current_epoch * BATCHES + number
            if name == "overflow":
                optimizer = optimizer.optimizer
                optimizer.zero_grad()
                self.scaler.scale(loss * (math.inf if done < 3 and not right else 1)).backward()
                self.scaler.step(optimizer)
                self.scaler.update()
                scheduler.step()
                return
            optimizer.zero_grad()
            self.manual_backward(loss)
            if name == "last_group":
                for group in optimizer.param_groups:
                    if right:
                        group["lr"] = PEAK * PLAN(done)
                group["lr"] = PEAK * PLAN(done)
                optimizer.step()
            elif name == "order":
                for each in (optimizer, scheduler) if right else (scheduler, optimizer):
                    each.step()
            elif number % 4 == 3:  # micro_batches
                optimizer.step()
                scheduler.step()
            elif not right:
                scheduler.step()

    many = 4 * T // EPOCHS if name == "micro_batches" else batches
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(many, 1)), batch_size=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lightning.Trainer(
            max_epochs=1 if name == "resume" else EPOCHS,
            accelerator="cpu",
            logger=Logger(),
            log_every_n_steps=1,
            callbacks=[LearningRateMonitor(logging_interval="step")],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(Module(), data)
    return [each.state_dict() for each in kept]


# Keras


def history(name: str, *, right: bool) -> list | None:
    """What ``fit`` of Keras returns as ``history["learning_rate"]``."""
    keras = torch_keras()
    callback, schedules = keras.callbacks.LearningRateScheduler, keras.optimizers.schedules
    rate: Any = PEAK
    callbacks: list = []
    more: dict = {}
    parts = [{"epochs": EPOCHS}]
    if name == "per_epoch":
        callbacks = [callback(lambda epoch: PEAK * PLAN(epoch * (BATCHES if right else 1)))]
    elif name == "epochs_as_horizon":
        rate = schedules.CosineDecay(PEAK, decay_steps=T if right else EPOCHS)
    elif name == "micro_batches":
        rate = schedules.PolynomialDecay(PEAK, decay_steps=T, end_learning_rate=0.0)
        more = {"gradient_accumulation_steps": 4}
    elif name == "resume":
        callbacks = [callback(lambda epoch: PEAK * (1 - epoch / EPOCHS))]
        parts = [{"epochs": 3}, {"epochs": 6, "initial_epoch": 3} if right else {"epochs": 3}]
    elif name == "compounding":
        callbacks = [callback(lambda epoch, lr: (PEAK if right else lr) * 0.5 ** (epoch // 2))]
    else:
        raise ValueError(f"{name} cannot be written in Keras")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate, **more), "mse")
    ones = np.ones((BATCHES * (4 if more else 1), 1))
    seen: list = []
    for part in parts:
        kept = model.fit(ones, ones, batch_size=1, verbose=0, callbacks=callbacks, **part).history
        seen += kept.get("learning_rate", [])
    return seen or None


# timm


def curve(name: str, *, right: bool) -> list | None:
    """The curve that timm's ``_get_lr`` gives for all updates, asked after the loop has run."""
    from timm.scheduler import CosineLRScheduler, PolyLRScheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    if name == "epochs_as_horizon":
        made = CosineLRScheduler(optimizer, t_initial=T if right else EPOCHS, t_in_epochs=False)
    else:
        made = PolyLRScheduler(optimizer, t_initial=T, power=1.0, t_in_epochs=False)
    # timm is told its count; the faults are that it is told a wrong one, or at a wrong moment
    told: dict[str, Callable[[int], int]] = {
        "per_epoch": lambda t: (t + 1) // BATCHES,
        "epochs_as_horizon": lambda t: t + 1,
        "micro_batches": lambda t: 4 * (t + 1),
        "order": lambda t: t + 1,
        "overflow": lambda t: t + 1,
        "resume": lambda t: (t + 1) % (T // 2),
    }
    if name not in told:
        return None  # there is no scheduler
    for t in range(T):
        if name == "order" and not right:
            made.step_update(told[name](t))
        optimizer.step()
        if name != "order" or right:
            made.step_update(t + 1 if right else told[name](t))
    return [made._get_lr(t) for t in range(T)]


def said(tool: Callable[..., list | None], name: str) -> str:
    """Return "shows", "hides" or "no log" of a tool and a loop."""
    faulty, right = (tool(name, right=each) for each in (False, True))
    if faulty is None and right is None:
        return "no log"
    return "hides" if faulty == right else "shows"
