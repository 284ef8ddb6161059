"""Schedules as torch schedulers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrlib.schedules import Schedule

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LambdaLR


def to_torch(optimizer: Optimizer, schedule: Schedule) -> LambdaLR:
    """Return a torch scheduler that follows `schedule`; call its ``step()`` after every update.

    It is a `LambdaLR`: the present rate of each parameter group is its peak rate, and the factor of update 0
    is applied at once. Its ``state_dict`` has counters only; to resume, make it again with the same schedule
    and load them.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The `lr` of its groups are the peak rates.
    schedule : Schedule
        Steps are updates; for a rate that changes once an epoch use `lrlib.hold`, not ``step()`` per epoch.

    Raises
    ------
    ValueError
        If the optimizer has had a scheduler and its rate has changed since: torch would take the old peak.
        To resume, make the scheduler first and then load both states.

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
    """
    from torch.optim.lr_scheduler import LambdaLR

    if not isinstance(schedule, Schedule):
        raise TypeError(f"schedule must be a lrlib Schedule, such as lrlib.Constant(), got {schedule!r}")
    for number, group in enumerate(optimizer.param_groups):
        # LambdaLR keeps an initial_lr that is there and multiplies that, whatever lr is now.
        old = group.get("initial_lr", group["lr"])
        if old != group["lr"]:
            raise ValueError(
                f"group {number} of the optimizer has lr {group['lr']!r} and, from an earlier scheduler, "
                f"initial_lr {old!r}; to begin at lr, delete initial_lr; to resume, load its state afterwards"
            )
    # The bound method, not the object: LambdaLR saves the attributes of a callable object in its state and
    # sets them on loading, which would change a frozen schedule.
    return LambdaLR(optimizer, schedule.__call__)
