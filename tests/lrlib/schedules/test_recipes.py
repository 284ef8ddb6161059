"""Recipes: what each becomes for runs of known length, rounding included."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrlib
from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    PolynomialDecay,
    TimeDecay,
    Triangle,
    hold,
)
from lrlib.schedules.recipes import (
    RECIPES,
    SOURCE_RECIPES,
    SURVEY,
    DropRecipe,
    PolynomialRecipe,
    TimeRecipe,
    TriangleRecipe,
    get_recipe,
)

# 30 epochs of ceil(50,000 / 128) = 391 updates: 11,730 in all. 15 % of them are 1,759.5; half goes to even.
LAPTOP = {
    "constant": Constant(),
    "time": TimeDecay(decay=0.1 / 30),
    "drop": DropDecay(drop_factor=0.25, drop_steps=1760),
    "linear": LinearDecay(total_steps=11_730),
    "poly5": PolynomialDecay(total_steps=11_730, power=5),
    "triangle": Triangle(total_steps=11_730, warmup_steps=1173),
    "cosine": CosineAnnealing(total_steps=11_730),
    "cosine5": CosineAnnealing(total_steps=11_730, cycles=5),
}


def test_the_eight_recipes_on_the_laptop_run():
    built = {name: RECIPES[name].build(total_steps=11_730, steps_per_epoch=391) for name in SURVEY}
    assert built == LAPTOP
    assert list(RECIPES)[:8] == list(SURVEY)


@pytest.mark.parametrize(
    ("total", "drop_steps", "warmup_steps"),
    # 0.15 T and 0.1 T: 1.5 -> 2 and 1; 4.5 -> 4 and 3; 0.15 -> 0, at least 1; 0.5 -> 0; 2.25 -> 2, 1.5 -> 2.
    [(10, 2, 1), (30, 4, 3), (1, 1, 0), (5, 1, 0), (15, 2, 2), (39_100, 5865, 3910)],
)
def test_rounding(total, drop_steps, warmup_steps):
    assert get_recipe("drop").build(total_steps=total, steps_per_epoch=1).drop_steps == drop_steps
    assert get_recipe("triangle").build(total_steps=total, steps_per_epoch=1).warmup_steps == warmup_steps


@pytest.mark.parametrize(("total", "warmup_steps"), [(1, 0), (2, 1), (4, 3), (10, 9)])
def test_a_long_warm_up_leaves_one_update_at_least(total, warmup_steps):
    # 0.9 T: 0.9 -> 1 and 1.8 -> 2 are all there is; 3.6 -> 4 too; 9 of 10 fit
    triangle = TriangleRecipe(warmup_fraction=0.9).build(total_steps=total, steps_per_epoch=1)
    assert triangle.warmup_steps == warmup_steps


def test_time_is_the_sources_decay_at_100_epochs_whatever_the_batch():
    for steps_per_epoch in (391, 782):
        shape = get_recipe("time").build(total_steps=100 * steps_per_epoch, steps_per_epoch=steps_per_epoch)
        assert shape == TimeDecay(decay=0.001)


def test_a_triangle_starts_where_its_recipe_says():
    triangle = TriangleRecipe(warmup_fraction=0.2, start=0.3).build(total_steps=10, steps_per_epoch=1)
    assert triangle == Triangle(total_steps=10, warmup_steps=2, start=0.3)


def test_an_offset_is_rounded_too():
    # 0.01 T: 1.5 and 1.6 -> 2; 2.5 -> 2
    for total, offset in ((150, 2), (160, 2), (250, 2)):
        recipe = DropRecipe(offset_fraction=0.01)
        assert recipe.build(total_steps=total, steps_per_epoch=1).offset_steps == offset


def test_time_counts_parts_of_epochs():
    # 25 updates in epochs of 10 are 2.5 epochs: 0.1 / 2.5
    assert get_recipe("time").build(total_steps=25, steps_per_epoch=10) == TimeDecay(decay=0.04)
    assert TimeRecipe(decay_times_epochs=0).build(total_steps=25, steps_per_epoch=10) == TimeDecay(decay=0)


@given(st.sampled_from(list(RECIPES)), st.integers(17, 300), st.integers(1, 40))
def test_held_recipes_change_only_at_epoch_starts(name, epochs, steps_per_epoch):
    # From 17 updates on, five cycles always leave none empty.
    total = epochs * steps_per_epoch
    recipe = RECIPES[name]
    free = recipe.build(total_steps=total, steps_per_epoch=steps_per_epoch)
    held = recipe.build(total_steps=total, steps_per_epoch=steps_per_epoch, held=True)
    for epoch in (0, 1, epochs // 2, epochs - 1):
        first = epoch * steps_per_epoch
        assert {held(first + i) for i in range(steps_per_epoch)} == {free(first)}


def test_the_five_recipes_of_the_source_on_its_run():
    built = {
        name: recipe.build(total_steps=39_100, steps_per_epoch=391, held=True)
        for name, recipe in SOURCE_RECIPES.items()
    }
    # 15 epochs are 5,865 updates, and one epoch is 391.
    drop = DropDecay(drop_factor=0.25, drop_steps=5865, offset_steps=391)
    assert built == {
        "constant": hold(Constant(), 391),
        "time": TimeDecay(decay=0.001),
        "drop": hold(drop, 391),
        "linear": hold(LinearDecay(total_steps=39_100), 391),
        "poly5": hold(PolynomialDecay(total_steps=39_100, power=5), 391),
    }
    exponents = [(1 + epoch) // 15 for epoch in range(100)]
    assert built["drop"].values(39_100)[::391] == [0.25**exponent for exponent in exponents]
    assert [recipe.label for recipe in SOURCE_RECIPES.values()] == list(SOURCE_RECIPES)


def test_a_held_run_holds_every_recipe_but_the_one_that_says_no():
    for recipe in RECIPES.values():
        assert recipe.build(total_steps=50, steps_per_epoch=10, held=True)(9) == recipe.build(
            total_steps=50, steps_per_epoch=10
        )(0)
    free = TimeRecipe(every_update=True)
    for held in (True, False):
        assert free.build(total_steps=50, steps_per_epoch=10, held=held) == TimeDecay(decay=0.02)


def test_dicts_from_before_a_field_came_mean_its_default():
    # As the first records have them.
    drop = {"kind": "drop_recipe", "version": 1, "drop_factor": 0.5, "drop_fraction": 0.1}
    time = {"kind": "time_recipe", "version": 1, "decay_times_epochs": 0.1}
    assert lrlib.from_dict(drop) == DropRecipe(drop_factor=0.5, drop_fraction=0.1, offset_fraction=0.0)
    assert lrlib.from_dict(time) == TimeRecipe(every_update=False)
    assert (lrlib.from_dict(drop).to_dict(), lrlib.from_dict(time).to_dict()) == (drop, time)
    assert SOURCE_RECIPES["drop"].to_dict()["offset_fraction"] == 0.01
    assert SOURCE_RECIPES["time"].to_dict()["every_update"] is True
    with pytest.raises(ValueError, match="missing key 'drop_fraction'"):
        lrlib.from_dict({"kind": "drop_recipe", "version": 1, "drop_factor": 0.5})


@given(st.sampled_from([*RECIPES.values(), *SOURCE_RECIPES.values()]))
def test_recipes_round_trip_through_json(recipe):
    assert lrlib.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert recipe in (RECIPES[recipe.label], SOURCE_RECIPES.get(recipe.label))


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: get_recipe("cosin"), "did you mean 'cosine'?"),
        (lambda: get_recipe("zzz"), "got 'zzz'"),
        (
            lambda: get_recipe("drop").build(total_steps=0, steps_per_epoch=1),
            "total_steps must be >= 1, got 0",
        ),
        (
            lambda: get_recipe("drop").build(total_steps=5, steps_per_epoch=6),
            "steps_per_epoch must be <= total_steps = 5, got 6",
        ),
        (
            lambda: get_recipe("drop").build(total_steps=5, steps_per_epoch=0),
            "steps_per_epoch must be >= 1, got 0",
        ),
        (lambda: get_recipe("cosine5").build(total_steps=4, steps_per_epoch=1), "take fewer cycles"),
        (lambda: DropRecipe(drop_fraction=0), "drop_fraction must be in (0, 1], got 0"),
        (lambda: DropRecipe(drop_factor=2), "drop_factor must be in (0, 1], got 2"),
        (lambda: DropRecipe(offset_fraction=1), "offset_fraction must be in [0, 1), got 1"),
        (lambda: PolynomialRecipe(power=-1), "power must be > 0 and finite, got -1"),
        (lambda: TimeRecipe(decay_times_epochs=-1), "decay_times_epochs must be >= 0 and finite, got -1"),
        (lambda: TriangleRecipe(warmup_fraction=1), "warmup_fraction must be in [0, 1), got 1"),
    ],
)
def test_bad_recipes(attempt, words):
    with pytest.raises(ValueError, match="must ") as caught:
        attempt()
    assert words in str(caught.value)


def test_every_update_is_true_or_false():
    with pytest.raises(TypeError, match="every_update must be True or False, got 1"):
        TimeRecipe(every_update=1)
