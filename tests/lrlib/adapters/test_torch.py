"""to_torch: a real LambdaLR; equality with torch's own schedulers where torch has the shape."""

import io
import pickle

import pytest
import torch
from torch.optim import SGD, lr_scheduler

from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    Knots,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    hold,
    join,
    to_torch,
    with_warmup,
)

T = 40


def optimizer(*rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in rates or (0.1,)]
    return SGD(groups, lr=0.1)


def applied(make, steps, *rates):
    """The rates in force at updates 0..steps-1, read from the optimizer before each update."""
    opt = optimizer(*rates)
    scheduler = make(opt)
    seen = []
    for _ in range(steps):
        seen.append([group["lr"] for group in opt.param_groups])
        opt.step()
        scheduler.step()
    return torch.tensor(seen, dtype=torch.float64)


TWINS = [
    (Constant(), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    (DropDecay(drop_factor=0.25, drop_steps=7), lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.25)),
    (
        LinearDecay(total_steps=T),
        lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=T),
    ),
    (
        Knots(total_steps=T, factors=[1, 0.6, 0.2]),
        lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=T),
    ),
    (PolynomialDecay(total_steps=T, power=5), lambda o: lr_scheduler.PolynomialLR(o, total_iters=T, power=5)),
    (CosineAnnealing(total_steps=T), lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=T)),
    (
        CosineAnnealing(total_steps=T, cycles=4),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=T // 4),
    ),
    (
        with_warmup(LinearDecay(total_steps=30), 10, start=0.1),
        lambda o: lr_scheduler.SequentialLR(
            o,
            [
                lr_scheduler.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=10),
                lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=30),
            ],
            milestones=[10],
        ),
    ),
]


@pytest.mark.parametrize(
    ("schedule", "twin"), TWINS, ids=lambda x: repr(x) if not callable(x) else type(x).__name__
)
def test_equal_to_torchs_own_scheduler(schedule, twin):
    ours = applied(lambda opt: to_torch(opt, schedule), T, 0.1, 0.02)
    # torch's chainable forms multiply the rate anew at each step and drift by rounding.
    torch.testing.assert_close(ours, applied(twin, T, 0.1, 0.02), rtol=1e-12, atol=1e-15)


def test_torchs_triangle_is_sequential_too():
    twin = TWINS[-1][1]
    inside = Triangle(total_steps=40, warmup_steps=10, start=0.1)
    torch.testing.assert_close(
        applied(lambda opt: to_torch(opt, inside), T), applied(twin, T), rtol=1e-12, atol=1e-15
    )


NESTED = join([(with_warmup(Constant(), 4), 12), (hold(LinearDecay(total_steps=20), 5), 20)])


@pytest.mark.parametrize("schedule", [NESTED, TimeDecay(decay=0.1)], ids=["nested", "time"])
def test_state_goes_through_a_weights_only_file_and_resumes(schedule):
    whole = applied(lambda opt: to_torch(opt, schedule), 30)
    opt = optimizer()
    scheduler = to_torch(opt, schedule)
    assert isinstance(scheduler, lr_scheduler.LambdaLR)
    for _ in range(9):
        opt.step()
        scheduler.step()
    file = io.BytesIO()
    torch.save({"opt": opt.state_dict(), "scheduler": scheduler.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)

    fresh = optimizer()
    before = repr(schedule), schedule.values(40)
    resumed = to_torch(fresh, schedule)
    fresh.load_state_dict(saved["opt"])
    resumed.load_state_dict(saved["scheduler"])
    assert (repr(schedule), schedule.values(40)) == before
    for t in range(9, 30):
        assert fresh.param_groups[0]["lr"] == whole[t, 0].item()
        fresh.step()
        resumed.step()


def test_state_of_one_schedule_does_not_bend_another():
    linear, shorter = LinearDecay(total_steps=40), LinearDecay(total_steps=10)
    saved = to_torch(optimizer(), linear).state_dict()
    to_torch(optimizer(), shorter).load_state_dict(saved)
    assert shorter == LinearDecay(total_steps=10)
    assert shorter(5) == 0.5


def test_a_scheduler_can_be_pickled():
    opt = optimizer()
    scheduler = to_torch(opt, NESTED)
    opt.step()
    scheduler.step()
    scheduler = pickle.loads(pickle.dumps(scheduler))
    scheduler.optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.1 * NESTED(2)]


def test_a_function_is_refused():
    with pytest.raises(TypeError, match="schedule must be a lrlib Schedule"):
        to_torch(optimizer(), lambda t: 1.0)


def test_a_second_schedule_does_not_take_the_first_one_s_peak():
    """LambdaLR keeps `initial_lr` from an earlier scheduler, and would begin at 0.1 here, silently."""
    opt = optimizer()
    first = to_torch(opt, LinearDecay(total_steps=10))
    opt.step()
    first.step()
    for group in opt.param_groups:
        group["lr"] = 0.01
    with pytest.raises(
        ValueError, match=r"lr 0\.01 and, from an earlier scheduler, initial_lr 0\.1; to begin"
    ):
        to_torch(opt, LinearDecay(total_steps=10))
    for group in opt.param_groups:
        del group["initial_lr"]
    assert to_torch(opt, LinearDecay(total_steps=10)).get_last_lr() == [0.01]
