"""Stochastic gradient descent with momentum, in the two forms that libraries have."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from lrlib.runs.config import RunConfig
from lrlib.training.networks import NETWORKS

# What torch's function wants of a group.
NUMBERS = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize")


def optimizer_for(config: RunConfig, net: nn.Module, *, fused: bool = False) -> torch.optim.Optimizer:
    """Return the optimizer of a config. Every group has its `lr` and its `weight_decay`.

    `fused` lets torch's own form make an update in one pass over the weights; the Keras form has no such.
    """
    source = config.penalty == "source"
    groups = NETWORKS[config.network].penalty_groups(net) if source else net.parameters()
    numbers = {"lr": config.peak_lr, "momentum": config.momentum, "weight_decay": config.weight_decay}
    if config.momentum_form == "keras":
        return VelocitySGD(groups, **numbers)
    return (FusedSGD if fused else torch.optim.SGD)(groups, **numbers)


def as_kernels_take_it(number: float | Tensor) -> float | Tensor:
    """Return a rate that stands on the device as fp32, as kernels cast a Python number; all else as it is."""
    return number.float() if isinstance(number, Tensor) else number


def memory_order(tensor: Tensor) -> list[int]:
    """Return the dimensions in the order of memory; permuted so, a dense tensor is contiguous."""
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


def row(tensor: Tensor, order: list[int]) -> Tensor:
    """Return a tensor as one row in this order of its dimensions, a view where its memory has that order.

    Kernels over many tensors want equal strides, even of dimensions of size 1, where a stride means
    nothing: the gradient of a 1x1 kernel can differ there from its weights.
    """
    return tensor.permute(order).reshape(-1)


class FusedSGD(torch.optim.SGD):
    """torch's fused update, one pass over the weights, given views that are contiguous.

    On a CPU torch makes a copy of each channels-last gradient that it then does not use, 5 % of an update of
    ResNet-50; and it misreads a gradient that lies in memory in another order than its weights.
    """

    def __init__(self, params, **numbers: float) -> None:
        super().__init__(params, fused=True, **numbers)

    @torch.no_grad()
    def step(self, closure=None) -> None:
        _refuse(closure)
        for group in self.param_groups:
            weights, grads, buffers = [], [], []
            for w in group["params"]:
                if w.grad is None:
                    continue
                if "momentum_buffer" not in self.state[w]:
                    self.state[w]["momentum_buffer"] = torch.zeros_like(w)
                order = memory_order(w)
                weights.append(row(w, order))
                grads.append(row(w.grad, order))
                buffers.append(row(self.state[w]["momentum_buffer"], order))
            sgd(
                weights,
                grads,
                buffers,
                fused=True,
                grad_scale=getattr(self, "grad_scale", None),  # where GradScaler leaves them
                found_inf=getattr(self, "found_inf", None),
                **{name: as_kernels_take_it(group[name]) for name in NUMBERS},
            )


class VelocitySGD(torch.optim.Optimizer):
    """Momentum with the rate inside the velocity, as Keras has it: v <- m v - lr (g + wd w), then w <- w + v.

    torch.optim.SGD keeps the rate outside: b <- m b + (g + wd w), then w <- w - lr b. At a constant rate the
    two are one (v = -lr b). When the rate drops, torch's whole step drops with it at once, while here the
    velocity still carries steps made at the old rate.
    """

    def __init__(self, params, *, lr: float, momentum: float, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        _refuse(closure)
        for group in self.param_groups:
            weights, grads, velocities = [], [], []
            for w in group["params"]:
                if w.grad is None:
                    continue
                if "velocity" not in self.state[w]:
                    self.state[w]["velocity"] = torch.zeros_like(w)
                order = memory_order(w)
                weights.append(row(w, order))
                grads.append(row(w.grad, order))
                velocities.append(row(self.state[w]["velocity"], order))
            if not weights:
                continue
            # One call over all tensors a line, which on a GPU are few kernels.
            steps = torch._foreach_add(grads, weights, alpha=group["weight_decay"])
            torch._foreach_mul_(velocities, group["momentum"])
            if isinstance(
                group["lr"], Tensor
            ):  # the rate stands on the device, and `alpha` takes numbers only
                torch._foreach_mul_(steps, as_kernels_take_it(group["lr"]))
                torch._foreach_sub_(velocities, steps)
            else:
                torch._foreach_add_(velocities, steps, alpha=-group["lr"])
            torch._foreach_add_(weights, velocities)


def _refuse(closure) -> None:
    if closure is not None:
        raise ValueError("closure must be None: compute the gradient before step(), which makes one update")
