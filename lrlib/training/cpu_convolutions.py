"""Convolutions as matrix products, for CPUs: the same sums, in an order that matrix units are fast at.

On two cores of an Intel Xeon with AMX, in bf16, `resnet50` trains on 597 images a second by this path and on
229 by the plain one; `resnet10` (2,833 and 2,928) and `source_resnet` (163 and 160) are as fast by either
(benchmarks/results/throughput.json, 25 November 2026). oneDNN's convolutions are slow on small maps, above
all for the gradient of the weights, and ResNet-50 on 32x32 images has maps of 1x1 to 8x8. Three exact
rewritings help:

- a 1x1 convolution is a matrix product over pixels, and channels-last memory has the pixels as rows already;
- on maps of at most 4x4 pixels, a larger kernel is one product over gathered patches, forward and backward;
  taps that see nothing but the padding (all but the centre, on a 1x1 map) drop out;
- ReLU keeps order, so it may come after a max-pooling instead of before, on a quarter of the pixels.

`hasten` changes how modules compute, not their parameters: names, values and state dicts stay. The plain
network is the reference: tests/lrlib/training/test_cpu_convolutions.py compares logits and all gradients.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Pixels of the largest maps that gain. Patches of 8x8 and 16x16 maps leave the cache, and 1x1 products on
# maps above 8x8 were slower than oneDNN's (benchmarks/README.md).
MOST_FOR_PATCHES = 16
MOST_FOR_1X1 = 64


def hasten(net: nn.Module) -> nn.Module:
    """Let a network compute by the rewritings above where they are faster; return the network."""
    for module in net.modules():
        # `type`, not isinstance: a subclass may compute something else.
        if type(module) is nn.Conv2d and _suits(module):
            # Another class for the same object: parameters, hooks and names stay, and nothing is copied.
            module.__class__ = MatrixConv2d
    relu, pool = getattr(net, "relu", None), getattr(net, "maxpool", None)
    if isinstance(relu, nn.ReLU) and isinstance(pool, nn.MaxPool2d):
        # torchvision's stem. Its 16x16 map is the largest of the network.
        net.relu, net.maxpool = nn.Identity(), nn.Sequential(pool, relu)
    return net


def _suits(conv: nn.Conv2d) -> bool:
    plain = conv.groups == 1 and conv.dilation == (1, 1) and conv.padding_mode == "zeros"
    return plain and conv.bias is None and not isinstance(conv.padding, str)


class MatrixConv2d(nn.Conv2d):
    """A convolution without bias that is computed as a matrix product where its map is small."""

    # Per call, not when it is made: how large the map is shows only now.
    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        pixels = x.shape[2] * x.shape[3]
        if self.kernel_size == (1, 1) and self.padding == (0, 0) and pixels <= MOST_FOR_1X1:
            # A view [n, height, width, channels]: in channels-last memory a pixel's channels are together.
            rows = x[:, :, :: self.stride[0], :: self.stride[1]].permute(0, 2, 3, 1)
            return F.linear(rows, weight.flatten(1)).permute(0, 3, 1, 2)
        if pixels > MOST_FOR_PATCHES:
            return super()._conv_forward(x, weight, bias)
        # By hand and before gathering, which then moves half the bytes; and backward runs without autocast.
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        return _PatchConv.apply(
            x, weight, _Geometry(*x.shape[2:], *self.kernel_size, *self.stride, *self.padding)
        )


class _Geometry(NamedTuple):
    """Sizes of a convolution in pixels, hashable: the tables below are made once for each."""

    height: int
    width: int
    kernel_height: int
    kernel_width: int
    stride_down: int
    stride_right: int
    padding_down: int
    padding_right: int

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the map that comes out."""
        down = (self.height + 2 * self.padding_down - self.kernel_height) // self.stride_down
        right = (self.width + 2 * self.padding_right - self.kernel_width) // self.stride_right
        return down + 1, right + 1


@lru_cache(maxsize=256)
def _neighbours(geometry: _Geometry) -> tuple[Tensor, Tensor, Tensor]:
    """Return which pixel meets which: input of (output, tap), output of (input, tap), and the taps in use.

    A pixel outside of its map has the number after the last one, where `_patches` puts a zero.
    """
    # Loops in Python, as maps have at most 16 pixels and each geometry comes here once.
    g = geometry
    outputs, taps = g.out[0] * g.out[1], g.kernel_height * g.kernel_width
    inputs = torch.full((outputs, taps), g.height * g.width)
    back = torch.full((g.height * g.width, taps), outputs)
    for output in range(outputs):
        for tap in range(taps):
            y = output // g.out[1] * g.stride_down + tap // g.kernel_width - g.padding_down
            x = output % g.out[1] * g.stride_right + tap % g.kernel_width - g.padding_right
            if 0 <= y < g.height and 0 <= x < g.width:
                inputs[output, tap] = y * g.width + x
                back[y * g.width + x, tap] = output
    used = (inputs < g.height * g.width).any(0)
    return inputs[:, used], back[:, used], used.nonzero().flatten()


@lru_cache(maxsize=256)
def _rows(n: int, geometry: _Geometry, *, back: bool) -> Tensor:
    """Return the rows of n maps, each with its row of zeros at the end, that `_patches` gathers: int64."""
    # Kept for each batch size too: a run has few.
    inputs, outputs, _ = _neighbours(geometry)
    table = outputs if back else inputs
    pixels = geometry.out[0] * geometry.out[1] if back else geometry.height * geometry.width
    return (table.flatten() + (pixels + 1) * torch.arange(n)[:, None]).flatten()


def _patches(maps: Tensor, geometry: _Geometry, *, back: bool) -> Tensor:
    """Gather what meets each pixel of the other map: [n, pixels, channels] -> rows [.., taps * channels]."""
    n, _, channels = maps.shape
    rows = _rows(n, geometry, back=back).to(maps.device)
    # index_select copies row by row, all channels of a pixel at once.
    taps = len(_neighbours(geometry)[2])
    return F.pad(maps, (0, 0, 0, 1)).reshape(-1, channels).index_select(0, rows).reshape(-1, taps * channels)


class _PatchConv(torch.autograd.Function):
    """y = patches(x) @ w; its gradients are products of patches too."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, geometry: _Geometry) -> Tensor:
        n, channels = x.shape[:2]
        maps = x.permute(0, 2, 3, 1).reshape(n, -1, channels)
        weights = weight.flatten(2).transpose(1, 2)  # [outputs, taps, inputs], a view if channels are last
        taps = _neighbours(geometry)[2].to(x.device)
        if len(taps) < weights.shape[1]:
            weights = weights.index_select(1, taps)
        weights = weights.to(x.dtype)  # after the choice: of 3x3 kernels on a 1x1 map one tap in nine is cast
        # Maps, not patches, which are up to nine times as large: keeping those was 1 % slower than gathering
        # them once more.
        ctx.save_for_backward(maps, weights)
        ctx.geometry, ctx.all_taps, ctx.dtype = geometry, weight.shape[2] * weight.shape[3], weight.dtype
        y = _patches(maps, geometry, back=False) @ weights.flatten(1).t()
        return y.reshape(n, *geometry.out, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (maps, weights), g = ctx.saved_tensors, ctx.geometry
        n, (outputs, taps, channels) = len(grad), weights.shape
        grad = grad.permute(0, 2, 3, 1).reshape(n, -1, outputs)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_x = _patches(grad, g, back=True) @ weights.transpose(0, 1).reshape(taps * outputs, channels)
            grad_x = grad_x.reshape(n, g.height, g.width, channels).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            used = grad.reshape(-1, outputs).t() @ _patches(maps, g, back=False)
            used = used.reshape(weights.shape).to(ctx.dtype)
            # A tap that sees nothing but padding has the gradient 0.
            if taps < ctx.all_taps:
                full = used.new_zeros(outputs, ctx.all_taps, channels)
                used = full.index_copy_(1, _neighbours(g)[2].to(used.device), used)
            grad_weight = used.reshape(outputs, g.kernel_height, g.kernel_width, channels).permute(0, 3, 1, 2)
        return grad_x, grad_weight, None
