"""Schedules as torch schedulers, and anybody's torch scheduler looked at beforehand."""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lrlib._checks import check_float, check_int, shown
from lrlib.adapters._groups import one_each
from lrlib.schedules import Schedule
from lrlib.schedules.shapes import check_schedule

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LambdaLR


def to_torch(
    optimizer: Optimizer,
    schedule: Schedule | Sequence[Schedule],
    *,
    peak_lr: float | Sequence[float] | None = None,
    at: int = 0,
) -> LambdaLR:
    """Return a torch scheduler that follows `schedule`; call its ``step()`` after every update.

    It is a `LambdaLR`: the rate of each parameter group is its peak rate times the factor, and the factor of
    update `at` is applied at once. It goes into transformers' `Trainer` (``optimizers=(optimizer,
    scheduler)``), into Lightning (with ``"interval": "step"``) and into accelerate.

    There are two ways to resume. With ``at=`` nothing has to be saved: make optimizer and scheduler anew and
    say how many updates are done. Or make it as at first and load its ``state_dict``, which has counters
    only.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    schedule : Schedule or sequence of Schedule
        One for all parameter groups, or one a group. Steps are updates; for a rate that changes once an epoch
        use `lrlib.hold`, not ``step()`` per epoch.
    peak_lr : float or sequence of floats, optional
        The peak rate, or one a group, > 0. By default the `lr` of each group; where `at` > 0 and the group
        has had a scheduler, its `initial_lr`.
    at : int
        Updates that are done, >= 0.

    Raises
    ------
    ValueError
        If an earlier scheduler has changed a group's rate, so that it does not tell the peak: name it by
        `peak_lr`. Or if there are more or fewer schedules or peaks than groups.

    Examples
    --------
    >>> import lrlib, torch
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    >>> scheduler = lrlib.to_torch(optimizer, lrlib.LinearDecay(total_steps=4))
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.05]

    Resumed after three updates, without any state:

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    >>> lrlib.to_torch(optimizer, lrlib.LinearDecay(total_steps=4), at=3).get_last_lr()
    [0.025]
    """
    from torch.optim.lr_scheduler import LambdaLR

    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list):
        raise TypeError(f"optimizer must be a torch optimizer, got {shown(optimizer)}")
    at = check_int("at", at, least=0)
    several = isinstance(schedule, (list, tuple))
    for one in schedule if several else [schedule]:  # type: ignore[union-attr]
        check_schedule(one)
    schedules: list[Any] = one_each("schedule", schedule, len(groups), many=several)
    peaks = _peaks(groups, schedules, peak_lr, at)
    for group, peak in zip(groups, peaks, strict=True):
        # LambdaLR multiplies an initial_lr that is there, whatever lr is now.
        group["initial_lr"] = peak
    # Bound methods, not objects: LambdaLR saves the attributes of a callable object in its state and sets
    # them on loading, which would change a frozen schedule.
    return LambdaLR(optimizer, [one.__call__ for one in schedules], last_epoch=at - 1)


def _peaks(groups: list[dict], schedules: list[Schedule], peak_lr: Any, at: int) -> list[Any]:
    if peak_lr is not None:
        given = one_each("peak_lr", peak_lr, len(groups), many=isinstance(peak_lr, (list, tuple)))
        return [check_float("peak_lr", one, allowed="> 0 and finite", ok=lambda x: x > 0) for one in given]
    peaks = []
    for number, (group, schedule) in enumerate(zip(groups, schedules, strict=True)):
        lr = group["lr"]
        peak = group.get("initial_lr", lr)
        # As planned at `at`, up to rounding: the optimizer's state was loaded, which has both.
        planned = at > 0 and abs(float(lr) - float(peak) * schedule(at)) <= 1e-6 * abs(float(peak))
        if peak != lr and not planned:
            raise ValueError(
                f"group {number} of the optimizer has lr {lr!r} and, from an earlier scheduler, initial_lr "
                f"{peak!r}; give the peak as peak_lr=, or, to resume, the updates that are done as at="
            )
        # A tensor would be filled with each new rate, and the peak with it.
        peaks.append(peak.detach().clone() if hasattr(peak, "detach") else peak)
    return peaks


def preview(scheduler: Any, n: int, *, group: int = 0) -> list[float]:
    """Return the rates of the next `n` updates, if this torch scheduler is stepped after each.

    It works on a copy: scheduler and optimizer stay as they are, and the network's weights are not copied.

    Parameters
    ----------
    scheduler : torch.optim.lr_scheduler.LRScheduler
        Anybody's, composed ones too; or accelerate's wrapper of one, which is looked at as on one process.
    n : int
        Updates, >= 0.
    group : int
        Parameter group, >= 0.

    Raises
    ------
    TypeError
        If it is no torch scheduler, or one whose rates depend on the run (`ReduceLROnPlateau`).
    ValueError
        If there is no such group, or the scheduler refuses to go on, as `OneCycleLR` after its end.

    Examples
    --------
    >>> import lrlib, torch
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    >>> scheduler = torch.optim.lr_scheduler.LinearLR(optimizer)  # its defaults are a warm-up
    >>> [round(rate, 4) for rate in lrlib.preview(scheduler, 7)]
    [0.0333, 0.0467, 0.06, 0.0733, 0.0867, 0.1, 0.1]
    >>> optimizer.param_groups[0]["lr"] == 0.1 / 3
    True
    """
    import torch
    from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

    n, group = check_int("n", n, least=0), check_int("group", group, least=0)
    inner = getattr(scheduler, "scheduler", scheduler)
    if isinstance(inner, ReduceLROnPlateau):
        raise TypeError("the rates of ReduceLROnPlateau depend on the run, so there is nothing to preview")
    if not isinstance(inner, LRScheduler):
        raise TypeError(f"preview needs a torch scheduler, got {shown(scheduler)}")
    optimizer = inner.optimizer
    if group >= len(optimizer.param_groups):
        raise ValueError(f"group must be in 0..{len(optimizer.param_groups) - 1}, got {group}")
    # Stand-ins for what is large, and for what a step would change: weights and the optimizer's state.
    memo: dict[int, Any] = {id(optimizer.state): defaultdict(dict)}
    for each in optimizer.param_groups:
        memo |= {id(weight): torch.nn.Parameter(torch.zeros(())) for weight in each["params"]}
    twin = copy.deepcopy(inner, memo)
    rates: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that no optimizer is stepped
        for done in range(n):
            if done:
                twin.step()
            rates.append(float(twin.optimizer.param_groups[group]["lr"]))
    return rates
