"""The rate that an optimizer applies, recorded update by update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lrlib.adapters._groups import one_each
from lrlib.adapters.audit.compare import compare
from lrlib.adapters.audit.verdict import Reading, Verdict

if TYPE_CHECKING:
    from lrlib.schedules import Schedule

# Where wrappers (accelerate's, Lightning's, timm's Lookahead) keep the optimizer that does the work.
INNER = ("optimizer", "_optimizer", "base_optimizer", "_base_optimizer")


class _Update(NamedTuple):
    rates: tuple[Any, ...]  # one a parameter group: floats, or tensors that are read later
    found_inf: Any  # a fused optimizer's own mark that it skipped this step
    clock: int | None  # the scheduler's count


@dataclass
class RateLog:
    """Rates of the applied updates, as `watch` records them.

    Attributes
    ----------
    updates : list
        What was seen at each call of the optimizer's ``step``, skipped ones included.

    Examples
    --------
    A log made from a list, as of a framework that has no torch optimizer:

    >>> log = RateLog.of([0.1, 0.075, 0.05, 0.025])
    >>> log.rates
    [0.1, 0.075, 0.05, 0.025]
    """

    updates: list[_Update] = field(default_factory=list)

    @classmethod
    def of(cls, rates: Sequence[float], clock: Sequence[int] | None = None) -> RateLog:
        """Return a log of one parameter group with these rates."""
        clocks: Sequence[int | None] = clock if clock is not None else [None] * len(rates)
        return cls([_Update((rate,), None, at) for rate, at in zip(rates, clocks, strict=True)])

    def __add__(self, other: RateLog) -> RateLog:
        """Return the log of one run that was watched in two parts."""
        return RateLog([*self.updates, *other.updates])

    def __len__(self) -> int:
        return len(self._applied())

    @property
    def groups(self) -> int:
        """Number of the optimizer's parameter groups (the most that were seen)."""
        return max((len(update.rates) for update in self.updates), default=0)

    @property
    def rates(self) -> list[float]:
        """Rates of the first parameter group, one an applied update."""
        return self.group(0)

    def group(self, number: int) -> list[float]:
        """Return the rates of parameter group `number`; updates before it was added are left out."""
        if not 0 <= number < max(1, self.groups):
            raise ValueError(f"group must be in 0..{self.groups - 1}, got {number}")
        return [float(update.rates[number]) for update in self._applied() if number < len(update.rates)]

    @property
    def clock(self) -> list[int] | None:
        """The scheduler's count at each applied update, or None where no scheduler was given."""
        clocks = [update.clock for update in self._applied()]
        return None if not clocks or None in clocks else clocks  # type: ignore[return-value]

    @property
    def skipped(self) -> int:
        """Steps that a fused optimizer skipped by itself, since the gradients were not finite."""
        return len(self.updates) - len(self._applied())

    def _applied(self) -> list[_Update]:
        # Read here and not in the hook: a GPU's tensor would make every update wait for it.
        return [update for update in self.updates if update.found_inf is None or not float(update.found_inf)]

    def compare(
        self,
        schedule: Schedule | Sequence[Any] | Any,
        *,
        peak_lr: float | Sequence[float],
        **known: Any,
    ) -> Verdict:
        """Compare what was applied with a plan.

        Parameters
        ----------
        schedule : Schedule, callable or sequence of floats
            The plan as factors of the peak; or a list of schedules, one a parameter group.
        peak_lr : float or sequence of floats
            The peak rate, or one a parameter group; also of numpy or torch.
        **known
            What is known of the loop, as in `lrlib.audit.compare`: `start`, `steps_per_epoch`,
            `processes`, `accumulate`, `skipped`, `total_steps`, `tolerance`.

        Returns
        -------
        Verdict
            Of the parameter group that disagrees first; ``.groups`` has one a group.

        Examples
        --------
        >>> import lrlib
        >>> log = RateLog.of([0.075, 0.05, 0.025, 0.0])
        >>> log.compare(lrlib.LinearDecay(total_steps=4), peak_lr=0.1).kind
        'shift_ahead'
        """
        groups = max(1, self.groups)
        peak_lr = peak_lr.tolist() if hasattr(peak_lr, "tolist") else peak_lr  # of numpy or torch
        plans = one_each("schedule", schedule, groups, many=_is_several(schedule))
        peaks = one_each("peak_lr", peak_lr, groups, many=isinstance(peak_lr, Sequence))
        known.setdefault("skipped", self.skipped)
        verdicts = []
        for number, (plan, peak) in enumerate(zip(plans, peaks, strict=True)):
            rates, clock = self.group(number), self.clock
            late = len(self) - len(rates)  # updates before this group was added
            again = {**known, "start": known.get("start", 0) + late}
            clock = None if clock is None else clock[late:]
            verdicts.append(compare(rates, plan, peak_lr=peak, clock=clock, **again))
        if groups > 1 and not isinstance(peak_lr, Sequence):
            verdicts = _own_peaks(verdicts, peak_lr)
        lead = next((verdict for verdict in verdicts if not verdict.agrees), verdicts[0])
        return lead.among(verdicts)


def _own_peaks(verdicts: list[Verdict], peak_lr: float) -> list[Verdict]:
    """Say at the groups that have the plan times a factor how to tell that their peaks are their own."""
    factors = [
        1.0 if verdict.agrees else verdict.readings[0].numbers.get("factor", 1.0) for verdict in verdicts
    ]
    peaks = ", ".join(f"{factor * peak_lr:.6g}" for factor in factors)
    note = Reading("own_peaks", f"if the groups are meant to have peaks of their own, say peak_lr=[{peaks}]")
    return [
        verdict if factor == 1 else replace(verdict, notes=(*verdict.notes, note))
        for verdict, factor in zip(verdicts, factors, strict=True)
    ]


def _is_several(schedule: Any) -> bool:
    from lrlib.schedules import Schedule

    return isinstance(schedule, (list, tuple)) and any(
        isinstance(item, Schedule) or callable(item) for item in schedule
    )


def innermost(optimizer: Any) -> Any:
    """Return the optimizer that does the work, behind the wrappers of accelerate, Lightning or Lookahead.

    A wrapper's own hooks never fire.

    Examples
    --------
    >>> import torch
    >>> from types import SimpleNamespace
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    >>> innermost(SimpleNamespace(optimizer=SimpleNamespace(_optimizer=optimizer, step=0, param_groups=[])))
    ... # doctest: +ELLIPSIS
    SGD (...
    """
    seen: set[int] = set()
    while id(optimizer) not in seen:
        seen.add(id(optimizer))
        for name in INNER:
            # __dict__, as some wrappers answer every getattr with the inner optimizer's.
            inner = getattr(optimizer, "__dict__", {}).get(name)
            if hasattr(inner, "param_groups") and hasattr(inner, "step"):
                optimizer = inner
                break
    return optimizer


def _rates_of(optimizer: Any) -> tuple[Any, ...]:
    # Read in the hook: load_state_dict makes new dicts of the groups. Tensors change in place, so cloned.
    return tuple(
        group["lr"].detach().clone() if hasattr(group["lr"], "detach") else group["lr"]
        for group in optimizer.param_groups
    )


@contextmanager
def watch(optimizer: Any, scheduler: Any = None) -> Iterator[RateLog]:
    """Record the rate of each update that `optimizer` applies inside the ``with`` block.

    It reads ``group["lr"]`` in a hook after each step of the innermost optimizer, when the update has been
    made and the scheduler has not moved yet; of LBFGS, which reads its rate before it calls the closure,
    before each step. Steps that a GradScaler skips are left out. The optimizer, the scheduler and what they
    save are as before afterwards.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Or a wrapper of one, as accelerate and Lightning make them.
    scheduler : optional
        Its `last_epoch` is recorded too. It tells causes apart that give the same rates: above all where the
        plan is flat.

    Yields
    ------
    RateLog

    Raises
    ------
    TypeError
        If there is no torch optimizer to be found in what was given.

    Examples
    --------
    >>> import lrlib, torch
    >>> weight = torch.nn.Parameter(torch.zeros(1))
    >>> optimizer = torch.optim.SGD([weight], lr=0.1)
    >>> plan = lrlib.LinearDecay(total_steps=8)
    >>> scheduler = lrlib.to_torch(optimizer, plan)
    >>> with lrlib.audit.watch(optimizer, scheduler) as log:
    ...     for _ in range(8):
    ...         weight.grad = torch.ones(1)
    ...         optimizer.step()
    ...         scheduler.step()
    ...         scheduler.step()  # once too often
    >>> log.compare(plan, peak_lr=0.1).kind
    'too_fast'
    """
    inner = innermost(optimizer)
    if not hasattr(inner, "register_step_post_hook"):
        raise TypeError(
            f"watch needs a torch optimizer, got {type(optimizer).__name__}; for another framework, collect "
            "the rates in a list and give it to lrlib.audit.compare"
        )
    reads_first = any(parent.__name__ == "LBFGS" for parent in type(inner).__mro__)
    counter = getattr(scheduler, "scheduler", scheduler)  # accelerate's wrapper counts in the inner one
    log = RateLog()
    begun: tuple[Any, ...] | None = None

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        nonlocal begun
        begun = _rates_of(optimizer) if reads_first else ()

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        nonlocal begun
        # Where a subclass calls its parent's step, torch may call the hooks of both. The inner call was the
        # update, and its end is the first; an end that follows another end is that of the outer call.
        if begun is None:
            return
        rates, begun = begun or _rates_of(optimizer), None
        # A fused optimizer is stepped even where a GradScaler found infinities, and skips in its kernel.
        found = getattr(optimizer, "found_inf", None)
        found = found.detach().clone() if found is not None else None
        log.updates.append(_Update(rates, found, getattr(counter, "last_epoch", None)))

    from torch.compiler import disable  # else a compiled step would be compiled again as the log grows

    handles = (
        inner.register_step_pre_hook(disable(before)),
        inner.register_step_post_hook(disable(after)),
    )
    try:
        yield log
    finally:
        for handle in handles:
            handle.remove()
