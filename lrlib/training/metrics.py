"""What a run measures: sums over an epoch's updates, evaluation, fingerprints."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import add

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from lrlib.training.dataset import Dataset, normalise
from lrlib.training.machine import Target
from lrlib.training.optimizers import memory_order, row

SUMS = ("loss", "penalty", "correct", "grad", "usable")

# Pictures of one batch in an evaluation. Larger ones leave a CPU's cache: in batches of 1,000 a picture takes
# `source_resnet` three times as long, and `resnet10` 1.5 times.
EVALUATED = 125


class Meter:
    """Sums over the updates of an epoch, kept on the device: nothing in the loop waits for a result."""

    def __init__(self, device: torch.device) -> None:
        self.sums = {name: torch.zeros((), device=device) for name in SUMS}
        self.images, self.rates = 0, []

    def add(self, optimizer: Optimizer, logits: Tensor, loss: Tensor, labels: Tensor) -> None:
        n, groups = len(labels), optimizer.param_groups
        weights = [p for group in groups for p in group["params"]]
        grad = norm_sq(p.grad for p in weights)
        usable = grad.isfinite()  # fp16's scaler leaves out an update whose gradient overflowed
        self.sums["loss"] += n * loss
        self.sums["correct"] += (logits.argmax(1) == labels).sum()
        for group in groups:
            self.sums["penalty"] += n * group["weight_decay"] / 2 * norm_sq(group["params"])
        self.sums["grad"] += torch.where(usable, grad, 0.0)
        self.sums["usable"] += usable
        self.images += n
        self.rates.append(groups[0]["lr"])

    def means(self) -> dict[str, float | int]:
        total = {name: value.item() for name, value in self.sums.items()}
        return {
            "first_lr": self.rates[0],
            "last_lr": self.rates[-1],
            "updates": len(self.rates),
            "train_loss": total["loss"] / self.images,
            "penalty": total["penalty"] / self.images,
            "train_accuracy": total["correct"] / self.images,
            "grad_norm_sq": total["grad"] / total["usable"] if total["usable"] else math.nan,
        }


@torch.no_grad()
def norm_sq(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of all squares. A product with itself takes half the time of a norm on a CPU."""
    tensors = list(tensors)
    if tensors[0].is_cuda:  # about 12 kernels, however many tensors; one by one they are 6 a tensor
        return torch.stack(torch._foreach_norm(tensors)).square().sum()
    rows = [row(tensor, memory_order(tensor)) for tensor in tensors]
    return torch.stack([numbers.dot(numbers) for numbers in rows]).sum()


@torch.no_grad()
def evaluate(
    net: nn.Module, images: Tensor, labels: Tensor, data: Dataset, target: Target
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy in evaluation mode."""
    net.eval()
    losses, correct = [], torch.zeros((), dtype=torch.int64, device=images.device)
    for some, wanted in zip(images.split(EVALUATED), labels.split(EVALUATED), strict=True):
        with target.autocast():
            logits = net(prepared(some, data))
        losses.append(F.cross_entropy(logits.float(), wanted, reduction="sum"))
        correct += (logits.argmax(1) == wanted).sum()
    # Read once, at the end: a GPU would wait for each batch. Added one by one, as all records were.
    loss = reduce(add, torch.stack(losses).tolist())
    return loss / len(labels), correct.item() / len(labels)


def prepared(images: Tensor, data: Dataset) -> Tensor:
    """Return uint8 pictures as the networks take them: normalised, channels last."""
    return normalise(images, data.mean, data.std).contiguous(memory_format=torch.channels_last)


def unit_pixels(data: Dataset) -> Dataset:
    """Return a data set whose pictures are pixel / 255 and nothing else: its mean is 0 and its std 1."""
    channels = len(data.mean)
    return replace(data, mean=(0.0,) * channels, std=(1.0,) * channels)


def fingerprint(tensors: Iterable[Tensor]) -> str:
    """Return 16 hex digits of the bytes of some tensors."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
