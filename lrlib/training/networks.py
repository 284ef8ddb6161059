"""The networks: two small residual nets for CPUs, torchvision's ResNet-50, and the source's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lrlib._checks import no_such
from lrlib.training.randomness import generator
from lrlib.training.source_resnet import source_resnet

__all__ = ["build"]


def build(name: str, *, in_channels: int, classes: int, seed: int) -> nn.Module:
    """Return a network whose initial weights depend on the four arguments alone.

    Weights are torch's own defaults (Glorot uniform and zero biases, Keras's defaults, for `source_resnet`),
    drawn from a generator keyed by (seed, "weights"); the global random state is as it was before.

    Parameters
    ----------
    name : {"resnet8", "resnet10", "resnet50", "source_resnet"}
    in_channels : int
        Channels of a picture: 1 for digits, 3 for colour; `resnet50` takes colour only.
    classes : int
        Number of outputs, >= 1.
    seed : int

    Returns
    -------
    torch.nn.Module
        In training mode, on the CPU; float pictures [n, in_channels, height, width] -> logits [n, classes].

    Raises
    ------
    ValueError
        If the name is unknown, a number is below 1, or `resnet50` is asked for anything but 3 channels.

    Examples
    --------
    >>> net = build("resnet8", in_channels=1, classes=10, seed=0)
    >>> net(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    >>> sum(weights.numel() for weights in net.parameters())
    12130
    """
    if name not in NETWORKS:
        raise ValueError(no_such("network", name, NETWORKS))
    for argument, value in (("in_channels", in_channels), ("classes", classes)):
        if value < 1:
            raise ValueError(f"{argument} must be >= 1, got {value}")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator(seed, "weights").initial_seed())
        return NETWORKS[name](in_channels, classes)


def conv(inputs: int, outputs: int, *, stride: int = 1, pool: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU: [n, inputs, h, w] -> [n, outputs, h / stride / pool, ...]."""
    return nn.Sequential(
        # Batch norm takes the mean away: a bias before it would have no effect.
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        # ReLU keeps order: after the pooling it gives the same values, on a quarter of the pixels.
        *([nn.MaxPool2d(pool)] if pool > 1 else []),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """x + conv(conv(x)), both of the same width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv(width, width), conv(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def _head(width: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]


def _resnet8(in_channels: int, classes: int) -> nn.Module:
    """For pictures of 8x8: 12,130 parameters at 1 channel and 10 classes.

    Twice the widths learn the digits no better and take 1.6 times as long a step.
    """
    return nn.Sequential(
        conv(in_channels, 8),
        Residual(8),
        conv(8, 16, pool=2),
        Residual(16),
        conv(16, 32, pool=2),
        *_head(32, classes),
    )


def _resnet10(in_channels: int, classes: int) -> nn.Module:
    """For CIFAR-10 on a CPU: 482,730 parameters at 3 channels and 10 classes.

    The stride of the first layer makes everything after it four times cheaper.
    """
    return nn.Sequential(
        conv(in_channels, 32, stride=2),
        Residual(32),
        conv(32, 64, pool=2),
        Residual(64),
        conv(64, 128, pool=2),
        Residual(128),
        *_head(128, classes),
    )


def _resnet50(in_channels: int, classes: int) -> nn.Module:
    """torchvision's ResNet-50 with its ImageNet stem (7x7, stride 2, then max-pool), random weights.

    He et al. 2016, https://arxiv.org/abs/1512.03385.
    """
    from torchvision.models import resnet50  # takes seconds to import, and only this net needs it

    if in_channels != 3:
        raise ValueError(f"in_channels must be 3 for resnet50, got {in_channels}; use resnet8 or resnet10")
    return resnet50(num_classes=classes)


NETWORKS = {
    "resnet8": _resnet8,
    "resnet10": _resnet10,
    "resnet50": _resnet50,
    "source_resnet": source_resnet,
}
