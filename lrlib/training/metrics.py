"""What a run measures: means over an epoch's updates, evaluation, fingerprints."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from lrlib.training.dataset import Dataset, normalise
from lrlib.training.machine import Target
from lrlib.training.optimizers import memory_order, row

SUMS = ("loss", "penalty", "correct", "grad", "usable")

# Images of one batch in an evaluation. Larger ones leave a CPU's cache: in batches of 1,000 an image takes
# `source_resnet` 2.8 times as long, and `resnet10` 1.5 times (benchmarks/README.md).
EVALUATED = 125


class Meter:
    """Sums over the updates of an epoch, and the rates and momenta that the optimizer held."""

    def __init__(self, device: torch.device) -> None:
        # Tensors, not numbers: reading one at each update would make the host wait for a GPU.
        self.sums = {name: torch.zeros((), device=device) for name in SUMS}
        self.images = 0
        self.rates: list[float] = []
        self.momenta: list[float] = []

    def add(self, optimizer: Optimizer, logits: Tensor, loss: Tensor, labels: Tensor) -> None:
        """Count one update, after its backward pass and before the weights move."""
        n, groups = len(labels), optimizer.param_groups
        weights = [p for group in groups for p in group["params"]]
        grad = norm_sq(p.grad for p in weights)
        usable = grad.isfinite()  # fp16's scaler leaves out an update whose gradient overflowed
        # Weighted by n, as the last batch of an epoch may be smaller: a mean over images, as in Keras.
        self.sums["loss"] += n * loss
        self.sums["correct"] += (logits.argmax(1) == labels).sum()
        # Weight decay wd adds wd w to the gradient: that of the penalty wd / 2 ||w||^2.
        for group in groups:
            self.sums["penalty"] += n * group["weight_decay"] / 2 * norm_sq(group["params"])
        # where, not a product: inf * 0 is NaN.
        self.sums["grad"] += torch.where(usable, grad, 0.0)
        self.sums["usable"] += usable
        self.images += n
        self.rates.append(groups[0]["lr"])  # the loop sets one rate in all groups
        self.momenta.append(groups[0]["momentum"])  # and one momentum

    def means(self, *, momentum: bool = False) -> dict[str, Any]:
        """Return the fields of an `EpochRecord` that updates decide; here a GPU is waited for.

        With `momentum`, which is for recipes that move it, those of the momentum too.
        """
        total = {name: value.item() for name, value in self.sums.items()}
        return {
            "first_lr": self.rates[0],
            "last_lr": self.rates[-1],
            "updates": len(self.rates),
            "train_loss": total["loss"] / self.images,
            "penalty": total["penalty"] / self.images,
            "train_accuracy": total["correct"] / self.images,
            "grad_norm_sq": total["grad"] / total["usable"] if total["usable"] else math.nan,
            **({"first_momentum": self.momenta[0], "last_momentum": self.momenta[-1]} if momentum else {}),
        }


@torch.no_grad()
def norm_sq(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of the squares of all numbers."""
    tensors = list(tensors)
    if tensors[0].is_cuda:  # about 12 kernels in all for `source_resnet`; one by one they are about 1,000
        return torch.stack(torch._foreach_norm(tensors)).square().sum()
    # On a CPU a product with itself takes half the time of a norm. It needs a row of numbers: in the order of
    # memory, since in another order reshaping would copy.
    rows = [row(tensor, memory_order(tensor)) for tensor in tensors]
    return torch.stack([numbers.dot(numbers) for numbers in rows]).sum()


@torch.no_grad()
def evaluate(
    net: nn.Module, images: Tensor, labels: Tensor, data: Dataset, target: Target
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy in evaluation mode."""
    net.eval()  # batch norm takes its running statistics: a result does not depend on the rest of its batch
    losses, correct = [], torch.zeros((), dtype=torch.int64, device=images.device)
    for some, wanted in zip(images.split(EVALUATED), labels.split(EVALUATED), strict=True):
        with target.autocast():
            logits = net(prepared(some, data))
        losses.append(F.cross_entropy(logits.float(), wanted, reduction="sum"))
        correct += (logits.argmax(1) == wanted).sum()
    # Read once, at the end: a GPU would wait for each batch. Summed in float64 and in order: existing records
    # were computed so, and must reproduce bit for bit.
    loss = reduce(add, torch.stack(losses).tolist())
    return loss / len(labels), correct.item() / len(labels)


def prepared(images: Tensor, data: Dataset) -> Tensor:
    """Return uint8 images as the networks take them: fp32, normalised, channels last."""
    # Laid out as the weights are, so that no convolution has to convert them.
    return normalise(images, data.mean, data.std).contiguous(memory_format=torch.channels_last)


def unit_pixels(data: Dataset) -> Dataset:
    """Return a data set with mean 0 and std 1, so that the network sees pixel / 255 and nothing else."""
    channels = len(data.mean)
    return replace(data, mean=(0.0,) * channels, std=(1.0,) * channels)


def fingerprint(tensors: Iterable[Tensor]) -> str:
    """Return the first 16 hex digits of the SHA-256 of the bytes of some tensors, one after another."""
    digest = hashlib.sha256()
    for tensor in tensors:
        # contiguous: the bytes in the order of the indices, whatever the order in memory.
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
