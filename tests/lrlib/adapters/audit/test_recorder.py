"""The recorder: which optimizer it finds, what it reads, and that it leaves everything as it was."""

from types import SimpleNamespace

import pytest
import torch
from torch.optim import SGD, Adam

from lrlib import LinearDecay, audit, to_torch
from lrlib.adapters.audit import RateLog, watch


def weights(n=1):
    return [torch.nn.Parameter(torch.zeros(1)) for _ in range(n)]


def update(optimizer):
    for group in optimizer.param_groups:
        for param in group["params"]:
            param.grad = torch.ones_like(param)
    optimizer.step()


class Wrapper:
    """A wrapper that answers every question with the inner optimizer's answer, as some do."""

    def __init__(self, inner):
        self.__dict__["optimizer"] = inner

    def __getattr__(self, name):
        return getattr(self.__dict__["optimizer"], name)


def test_the_innermost_optimizer_behind_several_wrappers():
    inner = SGD(weights(), lr=0.1)
    outer = Wrapper(Wrapper(inner))
    assert audit.innermost(outer) is inner
    with watch(outer) as log:
        update(inner)
    assert log.rates == [0.1]


def test_a_wrapper_that_wraps_itself_ends():
    around = SimpleNamespace(param_groups=[], step=None)
    around.optimizer = around
    assert audit.innermost(around) is around


def test_what_is_no_torch_optimizer_is_refused():
    with (
        pytest.raises(TypeError, match=r"watch needs a torch optimizer, got list; .* lrlib\.audit\.compare"),
        watch([0.1]),
    ):
        pass


def test_nothing_is_left_behind():
    optimizer = Adam(weights(), lr=0.1)
    scheduler = to_torch(optimizer, LinearDecay(total_steps=4))
    before = set(optimizer.__dict__), repr(optimizer.state_dict()), repr(scheduler.state_dict())
    with watch(optimizer, scheduler):
        pass
    assert (set(optimizer.__dict__), repr(optimizer.state_dict()), repr(scheduler.state_dict())) == before
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


def test_the_hook_goes_when_the_loop_fails():
    optimizer = SGD(weights(), lr=0.1)
    logs = []

    def loop():
        with watch(optimizer) as log:
            logs.append(log)
            update(optimizer)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        loop()
    update(optimizer)
    assert [len(log) for log in logs] == [1]


class Derived(SGD):
    def step(self, closure=None):
        return super().step(closure)


def test_an_update_is_one_though_torch_calls_the_hooks_of_both_classes():
    SGD(weights(), lr=0.1)  # from now on its step calls hooks, also where Derived calls it
    optimizer = Derived(weights(), lr=0.1)
    with watch(optimizer) as log:
        for rate in (0.1, 0.05):
            optimizer.param_groups[0]["lr"] = rate
            update(optimizer)
    assert log.rates == [0.1, 0.05]


def test_a_step_that_fails_is_no_update():
    optimizer = Derived(weights(), lr=0.1)

    def closure():
        raise ArithmeticError

    with watch(optimizer) as log:
        update(optimizer)
        with pytest.raises(ArithmeticError):
            optimizer.step(closure)
        update(optimizer)
    assert log.rates == [0.1, 0.1]


def test_lbfgs_has_read_its_rate_before_the_closure_sets_another():
    optimizer = torch.optim.LBFGS(weights(), lr=0.1, max_iter=1)
    start = optimizer.param_groups[0]["params"][0]

    def closure():
        optimizer.param_groups[0]["lr"] = 99.0
        start.grad = torch.ones(1)
        return torch.tensor(1.0)

    with watch(optimizer) as log:
        optimizer.step(closure)
    assert log.rates == [0.1]
    assert start.item() == pytest.approx(-0.1)  # it was this rate that moved the weight


def test_a_compiled_step_is_not_compiled_again_as_the_log_grows():
    from torch._dynamo.utils import counters

    optimizer = SGD(weights(), lr=torch.tensor(0.1))
    optimizer.param_groups[0]["params"][0].grad = torch.ones(1)
    step = torch.compile(optimizer.step, backend="eager")
    with watch(optimizer) as log:
        for _ in range(3):
            step()
        compiled = counters["stats"]["unique_graphs"]
        for _ in range(3):
            step()
    assert len(log) == 6
    assert counters["stats"]["unique_graphs"] == compiled > 0


def test_groups_with_peaks_of_their_own_are_told_how_to_say_so():
    plan = LinearDecay(total_steps=20)
    optimizer = SGD([{"params": weights(), "lr": 0.1}, {"params": weights(), "lr": 0.01}], lr=0.1)
    scheduler = to_torch(optimizer, plan)
    with watch(optimizer) as log:
        for _ in range(20):
            update(optimizer)
            scheduler.step()
    verdict = log.compare(plan, peak_lr=0.1)
    assert (verdict.kind, verdict.number) == ("scaled", 1)
    assert [note.text for note in verdict.notes] == [
        "if the groups are meant to have peaks of their own, say peak_lr=[0.1, 0.01]"
    ]
    assert log.compare(plan, peak_lr=torch.tensor([0.1, 0.01]).double()).agrees


def test_a_tensor_is_read_at_its_update():
    rate = torch.tensor(0.1, dtype=torch.float64)
    optimizer = Adam(weights(), lr=rate)
    with watch(optimizer) as log:
        for value in (0.1, 0.05, 0.025):
            rate.fill_(value)
            update(optimizer)
        rate.fill_(9.0)
    assert log.rates == [0.1, 0.05, 0.025]


def test_groups_have_rates_of_their_own_and_one_may_come_later():
    optimizer = SGD([{"params": weights(), "lr": 0.1}], lr=0.1)
    plan = LinearDecay(total_steps=12)
    with watch(optimizer) as log:
        for t in range(12):
            if t == 4:
                optimizer.add_param_group({"params": weights(), "lr": 0.01})
            for group, peak in zip(optimizer.param_groups, (0.1, 0.01), strict=False):
                group["lr"] = peak * plan(t)
            update(optimizer)
    assert log.groups == 2
    assert log.group(1) == [0.01 * plan(t) for t in range(4, 12)]
    verdict = log.compare(plan, peak_lr=[0.1, 0.01])
    assert verdict.agrees
    assert [group.start for group in verdict.groups] == [0, 4]
    assert log.compare([plan, plan], peak_lr=[0.1, 0.1]).number == 1
    with pytest.raises(ValueError, match=r"group must be in 0\.\.1, got 2"):
        log.group(2)
    with pytest.raises(ValueError, match=r"peak_lr must be one for all or one a .* \(2\), got 3"):
        log.compare(plan, peak_lr=[0.1] * 3)


def test_the_count_tells_what_a_flat_plan_does_not():
    """The drop at 30 never comes: the rates alone say no more than that they never change."""
    from lrlib import DropDecay

    optimizer = SGD(weights(), lr=0.1)
    scheduler = to_torch(optimizer, DropDecay(drop_factor=0.1, drop_steps=30))
    with watch(optimizer, scheduler) as log:
        for _ in range(6):
            for _ in range(10):
                update(optimizer)
            scheduler.step()
    plan = DropDecay(drop_factor=0.1, drop_steps=30)
    assert log.clock == [t // 10 for t in range(60)]
    verdict = log.compare(plan, peak_lr=0.1)
    assert (verdict.kind, verdict.sure) == ("stepped_per_epoch", True)
    assert RateLog.of(log.rates).compare(plan, peak_lr=0.1).kind == "never_changes"


def test_two_parts_are_one_log():
    a, b = RateLog.of([0.1, 0.09], clock=[0, 1]), RateLog.of([0.08], clock=[2])
    both = a + b
    assert (len(both), both.rates, both.clock) == (3, [0.1, 0.09, 0.08], [0, 1, 2])
    assert (a + RateLog.of([0.08])).clock is None
