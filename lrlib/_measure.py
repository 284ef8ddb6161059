"""What a run measures: sums over an epoch's updates, evaluation, fingerprints."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from lrlib._machine import Target
from lrlib.config import RunConfig
from lrlib.data import Dataset, normalise

SUMS = ("loss", "penalty", "correct", "grad", "usable")


class Meter:
    """Sums over the updates of an epoch, kept on the device: nothing in the loop waits for a result."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        self.weight_decay = config.weight_decay
        self.sums = {name: torch.zeros((), device=device) for name in SUMS}
        self.images, self.rates = 0, []

    def add(self, net: nn.Module, logits: Tensor, loss: Tensor, labels: Tensor, *, applied_lr: float) -> None:
        n = len(labels)
        weights = list(net.parameters())
        grad_norm = get_total_norm([p.grad for p in weights])
        usable = grad_norm.isfinite()  # fp16's scaler leaves out an update whose gradient overflowed
        self.sums["loss"] += n * loss
        self.sums["correct"] += (logits.argmax(1) == labels).sum()
        self.sums["penalty"] += n * self.weight_decay / 2 * get_total_norm([p.detach() for p in weights]) ** 2
        self.sums["grad"] += torch.where(usable, grad_norm**2, 0.0)
        self.sums["usable"] += usable
        self.images += n
        self.rates.append(applied_lr)

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
def evaluate(
    net: nn.Module, images: Tensor, labels: Tensor, data: Dataset, target: Target
) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy in evaluation mode."""
    net.eval()
    loss, correct = 0.0, 0
    for some, wanted in zip(images.split(1000), labels.split(1000), strict=True):
        with target.autocast():
            logits = net(prepared(some, data))
        loss += F.cross_entropy(logits.float(), wanted, reduction="sum").item()
        correct += (logits.argmax(1) == wanted).sum().item()
    return loss / len(labels), correct / len(labels)


def prepared(images: Tensor, data: Dataset) -> Tensor:
    """Return uint8 pictures as the networks take them: normalised, channels last."""
    return normalise(images, data.mean, data.std).contiguous(memory_format=torch.channels_last)


def fingerprint(tensors: Iterable[Tensor]) -> str:
    """Return 16 hex digits of the bytes of some tensors."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
