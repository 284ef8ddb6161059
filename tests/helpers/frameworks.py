"""Small runs inside Lightning, transformers, accelerate, Keras and optax, whose rates are recorded.

Each framework is imported when its run is asked for. All live in the extra `rosetta`.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrlib.adapters.audit import RateLog, watch


def lightning_log(
    configure: Callable, epochs: int, batches: int, after_step: Callable | None = None, **trainer: Any
) -> RateLog:
    """Fit a module of one weight with what `configure` makes of its optimizer; return what was applied."""
    import lightning

    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logs: list[RateLog] = []

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch, number):
            return (self.weight * batch[0].mean()).sum()

        def configure_optimizers(self):
            made = configure(self)
            optimizer = made["optimizer"] if isinstance(made, dict) else made
            optimizer = optimizer[0][0] if isinstance(optimizer, tuple) else optimizer
            logs.append(watching.enter_context(watch(optimizer)))
            return made

        if after_step is not None:

            def optimizer_step(self, epoch, number, optimizer, optimizer_closure=None):
                optimizer.step(closure=optimizer_closure)
                after_step(self, optimizer)

    with ExitStack() as watching:
        lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **trainer,
        ).fit(Module(), _loader(batches))
    return logs[0]


def trainer_log(
    folder: Any,
    epochs: int,
    batches: int,
    peak_lr: float,
    *,
    resume: str | None = None,
    accumulate: int = 1,
    scheduler: Callable | None = None,
    **arguments: Any,
) -> RateLog:
    """Train one weight with transformers' Trainer; return what was applied.

    `scheduler` makes a scheduler of the optimizer; without it, the Trainer makes its own linear one.
    """
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 1)

        def forward(self, x, labels=None):
            return {"loss": self.linear(x).pow(2).mean()}

    data = [{"x": torch.ones(1), "labels": torch.zeros(1)}] * (batches * accumulate)
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=peak_lr)
    settings = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=1,
        learning_rate=peak_lr,
        lr_scheduler_type="linear",
        gradient_accumulation_steps=accumulate,
        save_strategy="epoch",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        **arguments,
    )
    made = None if scheduler is None else scheduler(optimizer)
    trainer = Trainer(model=model, args=settings, train_dataset=data, optimizers=(optimizer, made))
    trainer.remove_callback(PrinterCallback)
    with watch(optimizer) as log:
        trainer.train(resume_from_checkpoint=resume)
    return log


def two_processes(total_steps: int, peak_lr: float) -> tuple[list[float], list[int]]:
    """Train with accelerate on two processes with a prepared linear scheduler; return rates and counts."""
    script = Path(__file__).with_name("accelerate_two.py")
    done = subprocess.run(
        [sys.executable, str(script), str(total_steps), str(peak_lr)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    seen = json.loads(line)
    return seen["rates"], seen["clock"]


def keras_rates(configure: Callable, epochs: int, batches: int) -> list[float]:
    """Fit a Keras model; return the rate that its optimizer holds at the beginning of each update."""
    keras = torch_keras()
    seen = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(float(self.model.optimizer.learning_rate))

    optimizer, callbacks = configure(keras)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    ones = np.ones((batches, 1))
    model.fit(ones, ones, batch_size=1, epochs=epochs, verbose=0, callbacks=[*callbacks, Record()])
    return seen


def torch_keras() -> Any:
    """Return Keras with torch as its backend."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    if keras.backend.backend() != "torch":
        raise RuntimeError(f"the tests need Keras on torch, and KERAS_BACKEND is {keras.backend.backend()}")
    return keras


def keras_moved(schedule: Any, steps: int) -> list[float]:
    """Return how far a Keras optimizer with this schedule moves a weight at each update, gradient -1."""
    keras = torch_keras()
    optimizer = keras.optimizers.SGD(schedule)
    weight = keras.Variable(np.zeros(1, dtype="float32"))
    optimizer.build([weight])
    gradient = keras.ops.convert_to_tensor(-np.ones(1, dtype="float32"))
    moved = []
    for _ in range(steps):
        weight.assign(np.zeros(1, dtype="float32"))
        optimizer.apply([gradient], [weight])
        moved.append(float(keras.ops.convert_to_numpy(weight.value)[0]))
    return moved


def optax_moved(schedule: Any, steps: int) -> list[float]:
    """Return how far optax's sgd with this schedule, compiled, moves a weight at each update, gradient -1."""
    import jax
    import jax.numpy as jnp
    import optax

    made = optax.sgd(schedule)
    state = made.init(jnp.zeros(1))
    compiled = jax.jit(made.update)
    moved = []
    for _ in range(steps):
        change, state = compiled(-jnp.ones(1), state)
        moved.append(float(change[0]))
    return moved


def _loader(batches: int) -> Sequence:
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(batches, 1)), batch_size=1)
