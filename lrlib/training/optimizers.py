"""Stochastic gradient descent with momentum, in the two forms that libraries have.

The learning rate of a group is ``group["lr"]``: a number, or in `lrlib.training.gpu` a tensor on the device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from lrlib.runs.config import RunConfig
from lrlib.training.networks import NETWORKS

# What torch's function wants of a group, by these names.
NUMBERS = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize")


def optimizer_for(config: RunConfig, net: nn.Module, *, fused: bool = False) -> torch.optim.Optimizer:
    """Return the optimizer of a config. Every group has its `lr` and its `weight_decay`.

    With `fused`, torch's form makes an update in one pass over the weights (`FusedSGD`). The Keras form is
    `VelocitySGD` either way.
    """
    # RunConfig allows penalty "source" only with a network that has groups of its own.
    own_groups = NETWORKS[config.network].penalty_groups if config.penalty == "source" else None
    groups = own_groups(net) if own_groups else net.parameters()
    numbers: dict[str, Any] = {
        "lr": config.peak_lr,
        "momentum": config.momentum,
        "weight_decay": config.weight_decay,
    }
    if config.momentum_form == "keras":
        return VelocitySGD(groups, **numbers)
    return (FusedSGD if fused else torch.optim.SGD)(groups, **numbers)


def in_fp32(number: float | Tensor) -> float | Tensor:
    """Return a rate on the device in fp32, and a number as it is."""
    # The kernels read fp32, and cast a Python number to it by themselves; a float64 tensor they refuse.
    return number.float() if isinstance(number, Tensor) else number


def memory_order(tensor: Tensor) -> list[int]:
    """Return the dimensions by falling stride; permuted so, a dense tensor is contiguous."""
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


def row(tensor: Tensor, order: list[int]) -> Tensor:
    """Return a tensor as one row in this order of its dimensions: a view where its memory has that order."""
    # Kernels over many tensors want equal strides, even of dimensions of size 1, where a stride means
    # nothing: the gradient of a 1x1 kernel can differ there from its weights.
    return tensor.permute(order).reshape(-1)


class FusedSGD(torch.optim.SGD):
    """torch's fused update, one pass over the weights, given weights and gradients as contiguous rows.

    Given them as they are, torch on a CPU makes a copy of each channels-last gradient that it then does not
    use, and misreads a gradient that lies in memory in another order than its weights.
    """

    def __init__(self, params: Any, **numbers: Any) -> None:
        # With `fused`, GradScaler hands what overflowed to the kernel, where it would else read it and wait.
        super().__init__(params, fused=True, **numbers)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # torch's other form is refused
        _refuse(closure)
        for group in self.param_groups:
            weights, grads, buffers = _rows(self, group, "momentum_buffer")
            numbers: dict[str, Any] = {name: in_fp32(group[name]) for name in NUMBERS}
            sgd(
                weights,
                grads,
                [*buffers],  # sgd's type: a list whose entries may be None
                fused=True,
                grad_scale=getattr(self, "grad_scale", None),  # where GradScaler leaves them
                found_inf=getattr(self, "found_inf", None),
                **numbers,
            )


class VelocitySGD(torch.optim.Optimizer):
    """Momentum with the rate inside the velocity, as Keras has it: v <- m v - lr (g + wd w), then w <- w + v.

    torch.optim.SGD keeps the rate outside: b <- m b + (g + wd w), then w <- w - lr b. At a constant rate the
    two are the same (v = -lr b). When the rate drops, torch's whole step drops with it at once, while here
    the velocity still carries steps made at the old rate.
    """

    def __init__(self, params: Any, *, lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # torch's other form is refused
        _refuse(closure)
        for group in self.param_groups:
            weights, grads, velocities = _rows(self, group, "velocity")
            if not weights:  # the calls below take no empty lists
                continue
            # Each line is one call over all tensors, on a GPU few kernels.
            steps = torch._foreach_add(grads, weights, alpha=group["weight_decay"])
            torch._foreach_mul_(velocities, group["momentum"])
            # `alpha` takes numbers only: a tensor's value would be read back. Multiplied first, the step is
            # rounded once more than with a number.
            if isinstance(group["lr"], Tensor):
                torch._foreach_mul_(steps, in_fp32(group["lr"]))
                torch._foreach_sub_(velocities, steps)
            else:
                torch._foreach_add_(velocities, steps, alpha=-group["lr"])
            torch._foreach_add_(weights, velocities)


def _rows(optimizer: torch.optim.Optimizer, group: dict, name: str) -> tuple[list[Tensor], ...]:
    """Return weights with a gradient, their gradients, and their state `name`, all as rows."""
    weights, grads, states = [], [], []
    for w in group["params"]:
        if w.grad is None:
            continue
        # From 0, as m 0 + g = g: the first update needs no kernel of its own.
        if name not in optimizer.state[w]:
            optimizer.state[w][name] = torch.zeros_like(w)
        order = memory_order(w)
        weights.append(row(w, order))
        grads.append(row(w.grad, order))
        states.append(row(optimizer.state[w][name], order))
    return weights, grads, states


def _refuse(closure: Callable[[], float] | None) -> None:
    if closure is not None:
        raise ValueError("closure must be None: compute the gradient before step(), which makes one update")
