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
    preview,
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
        ValueError, match=r"lr 0\.01 and, from an earlier scheduler, initial_lr 0\.1; give the peak"
    ):
        to_torch(opt, LinearDecay(total_steps=10))
    for group in opt.param_groups:
        del group["initial_lr"]
    assert to_torch(opt, LinearDecay(total_steps=10)).get_last_lr() == [0.01]


SHAPES = [NESTED, TimeDecay(decay=0.1), Triangle(total_steps=T, warmup_steps=7), LinearDecay(total_steps=T)]


@pytest.mark.parametrize("schedule", SHAPES, ids=lambda schedule: schedule.kind)
@pytest.mark.parametrize("at", [0, 1, 9, 29])
def test_made_anew_at_any_update_it_goes_on(schedule, at):
    """Nothing is loaded: a fresh optimizer, and the number of updates that are done."""
    rest = applied(lambda opt: to_torch(opt, schedule, at=at), 30 - at, 0.1, 0.02)
    expected = torch.tensor([[peak * schedule(t) for peak in (0.1, 0.02)] for t in range(at, 30)])
    torch.testing.assert_close(rest.float(), expected, rtol=1e-7, atol=0)


def test_the_count_goes_on_too():
    scheduler = to_torch(optimizer(), LinearDecay(total_steps=10), at=4)
    assert scheduler.last_epoch == 4
    assert scheduler.base_lrs == [0.1]


def after_updates(done):
    opt = optimizer(0.1, 0.02)
    scheduler = to_torch(opt, LinearDecay(total_steps=10))
    for _ in range(done):
        opt.step()
        scheduler.step()
    return opt


def test_an_optimizer_whose_state_was_loaded_goes_on_from_its_own_peaks():
    fresh = optimizer(0.1, 0.02)
    fresh.load_state_dict(after_updates(4).state_dict())
    assert to_torch(fresh, LinearDecay(total_steps=10), at=4).get_last_lr() == [0.1 * 0.6, 0.02 * 0.6]


@pytest.mark.parametrize("at", [0, 5])
def test_a_loaded_rate_that_is_not_the_plans_is_refused(at):
    """Resumed as from the beginning, or with another count: torch would jump without a word."""
    with pytest.raises(ValueError, match=r"group 0 of the optimizer has lr 0\.06\d* and, from an earlier"):
        to_torch(after_updates(4), LinearDecay(total_steps=10), at=at)


def test_a_peak_that_is_given_counts_whatever_went_before():
    opt = after_updates(4)
    assert to_torch(opt, LinearDecay(total_steps=10), peak_lr=0.5).get_last_lr() == [0.5, 0.5]
    scheduler = to_torch(opt, LinearDecay(total_steps=10), peak_lr=[0.5, 1.0], at=5)
    assert scheduler.get_last_lr() == [0.25, 0.5]


def test_a_schedule_for_each_group():
    linear, constant = LinearDecay(total_steps=10), Constant()
    seen = applied(lambda opt: to_torch(opt, [linear, constant]), 10, 0.1, 0.02)
    assert seen[:, 0].tolist() == [0.1 * linear(t) for t in range(10)]
    assert set(seen[:, 1].tolist()) == {0.02}


def test_one_too_few_or_too_many_is_refused():
    with pytest.raises(ValueError, match=r"schedule must be one for all or one a .* \(2\), got 1"):
        to_torch(optimizer(0.1, 0.02), [Constant()])
    with pytest.raises(ValueError, match=r"peak_lr must be one for all or one a .* \(2\), got 3"):
        to_torch(optimizer(0.1, 0.02), Constant(), peak_lr=[0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match="peak_lr must be > 0 and finite, got 0"):
        to_torch(optimizer(), Constant(), peak_lr=0)
    with pytest.raises(ValueError, match="at must be >= 0, got -1"):
        to_torch(optimizer(), Constant(), at=-1)


def test_a_rate_that_is_a_tensor_keeps_its_peak():
    param = torch.nn.Parameter(torch.zeros(1))
    opt = torch.optim.Adam([param], lr=torch.tensor(0.1, dtype=torch.float64))
    rate = opt.param_groups[0]["lr"]
    scheduler = to_torch(opt, LinearDecay(total_steps=4))
    for t in range(4):
        assert float(rate) == pytest.approx(0.1 * (1 - t / 4), rel=1e-12)
        param.grad = torch.ones(1)
        opt.step()
        scheduler.step()


PREVIEWED = {
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=T, cycle_momentum=True),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T),
    "sequential": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o, 0.1, 1.0, 5), lr_scheduler.ExponentialLR(o, 0.9)], [5]
    ),
    "chained": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.LinearLR(o, 0.1, 1.0, 5), lr_scheduler.ExponentialLR(o, 0.9)], o
    ),
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
    "multiplicative": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.9),
    "to_torch": lambda o: to_torch(o, NESTED),
}


@pytest.mark.parametrize("name", PREVIEWED)
def test_a_preview_is_what_comes_and_changes_nothing(name):
    opt = SGD([torch.nn.Parameter(torch.zeros(3))], lr=0.1, momentum=0.9)
    scheduler = PREVIEWED[name](opt)
    before = repr(opt.state_dict()), repr(scheduler.state_dict())
    rates = preview(scheduler, 30)
    assert (repr(opt.state_dict()), repr(scheduler.state_dict())) == before
    seen = []
    for done in range(30):
        seen.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
        if done == 11:
            assert preview(scheduler, 18) == rates[12:]
    assert seen == rates


def test_a_preview_copies_no_weights():
    weight = torch.nn.Parameter(torch.zeros(1))
    opt = torch.optim.Adam([weight], lr=0.1)
    scheduler = to_torch(opt, LinearDecay(total_steps=4))
    weight.grad = torch.ones(1)
    opt.step()
    scheduler.step()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "__deepcopy__", lambda *_: pytest.fail("a tensor was copied"))
        patch.setattr(torch.nn.Parameter, "__deepcopy__", lambda *_: pytest.fail("a weight was copied"))
        assert preview(scheduler, 2) == [0.1 * 0.75, 0.1 * 0.5]


def test_a_preview_of_another_group():
    scheduler = to_torch(optimizer(0.1, 0.02), LinearDecay(total_steps=2))
    assert preview(scheduler, 3, group=1) == [0.02, 0.01, 0.0]
    with pytest.raises(ValueError, match=r"group must be in 0\.\.1, got 2"):
        preview(scheduler, 3, group=2)


def test_what_has_no_rates_of_its_own_is_refused():
    with pytest.raises(TypeError, match="ReduceLROnPlateau depend on the run"):
        preview(lr_scheduler.ReduceLROnPlateau(optimizer()), 3)
    with pytest.raises(TypeError, match="preview needs a torch scheduler, got SGD"):
        preview(optimizer(), 3)


def test_onecycle_goes_one_step_too_far_in_a_preview_too():
    """Its last allowed step puts the rate up again (pytorch#91765), and the next is refused."""
    scheduler = lr_scheduler.OneCycleLR(optimizer(), 0.1, total_steps=10)
    assert preview(scheduler, 11)[-1] > 10 * preview(scheduler, 10)[-1]
    with pytest.raises(ValueError, match=r"Tried to step 1[12] times"):
        preview(scheduler, 12)
