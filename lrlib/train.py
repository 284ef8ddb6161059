"""The one training loop: set the rate, read it back into the record, update."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from lrlib import _checkpoint, _machine, models
from lrlib._checkpoint import CheckpointError
from lrlib._measure import Meter, evaluate, fingerprint, prepared, unit_pixels
from lrlib._optimizer import optimizer_for
from lrlib._progress import ProgressBar
from lrlib.config import RunConfig
from lrlib.data import Dataset, augment, draw_augmentation, load, parity, permutation
from lrlib.records import EpochRecord, Final, Run

__all__ = ["CheckpointError", "live_preset", "train"]


def train(
    config: RunConfig,
    *,
    data: Dataset | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    threads: int | None = None,
    path: str = "auto",
    command: str = "lrlib.train.train",
) -> Run:
    """Train a network as `config` says and return what was measured.

    Start, order of the images and augmentation come from generators keyed by (seed, purpose, epoch): runs
    that share a seed see the same start and the same batches, whatever their schedule.

    Parameters
    ----------
    config : RunConfig
    data : Dataset or None
        None loads ``config.dataset``.
    checkpoint : path or None
        File to write at the end of every epoch.
    resume : bool
        Go on from `checkpoint`. On a CPU in fp32, with the same number of threads, the result is bit for bit
        that of an undisturbed run.
    progress : bool or None
        Show one text bar; None shows it unless the environment says ``LRLIB_PROGRESS=off``.
    threads : int or None
        Threads of torch on the CPU, >= 1; None takes as many as torch has (one for the smallest network).
    path : {"auto", "plain", "fast", "compiled"}
        How it computes; the record names it. "plain" is the reference. "fast" has the same sums in another
        order (and TF32 on a GPU). "compiled" is torch's compiler: a minute to start. "auto" takes "fast" for
        all networks but the smallest.
    command : str
        What the record says it was started by.

    Returns
    -------
    Run
        Its status is "diverged" if a loss stopped being finite: the run ends there, and that is its result.

    Raises
    ------
    ValueError
        If the device is not there, or the data are not those of the config.
    CheckpointError
        If the checkpoint is damaged, belongs to another config, or was computed on another device or in
        another precision: the record could name only one of them.
    DataError
        If the data cannot be found or are damaged.

    Examples
    --------
    >>> from lrlib import preset
    >>> config = preset("digits", recipe="linear", epochs=2, train_images=64)
    >>> run = train(config, progress=False)
    >>> run.column("first_lr"), [epoch.updates for epoch in run.epochs]
    ([0.1, 0.05], [13, 13])
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    target = _machine.resolve(config, threads=threads, path=path)
    provenance = _machine.provenance(target, command=command, started=started)
    data, net, optimizer, scaler = _set_up(config, data, target)
    schedule = config.schedule()
    start, records, before, parts = fingerprint(net.state_dict().values()), [], 0.0, 1
    if resume:
        state = _checkpoint.load(_needed(checkpoint), config, target.how)
        net.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        scaler.load_state_dict(state["scaler"])
        records = [EpochRecord(**record) for record in state["epochs"]]
        start, before, parts = state["start"], state["seconds"], state["parts"] + 1

    step, status, final = len(records) * config.steps_per_epoch, "finished", None
    with target.own_threads(), ProgressBar(config, shown=progress, step=step, seconds=before) as bar:
        for epoch in range(len(records), config.epochs):
            tic, meter = time.perf_counter(), Meter(target.device)
            net.train()
            order = permutation(config.images, seed=config.seed, epoch=epoch)
            draws = draw_augmentation(config.augmentation, config.images, seed=config.seed, epoch=epoch)
            for images, labels in _batches(data, order, draws, config.batch_size):
                lr = config.peak_lr * schedule(step)
                for group in optimizer.param_groups:
                    group["lr"] = lr
                with target.autocast():
                    logits = net(images)
                loss = F.cross_entropy(logits.float(), labels)
                optimizer.zero_grad()
                scaler.scale(loss).backward()
                scaler.unscale_(optimizer)
                # What the record says was applied is read from the optimizer, just before it is.
                meter.add(optimizer, logits.detach(), loss.detach(), labels)
                scaler.step(optimizer)
                scaler.update()
                step += 1
                bar.update(lr)
            test_loss, test_accuracy = evaluate(net, data.test_images, data.test_labels, data, target)
            records.append(
                EpochRecord(
                    epoch=epoch,
                    **meter.means(),
                    test_loss=test_loss,
                    test_accuracy=test_accuracy,
                    seconds=time.perf_counter() - tic,
                    batches=fingerprint([order, *draws]),
                )
            )
            bar.end_epoch(records[-1])
            if not (math.isfinite(records[-1].train_loss) and math.isfinite(test_loss)):
                status = "diverged"
                break
            if checkpoint is not None and epoch + 1 < config.epochs:
                _checkpoint.save(
                    Path(checkpoint),
                    config,
                    {
                        "network": net.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "scaler": scaler.state_dict(),
                        "epochs": [record.model_dump() for record in records],
                        "start": start,
                        "seconds": before + time.perf_counter() - clock,
                        "parts": parts,
                        "how": target.how,
                    },
                )

        if status == "finished":
            loss, accuracy = evaluate(net, data.train_images, data.train_labels, data, target)
            final = Final(train_loss=loss, train_accuracy=accuracy)
    seconds = round(before + time.perf_counter() - clock, 2)
    return Run(
        config=config,
        status=status,
        parameters=sum(p.numel() for p in net.parameters() if p.requires_grad),
        start=start,
        epochs=tuple(records),
        final=final,
        provenance=provenance.model_copy(update={"seconds": seconds, "parts": parts}),
    )


def _set_up(config: RunConfig, data: Dataset | None, target: _machine.Target):
    """Return the data as the network sees them, the network at its start, its optimizer and its scaler."""
    data = (data or load(config.dataset)).subset(config.train_images, config.test_images).to(target.device)
    if data.name != config.dataset or len(data.train_labels) != config.images:
        raise ValueError(f"data must be {config.images} images of {config.dataset}, got {data}")
    if config.pixels == "unit":
        data = unit_pixels(data)
    if config.task == "parity":
        data = parity(data)
    net = models.build(
        config.network,
        in_channels=data.train_images.shape[1],
        classes=len(data.class_names),
        seed=config.seed,
    )
    net = target.prepared(net)
    optimizer = optimizer_for(config, net, fused=target.fused)
    scaler = torch.amp.GradScaler(target.device.type, enabled=target.precision == "fp16")
    return data, net, optimizer, scaler


def _batches(data: Dataset, order: Tensor, draws: tuple[Tensor, ...], batch_size: int):
    """Yield the epoch's batches: images normalised (after augmentation), and labels."""
    device = data.train_images.device
    order, draws = order.to(device), tuple(draw.to(device) for draw in draws)
    for start in range(0, len(order), batch_size):
        part = slice(start, start + batch_size)
        images = data.train_images[order[part]]
        if draws:
            images = augment(images, *(draw[part] for draw in draws))
        yield prepared(images, data), data.train_labels[order[part]]


def _needed(checkpoint: str | Path | None) -> Path:
    if checkpoint is None:
        raise ValueError("resume needs the file of a checkpoint, got checkpoint=None")
    return Path(checkpoint)


def live_preset() -> str:
    """Return the preset for a live cell: "resnet50" where a CUDA GPU makes it bearable, else "digits".

    Examples
    --------
    >>> live_preset() in ("digits", "resnet50")
    True
    """
    return "resnet50" if torch.cuda.is_available() else "digits"
