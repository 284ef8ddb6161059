"""The network behind the survey's table: a pre-activation bottleneck ResNet for 32x32 pictures.

Its source is the Keras tutorial that the survey's first footnote names [1]_; the blocks are those of [2]_.
Batch norm and activation come before each convolution, and the shortcut of a stage's first block starts from
the activated input. What Keras does unasked is said here outright: Glorot uniform weights, zero biases, and
padding that depends on the stride. Its batch norm momentum of 0.9 is 0.1 in torch's sense.

The running variance is torch's, over n - 1 values; Keras 3 divides by n. Which of the two TensorFlow did in
2019 was not checked.

.. [1] A. Rosebrock, 2019, https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/
.. [2] He et al. 2016, https://arxiv.org/abs/1603.05027
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

STAGES = ((64, 1), (128, 2), (256, 2))  # output filters, and the stride of the first block
BLOCKS = 9  # to a stage

# Keras adds r ||w||^2 to the loss, with gradient 2 r w: in torch's terms a weight decay of 2 r. The source's
# own r of 5e-4 reaches the two ends of the network only; inside the blocks its default of 1e-4 holds.
ENDS_DECAY, BLOCKS_DECAY = 2 * 5e-4, 2 * 1e-4


def source_resnet(in_channels: int, classes: int, *, blocks: int = BLOCKS) -> nn.Sequential:
    """Return the network: 873,872 parameters at 3 channels, 10 classes and 9 blocks a stage.

    The sides of the pictures must be multiples of 4.
    """
    body, width = [], STAGES[0][0]
    for outputs, stride in STAGES:
        for number in range(blocks):
            first = number == 0
            body.append(Bottleneck(width, outputs, stride=stride if first else 1, project=first))
            width = outputs
    net = nn.Sequential(
        OrderedDict(
            norm=norm(in_channels),
            stem=conv(in_channels, STAGES[0][0], size=3),
            blocks=nn.Sequential(*body),
            last=activated(width),
            pool=nn.AdaptiveAvgPool2d(1),  # the source's 8x8 average: all that is left of 32x32
            flatten=nn.Flatten(),
            dense=nn.Linear(width, classes),
        )
    )
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(net.dense.bias)
    return net


class Bottleneck(nn.Module):
    """x + branch(a), or projection(a) + branch(a), with a = relu(norm(x))."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, project: bool) -> None:
        super().__init__()
        narrow = outputs // 4
        self.activate = activated(inputs)
        self.branch = nn.Sequential(
            conv(inputs, narrow),
            activated(narrow),
            conv(narrow, narrow, size=3, stride=stride),
            activated(narrow),
            conv(narrow, outputs),
        )
        self.projection = conv(inputs, outputs, stride=stride) if project else None

    def forward(self, x: Tensor) -> Tensor:
        a = self.activate(x)
        return self.branch(a) + (x if self.projection is None else self.projection(a))


def norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=2e-5, momentum=0.1)


def activated(width: int) -> nn.Sequential:
    return nn.Sequential(norm(width), nn.ReLU(inplace=True))


def conv(inputs: int, outputs: int, *, size: int = 1, stride: int = 1) -> nn.Module:
    """Convolution without bias, padded as Keras's "same" pads it."""
    if size == 3 and stride == 2:
        # On an even side Keras pads after the picture only: the windows start at pixels 0, 2, 4, ..., where
        # those of torch's padding=1 would start at -1, 1, 3, ...
        after = nn.ZeroPad2d((0, 1, 0, 1))
        return nn.Sequential(after, nn.Conv2d(inputs, outputs, 3, stride=2, bias=False))
    return nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)


def penalty_groups(net: nn.Sequential) -> list[dict[str, Any]]:
    """Return parameter groups for an optimizer, each with the weight decay that the source's L2 comes to.

    1e-3 on the stem and the dense kernel, 2e-4 on the convolutions of the blocks (projections too), nothing
    on batch norm and bias.
    """
    kernels = [layer.weight for layer in net.blocks.modules() if isinstance(layer, nn.Conv2d)]
    ends = [net.stem.weight, net.dense.weight]
    taken = {id(weights) for weights in ends + kernels}
    return [
        {"params": ends, "weight_decay": ENDS_DECAY},
        {"params": kernels, "weight_decay": BLOCKS_DECAY},
        {"params": [p for p in net.parameters() if id(p) not in taken], "weight_decay": 0.0},
    ]
