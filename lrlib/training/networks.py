"""The networks: two small residual nets for CPUs, torchvision's ResNet-50, and the source's.

What the rest of the code has to know of a network is in its `NetworkSpec`; `NETWORKS` has one for each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lrlib._checks import no_such
from lrlib.training.randomness import generator

__all__ = ["NETWORKS", "NetworkSpec", "build"]


@dataclass(frozen=True)
class NetworkSpec:
    """How to build a network, what it takes, and how it wants to be computed.

    Attributes
    ----------
    make : callable
        (input channels, classes) -> network, its weights drawn from torch's global generator.
    in_channels : int or None
        Channels that a picture must have; None takes any number.
    cpu_threads : int or None
        Threads on a CPU, unless a run is given a number; None takes as many as torch has.
    cpu_path : {"plain", "fast"}
        What path "auto" means on a CPU.
    penalty_groups : callable or None
        network -> parameter groups with its own weight decays, for the config's penalty "source".

    Examples
    --------
    >>> NETWORKS["resnet50"].in_channels, NETWORKS["resnet8"].cpu_path
    (3, 'plain')
    """

    make: Callable[[int, int], nn.Module]
    in_channels: int | None = None
    cpu_threads: int | None = None
    cpu_path: str = "fast"
    penalty_groups: Callable[[Any], list[dict[str, Any]]] | None = None


def build(name: str, *, in_channels: int, classes: int, seed: int) -> nn.Module:
    """Return a network whose initial weights depend on the four arguments alone.

    Weights are torch's own defaults (Glorot uniform and zero biases, Keras's defaults, for `source_resnet`),
    drawn from a generator keyed by (seed, "weights"); the global random state is as it was before.

    Parameters
    ----------
    name : {"resnet8", "resnet10", "resnet50", "source_resnet"}
    in_channels : int
        Channels of a picture, >= 1: 1 for digits, 3 for colour; `resnet50` takes 3 only.
    classes : int
        Number of outputs, >= 1.
    seed : int

    Returns
    -------
    torch.nn.Module
        In training mode, on the CPU; float pictures [n, in_channels, height, width] -> logits [n, classes].

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
    spec = NETWORKS[name]
    if spec.in_channels not in (None, in_channels):
        raise ValueError(
            f"in_channels must be {spec.in_channels} for {name}, got {in_channels}; use resnet8 or resnet10"
        )
    # Layers initialise themselves from torch's global generator: it is seeded for them, on the CPU alone, so
    # that the start is the same for every device, and given back.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator(seed, "weights").initial_seed())
        return spec.make(in_channels, classes)


# Small nets for CPUs ----------------------------------------------------------


def _resnet8(in_channels: int, classes: int) -> nn.Module:
    """For pictures of 8x8: 12,130 parameters at 1 channel and 10 classes.

    Twice the widths learn the digits no better and take 1.6 times as long a step.
    """
    return nn.Sequential(
        conv_norm_relu(in_channels, 8),
        Residual(8),
        conv_norm_relu(8, 16, pool=2),
        Residual(16),
        conv_norm_relu(16, 32, pool=2),
        *_head(32, classes),
    )


def _resnet10(in_channels: int, classes: int) -> nn.Module:
    """For CIFAR-10 on a CPU: 482,730 parameters at 3 channels and 10 classes."""
    return nn.Sequential(
        conv_norm_relu(in_channels, 32, stride=2),  # makes everything after it four times cheaper
        Residual(32),
        conv_norm_relu(32, 64, pool=2),
        Residual(64),
        conv_norm_relu(64, 128, pool=2),
        Residual(128),
        *_head(128, classes),
    )


def conv_norm_relu(inputs: int, outputs: int, *, stride: int = 1, pool: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU: [n, inputs, h, w] -> [n, outputs, h / stride / pool, ...]."""
    return nn.Sequential(
        # Batch norm takes the mean away: a bias before it would have no effect.
        nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        # ReLU keeps order: after the pooling it gives the same values, on a quarter of the pixels.
        *([nn.MaxPool2d(pool)] if pool > 1 else []),
        # In place is safe: for the backward pass norm and pooling keep what went in, not what came out.
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """x + branch(x), where the branch has two `conv_norm_relu` of the same width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv_norm_relu(width, width), conv_norm_relu(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


def _head(width: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)]


# What the survey names --------------------------------------------------------


def _resnet50(in_channels: int, classes: int) -> nn.Module:
    """torchvision's ResNet-50 with its ImageNet stem (7x7, stride 2, then max-pool), random weights.

    He et al. 2016, https://arxiv.org/abs/1512.03385.
    """
    from torchvision.models import resnet50  # takes seconds to import, and only this net needs it

    return resnet50(num_classes=classes)


# What the survey's numbers come from ------------------------------------------

SOURCE_STAGES = ((64, 1), (128, 2), (256, 2))  # output filters, and the stride of the first block
SOURCE_BLOCKS = 9  # to a stage

# Keras adds r ||w||^2 to the loss, with gradient 2 r w: in torch's terms a weight decay of 2 r. The source's
# own r of 5e-4 reaches the two ends of the network only; inside the blocks its default of 1e-4 holds.
ENDS_DECAY, BLOCKS_DECAY = 2 * 5e-4, 2 * 1e-4


def source_resnet(in_channels: int, classes: int, *, blocks: int = SOURCE_BLOCKS) -> nn.Sequential:
    """The network behind the survey's table: a pre-activation bottleneck ResNet for 32x32 pictures.

    Its source is the Keras tutorial that the survey's first footnote names [1]_; the blocks are those of
    [2]_. Batch norm and activation come before each convolution, and the shortcut of a stage's first block
    starts from the activated input. What Keras does unasked is said here outright: Glorot uniform weights,
    zero biases, and padding that depends on the stride. Its batch norm momentum of 0.9 is 0.1 in torch's
    sense.

    The running variance is torch's, over n - 1 values; Keras 3 divides by n. Which of the two TensorFlow did
    in 2019 was not checked.

    It has 873,872 parameters at 3 channels, 10 classes and 9 blocks a stage. The sides of the pictures must
    be multiples of 4.

    .. [1] A. Rosebrock, 2019, https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/
    .. [2] He et al. 2016, https://arxiv.org/abs/1603.05027
    """
    body, width = [], SOURCE_STAGES[0][0]
    for outputs, stride in SOURCE_STAGES:
        for number in range(blocks):
            first = number == 0
            body.append(Bottleneck(width, outputs, stride=stride if first else 1, project=first))
            width = outputs
    net = nn.Sequential(
        OrderedDict(  # with names, by which `source_penalty_groups` finds the two ends
            norm=keras_norm(in_channels),
            stem=keras_conv(in_channels, SOURCE_STAGES[0][0], size=3),
            blocks=nn.Sequential(*body),
            last=norm_relu(width),
            pool=nn.AdaptiveAvgPool2d(1),  # the source's 8x8 average: all that is left of 32x32
            flatten=nn.Flatten(),
            dense=nn.Linear(width, classes),
        )
    )
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)
    return net


class Bottleneck(nn.Module):
    """x + branch(a), or projection(a) + branch(a), with a = relu(norm(x))."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, project: bool) -> None:
        super().__init__()
        narrow = outputs // 4
        self.activate = norm_relu(inputs)
        self.branch = nn.Sequential(
            keras_conv(inputs, narrow),
            norm_relu(narrow),
            keras_conv(narrow, narrow, size=3, stride=stride),
            norm_relu(narrow),
            keras_conv(narrow, outputs),
        )
        self.projection = keras_conv(inputs, outputs, stride=stride) if project else None

    def forward(self, x: Tensor) -> Tensor:
        a = self.activate(x)
        return self.branch(a) + (x if self.projection is None else self.projection(a))


def keras_norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=2e-5, momentum=0.1)


def norm_relu(width: int) -> nn.Sequential:
    return nn.Sequential(keras_norm(width), nn.ReLU(inplace=True))


def keras_conv(inputs: int, outputs: int, *, size: int = 1, stride: int = 1) -> nn.Module:
    """Convolution without bias, padded as Keras's "same" pads it."""
    if size == 3 and stride == 2:
        # On an even side Keras pads after the picture only: the windows start at pixels 0, 2, 4, ..., where
        # those of torch's padding=1 would start at -1, 1, 3, ...
        after = nn.ZeroPad2d((0, 1, 0, 1))
        return nn.Sequential(after, nn.Conv2d(inputs, outputs, 3, stride=2, bias=False))
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


def source_penalty_groups(net: nn.Sequential) -> list[dict[str, Any]]:
    """Return parameter groups for an optimizer, each with the weight decay that the source's L2 comes to.

    1e-3 on the stem and the dense kernel, 2e-4 on the convolutions of the blocks (projections too), nothing
    on batch norm and bias.
    """
    blocks = net.get_submodule("blocks")
    kernels = [layer.weight for layer in blocks.modules() if isinstance(layer, nn.Conv2d)]
    ends = [net.get_parameter("stem.weight"), net.get_parameter("dense.weight")]
    taken = {id(weights) for weights in ends + kernels}  # ids, as == of tensors compares their values
    return [
        {"params": ends, "weight_decay": ENDS_DECAY},
        {"params": kernels, "weight_decay": BLOCKS_DECAY},
        {"params": [p for p in net.parameters() if id(p) not in taken], "weight_decay": 0.0},
    ]


def batch_norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]


@contextmanager
def batch_norms_with(net: nn.Module, attribute: str, value: Any) -> Iterator[None]:
    """Give an attribute of every batch norm another value, and its own back on exit."""
    norms = batch_norms(net)
    own = [getattr(norm, attribute) for norm in norms]
    for norm in norms:
        setattr(norm, attribute, value)
    try:
        yield
    finally:
        for norm, before in zip(norms, own, strict=True):
            setattr(norm, attribute, before)


NETWORKS: dict[str, NetworkSpec] = {
    # An update on a few 8x8 pictures is too small to share: threads would wait for each other more than they
    # work, and on a busy machine (they wait by spinning) hardly get on at all. Nor has it a convolution that
    # is large enough to gain by path "fast".
    "resnet8": NetworkSpec(_resnet8, cpu_threads=1, cpu_path="plain"),
    "resnet10": NetworkSpec(_resnet10),
    "resnet50": NetworkSpec(_resnet50, in_channels=3),
    "source_resnet": NetworkSpec(source_resnet, penalty_groups=source_penalty_groups),
}
