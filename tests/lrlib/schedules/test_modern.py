"""The modern schedules: values from other code, the frameworks' own rates, and what holds for all of them."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torch_lr

import lrlib
from lrlib import Constant, CosineAnnealing, LinearDecay, Triangle, join, with_warmup
from lrlib.schedules import (
    MODERN,
    RECIPES,
    SURVEY,
    CosineFloorRecipe,
    CosineToFloor,
    CyclicRecipe,
    CyclicTriangle,
    ExponentialDecay,
    ExponentialRecipe,
    InverseSqrt,
    InverseSqrtRecipe,
    MilestoneDecay,
    OneCycle,
    OneCycleRecipe,
    OneMinusSqrt,
    RestartsRecipe,
    Rex,
    StepRecipe,
    WarmRestarts,
    WSDRecipe,
    get_recipe,
)


def wsd(cooldown, warmup=0.0):
    recipe = WSDRecipe(cooldown_fraction=0.4, cooldown=cooldown, warmup_fraction=warmup)
    return recipe.build(total_steps=10, steps_per_epoch=1)


# Ten updates each, from code of its own, written before this library had these shapes.
GOLDEN = [
    (ExponentialDecay(decay_rate=0.5), "1 .5 .25 .125 .0625 .03125 .015625 .0078125 .00390625 .001953125"),
    (
        ExponentialDecay(decay_rate=0.01, decay_steps=10),
        "1 .6309573445 .3981071706 .2511886432 .1584893192 "
        ".1 .0630957344 .0398107171 .0251188643 .0158489319",
    ),
    (
        InverseSqrt(),
        "1 .7071067812 .5773502692 .5 .4472135955 "
        ".4082482905 .3779644730 .3535533906 .3333333333 .3162277660",
    ),
    (
        InverseSqrt(warmup_steps=4),
        ".25 .5 .75 1 .8944271910 .8164965809 .7559289460 .7071067812 .6666666667 .6324555320",
    ),
    (
        OneCycle(total_steps=10, warmup_steps=3),
        ".04 .28 .76 1 .9504846320 .8117456539 .6112620219 .3887419781 .1882583461 .0495193680",
    ),
    (
        OneCycle(total_steps=10, warmup_steps=3, anneal="linear"),
        ".04 .36 .68 1 .8571434286 .7142868571 .5714302857 .4285737143 .2857171429 .1428605714",
    ),
    (
        OneCycleRecipe().momentum(0.9, total_steps=10, steps_per_epoch=1),
        ".95 .925 .875 .85 .8549515566 .8688255099 .8888739533 .9111260467 .9311744901 .9450484434",
    ),
    (WarmRestarts(cycle_steps=3), "1 .75 .25 1 .9330127019 .75 .5 .25 .0669872981 1"),
    (wsd("linear"), "1 1 1 1 1 1 1 .75 .5 .25"),
    (wsd("linear", 0.2), "0 .5 1 1 1 1 1 .75 .5 .25"),
    (wsd("sqrt"), "1 1 1 1 1 1 1 .5 .2928932188 .1339745962"),
    (
        join([(Constant(), 6), (CosineAnnealing(total_steps=4), 4)]),
        "1 1 1 1 1 1 1 .8535533906 .5 .1464466094",
    ),
    (
        Rex(total_steps=10),
        "1 .9473684211 .8888888889 .8235294118 .75 "
        ".6666666667 .5714285714 .4615384615 .3333333333 .1818181818",
    ),
    (CyclicTriangle(half_cycle_steps=2), ".25 .625 1 .625 .25 .625 1 .625 .25 .625"),
    (
        CyclicTriangle(half_cycle_steps=2, peak_factor=0.5),
        ".25 .625 1 .625 .25 .4375 .625 .4375 .25 .34375",
    ),
    (Triangle(total_steps=10, warmup_steps=2), "0 .5 1 .875 .75 .625 .5 .375 .25 .125"),  # D2Z
    (
        StepRecipe(warmup_fraction=0.2).build(total_steps=10, steps_per_epoch=1),
        "0 .5 1 1 1 .1 .1 .1 .01 .01",
    ),
    (
        CosineToFloor(total_steps=10),
        "1 .9779754323 .9140576475 .8145033635 .6890576475 "
        ".55 .4109423525 .2854966365 .1859423525 .1220245677",
    ),
]


@pytest.mark.parametrize(("schedule", "values"), GOLDEN, ids=lambda x: "" if isinstance(x, str) else repr(x))
def test_golden_values(schedule, values):
    assert [schedule(t) for t in range(10)] == pytest.approx([float(x) for x in values.split()], abs=6e-11)


def torch_rates(scheduler, steps, *, momentum=False, **arguments):
    """The rates (or momenta) that a scheduler of torch sets for updates 0, 1, ..., at a peak rate of 1."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    scheduler = scheduler(optimizer, **arguments)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["momentum" if momentum else "lr"])
        optimizer.step()
        scheduler.step()
    return seen


ONE_CYCLE = dict(max_lr=1.0, total_steps=41, pct_start=13 / 41)


@pytest.mark.parametrize(
    ("schedule", "scheduler", "arguments"),
    [
        (ExponentialDecay(decay_rate=0.9), torch_lr.ExponentialLR, {"gamma": 0.9}),
        (MilestoneDecay(milestones=(7, 20)), torch_lr.MultiStepLR, {"milestones": [7, 20]}),
        (CosineToFloor(total_steps=40), torch_lr.CosineAnnealingLR, {"T_max": 40, "eta_min": 0.1}),
        (OneCycle(total_steps=40, warmup_steps=12), torch_lr.OneCycleLR, ONE_CYCLE),
        (
            OneCycle(total_steps=40, warmup_steps=12, anneal="linear"),
            torch_lr.OneCycleLR,
            {**ONE_CYCLE, "anneal_strategy": "linear"},
        ),
        (
            WarmRestarts(cycle_steps=5, growth=2),
            torch_lr.CosineAnnealingWarmRestarts,
            {"T_0": 5, "T_mult": 2},
        ),
        (
            CyclicTriangle(half_cycle_steps=4),
            torch_lr.CyclicLR,
            dict(base_lr=0.25, max_lr=1.0, step_size_up=4, cycle_momentum=False),
        ),
        (
            CyclicTriangle(half_cycle_steps=4, peak_factor=0.5),
            torch_lr.CyclicLR,
            dict(base_lr=0.25, max_lr=1.0, step_size_up=4, mode="triangular2", cycle_momentum=False),
        ),
    ],
)
def test_torch_sets_the_same_rates(schedule, scheduler, arguments):
    assert schedule.values(40) == pytest.approx(torch_rates(scheduler, 40, **arguments), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("anneal", ["cosine", "linear"])
def test_torch_sets_the_same_momenta(anneal):
    momentum = OneCycleRecipe(anneal=anneal).momentum(0.9, total_steps=40, steps_per_epoch=1)
    torchs = torch_rates(
        torch_lr.OneCycleLR,
        40,
        momentum=True,
        **ONE_CYCLE,
        anneal_strategy=anneal[:6].replace("cosine", "cos"),
    )
    assert [momentum(t) for t in range(40)] == pytest.approx(torchs, rel=1e-12)


# What each becomes on the laptop run: 30 epochs of 391 updates.
LAPTOP = {
    "exponential": ExponentialDecay(decay_rate=0.01, decay_steps=11_730),
    "noam": InverseSqrt(warmup_steps=1173),
    # 5 % are 586.5: half goes to even. The milestones are at 5,865 and 8,797.5.
    "step": with_warmup(MilestoneDecay(milestones=(5865 - 586, 8798 - 586)), 586),
    "cosine_floor": with_warmup(CosineToFloor(total_steps=11_144), 586),
    "1cycle": OneCycle(total_steps=11_730, warmup_steps=3519),
    "sgdr": WarmRestarts(cycle_steps=1676),  # 11,730 / 7 = 1,675.7
    "clr": CyclicTriangle(half_cycle_steps=1173),
    "wsd": with_warmup(join([(Constant(), 8798), (LinearDecay(total_steps=2346), 2346)]), 586),
    "wsd_sqrt": with_warmup(join([(Constant(), 8798), (OneMinusSqrt(total_steps=2346), 2346)]), 586),
    "rex": Rex(total_steps=11_730),
}


def test_the_ten_recipes_on_the_laptop_run():
    built = {name: MODERN[name].build(total_steps=11_730, steps_per_epoch=391) for name in MODERN}
    assert built == LAPTOP
    assert list(RECIPES) == [*SURVEY, *MODERN]
    assert not set(SURVEY) & set(MODERN)


def cooled(stable, down):
    return join([(Constant(), stable), (LinearDecay(total_steps=down), down)])


@pytest.mark.parametrize(
    ("recipe", "total", "shape"),
    [
        # 0.1 T: 0.1 -> 0, which is no warm-up of a Noam; 1.5 -> 2; 2.6 -> 3
        (InverseSqrtRecipe(), 1, InverseSqrt(warmup_steps=1)),
        (InverseSqrtRecipe(), 15, InverseSqrt(warmup_steps=2)),
        (InverseSqrtRecipe(), 26, InverseSqrt(warmup_steps=3)),
        # 0.05 T: 0.5 -> 0; 1.5 -> 2. 3 T/4: 7.5 -> 8; 22.5 -> 22
        (StepRecipe(), 10, MilestoneDecay(milestones=(5, 8))),
        (StepRecipe(), 30, with_warmup(MilestoneDecay(milestones=(13, 20)), 2)),
        # Its warm-up would have five updates, but the first drop is at update 1.
        (
            StepRecipe(milestones=(0.1, 0.6), drop_factor=0.5, warmup_fraction=0.5),
            10,
            with_warmup(MilestoneDecay(milestones=(0, 5), drop_factor=0.5), 1),
        ),
        (CosineFloorRecipe(), 10, CosineToFloor(total_steps=10)),
        (CosineFloorRecipe(floor=0.2), 30, with_warmup(CosineToFloor(total_steps=28, floor=0.2), 2)),
        (CosineFloorRecipe(warmup_fraction=0.9), 2, with_warmup(CosineToFloor(total_steps=1), 1)),
        (OneCycleRecipe(), 1, OneCycle(total_steps=1, warmup_steps=0)),
        (
            OneCycleRecipe(start=0.5, end=0.25, anneal="linear"),
            5,  # 1.5 -> 2
            OneCycle(total_steps=5, warmup_steps=2, start=0.5, end=0.25, anneal="linear"),
        ),
        # ceil(T / 7): 4/7 -> 1, in cycles of 1, 2 and 1; 8/7 -> 2; with growth 3, ceil(9 / (1 + 3)) = 3
        (RestartsRecipe(), 4, WarmRestarts(cycle_steps=1)),
        (RestartsRecipe(), 8, WarmRestarts(cycle_steps=2)),
        (RestartsRecipe(cycles=2, growth=3), 9, WarmRestarts(cycle_steps=3, growth=3)),
        (RestartsRecipe(cycles=1), 9, WarmRestarts(cycle_steps=9)),
        # T / 10: 0.1 -> 0, at least 1; 1.5 -> 2; 2.6 -> 3
        (CyclicRecipe(), 1, CyclicTriangle(half_cycle_steps=1)),
        (CyclicRecipe(), 15, CyclicTriangle(half_cycle_steps=2)),
        (
            CyclicRecipe(low=0.5, peak_factor=0.75),
            26,
            CyclicTriangle(half_cycle_steps=3, low=0.5, peak_factor=0.75),
        ),
        # 0.2 T: 0.2 and 0.4 -> 0, at least 1; 2; 2.6 -> 3; 6. 0.05 T: 0.5 -> 0; 0.65 -> 1; 1.5 -> 2
        (WSDRecipe(), 1, LinearDecay(total_steps=1)),
        (WSDRecipe(), 2, cooled(1, 1)),
        (WSDRecipe(), 10, cooled(8, 2)),
        (WSDRecipe(), 13, with_warmup(cooled(9, 3), 1)),
        (WSDRecipe(), 30, with_warmup(cooled(22, 6), 2)),
        # Nine updates of warm-up do not fit before a cooldown of five.
        (
            WSDRecipe(cooldown_fraction=0.5, cooldown="sqrt", warmup_fraction=0.9),
            10,
            with_warmup(OneMinusSqrt(total_steps=5), 5),
        ),
    ],
)
def test_what_rounding_makes_of_short_runs(recipe, total, shape):
    assert recipe.build(total_steps=total, steps_per_epoch=1) == shape


def test_the_ends_of_what_a_momentum_may_be():
    recipe, run = OneCycleRecipe(momentum_swing=0.25), dict(total_steps=4, steps_per_epoch=1)
    assert recipe.momentum(0.25, **run)(0) == 0.5
    assert recipe.momentum(0.5, **run)(0) == 0.75
    for middle in (0.125, 0.75, 1.0):
        with pytest.raises(
            ValueError, match=r"^momentum must be in \[0.25, 0.75\), as 1cycle moves it by 0.25 to "
        ):
            recipe.momentum(middle, **run)
    for swing in (-0.125, 0.5):
        with pytest.raises(ValueError, match=r"^momentum_swing must be in \[0, 0.5\), got "):
            OneCycleRecipe(momentum_swing=swing)


def test_a_shape_with_a_horizon_in_a_recipe_ends_with_the_run():
    horizons = {name: shape.total_steps for name, shape in LAPTOP.items() if shape.total_steps is not None}
    assert set(horizons.values()) == {11_730}
    assert list(horizons) == ["cosine_floor", "1cycle", "wsd", "wsd_sqrt", "rex"]
    assert [LAPTOP[name](11_730) for name in horizons] == [0.1, 4e-6, 0, 0, 0]


@given(st.sampled_from(list(MODERN)), st.integers(17, 700), st.integers(1, 40))
def test_every_recipe_peaks_at_one_within_the_run(name, epochs, steps_per_epoch):
    total = epochs * steps_per_epoch
    values = MODERN[name].build(total_steps=total, steps_per_epoch=steps_per_epoch).values(total)
    assert max(values) == pytest.approx(1.0, abs=1e-12)
    assert min(values) >= 0


@given(
    st.sampled_from([*LAPTOP.values(), *[s for s, _ in GOLDEN if isinstance(s, lrlib.Schedule)]]),
    st.integers(0, 10**6),
)
def test_factors_are_floats_in_the_unit_interval_and_survive_json(schedule, t):
    factor = schedule(t)
    assert type(factor) is float
    assert 0 <= factor <= 1
    again = lrlib.from_dict(json.loads(json.dumps(schedule.to_dict(), allow_nan=False)))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert schedule.values(3) == [schedule(t) for t in range(3)]


@pytest.mark.parametrize("name", MODERN)
@given(total=st.integers(1, 30))
def test_short_runs(name, total):
    if name == "sgdr" and total in (1, 2, 3):  # its third cycle would be empty
        with pytest.raises(ValueError, match="cycles must leave no cycle empty"):
            MODERN[name].build(total_steps=total, steps_per_epoch=1)
    else:
        assert max(MODERN[name].build(total_steps=total, steps_per_epoch=1).values(total)) > 0


@given(st.integers(1, 200), st.integers(0, 199))
def test_identities(total, warmup):
    warmup = min(warmup, total - 1)
    straight = OneCycle(total_steps=total, warmup_steps=warmup, start=0.0, end=0.0, anneal="linear")
    triangle = Triangle(total_steps=total, warmup_steps=warmup)
    assert straight.values(total + 3) == pytest.approx(triangle.values(total + 3), abs=1e-14)
    cosine = CosineAnnealing(total_steps=total).values(total + 3)
    assert CosineToFloor(total_steps=total, floor=0.0).values(total + 3) == pytest.approx(cosine, abs=1e-15)
    assert OneCycle(total_steps=total, warmup_steps=0, end=0.0).values(total) == pytest.approx(cosine[:total])
    rex, linear = Rex(total_steps=total).values(total), LinearDecay(total_steps=total).values(total)
    below = OneMinusSqrt(total_steps=total).values(total)
    assert all(a >= b >= c for a, b, c in zip(rex, linear, below, strict=True))
    assert WarmRestarts(cycle_steps=total, growth=1).values(3 * total) == pytest.approx(
        CosineAnnealing(total_steps=3 * total, cycles=3).values(3 * total), abs=1e-15
    )


def test_a_momentum_only_where_the_recipe_moves_it():
    run = dict(total_steps=100, steps_per_epoch=10)
    for name, recipe in RECIPES.items():
        assert (recipe.momentum(0.9, **run) is None) == (name != "1cycle")
    assert OneCycleRecipe(momentum_swing=0.0).momentum(0.9, **run) is None
    held = OneCycleRecipe().momentum(0.9, **run, held=True)
    free = OneCycleRecipe().momentum(0.9, **run)
    assert [held(t) for t in range(100)] == [free(t - t % 10) for t in range(100)]
    assert max(free(t) for t in range(100)) == pytest.approx(0.95)
    assert min(free(t) for t in range(100)) == pytest.approx(0.85)
    # It is highest where the rate is lowest.
    rates = get_recipe("1cycle").build(**run)
    heights = [(0.95 - free(t)) / 0.1 for t in range(30)]
    assert heights == pytest.approx([(rates(t) - 0.04) / 0.96 for t in range(30)], abs=1e-12)


def test_inverse_sqrt_is_noam():
    """lr = d^-1/2 min(step^-1/2, step warmup^-3/2) at steps 1, 2, ..., so its peak is (d warmup)^-1/2."""
    d, warmup = 512, 40
    for step in (1, 39, 40, 41, 1000):
        published = d**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert (d * warmup) ** -0.5 * InverseSqrt(warmup_steps=warmup)(step - 1) == pytest.approx(published)


@pytest.mark.parametrize(
    ("attempt", "error", "words"),
    [
        (lambda: ExponentialDecay(decay_rate=0), ValueError, "decay_rate must be in (0, 1], got 0"),
        (lambda: ExponentialRecipe(end=2), ValueError, "end must be in (0, 1], got 2"),
        (lambda: InverseSqrt(warmup_steps=0), ValueError, "warmup_steps must be >= 1, got 0"),
        (
            lambda: InverseSqrtRecipe(warmup_fraction=1),
            ValueError,
            "warmup_fraction must be in [0, 1), got 1",
        ),
        (lambda: MilestoneDecay(milestones=(5, 3)), ValueError, "milestones must not fall, got (5, 3)"),
        (lambda: MilestoneDecay(milestones=5), TypeError, "milestones must be a tuple of updates, got 5"),
        (lambda: StepRecipe(milestones=()), TypeError, "milestones must be a tuple of fractions, got ()"),
        (lambda: StepRecipe(milestones=(0.5, 0.3)), ValueError, "milestones must not fall"),
        (lambda: StepRecipe(milestones=(1.5,)), ValueError, "milestones must be in [0, 1], got 1.5"),
        (lambda: CosineFloorRecipe(floor=-0.1), ValueError, "floor must be in [0, 1], got -0.1"),
        (
            lambda: OneCycle(total_steps=5, warmup_steps=5),
            ValueError,
            "warmup_steps must be < total_steps = 5",
        ),
        (
            lambda: OneCycleRecipe(anneal="cosin"),
            ValueError,
            "anneal must be one of cosine, linear, got 'cosin'; did you mean 'cosine'?",
        ),
        (
            lambda: OneCycleRecipe(momentum_swing=0.5),
            ValueError,
            "momentum_swing must be in [0, 0.5), got 0.5",
        ),
        (
            lambda: OneCycleRecipe().momentum(0.0, total_steps=5, steps_per_epoch=1),
            ValueError,
            "momentum must be in [0.05, 0.95), as 1cycle moves it by 0.05 to both sides, got 0.0",
        ),
        (
            lambda: RestartsRecipe().build(total_steps=3, steps_per_epoch=1),
            ValueError,
            "cycles must leave no cycle empty, got 3 cycles of 1, 2, ... steps for total_steps = 3;",
        ),
        (lambda: CyclicRecipe(low=2), ValueError, "low must be in [0, 1], got 2"),
        (
            lambda: CyclicTriangle(half_cycle_steps=1, peak_factor=0),
            ValueError,
            "peak_factor must be in (0, 1]",
        ),
        (
            lambda: WSDRecipe(cooldown="cosine"),
            ValueError,
            "cooldown must be one of linear, sqrt, got 'cosine'",
        ),
        (lambda: WSDRecipe(cooldown_fraction=0), ValueError, "cooldown_fraction must be in (0, 1], got 0"),
        (lambda: WarmRestarts(cycle_steps=3, growth=0), ValueError, "growth must be >= 1, got 0"),
    ],
)
def test_bad_arguments(attempt, error, words):
    with pytest.raises(error) as caught:
        attempt()
    assert words in str(caught.value)


def test_restarts_far_out_are_found_quickly():
    assert WarmRestarts(cycle_steps=1, growth=1)(10**12) == 1.0
    assert WarmRestarts(cycle_steps=1, growth=2)(2**60 - 1) == 1.0
    assert math.isclose(WarmRestarts(cycle_steps=1, growth=2)(2**60 - 1 + 2**59), 0.5)
