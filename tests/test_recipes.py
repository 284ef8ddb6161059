"""Recipes: what each becomes for runs of known length, rounding included."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lrlib
from lrlib import Constant, CosineAnnealing, DropDecay, LinearDecay, PolynomialDecay, TimeDecay, Triangle
from lrlib.recipes import RECIPES, DropRecipe, PolynomialRecipe, TimeRecipe, TriangleRecipe, get_recipe

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
    built = {name: recipe.build(total_steps=11_730, steps_per_epoch=391) for name, recipe in RECIPES.items()}
    assert built == LAPTOP


@pytest.mark.parametrize(
    ("total", "drop_steps", "warmup_steps"),
    # 0.15 T and 0.1 T: 1.5 -> 2 and 1; 4.5 -> 4 and 3; 0.15 -> 0, at least 1; 0.5 -> 0; 2.25 -> 2, 1.5 -> 2.
    [(10, 2, 1), (30, 4, 3), (1, 1, 0), (5, 1, 0), (15, 2, 2), (39_100, 5865, 3910)],
)
def test_rounding(total, drop_steps, warmup_steps):
    assert get_recipe("drop").build(total_steps=total, steps_per_epoch=1).drop_steps == drop_steps
    assert get_recipe("triangle").build(total_steps=total, steps_per_epoch=1).warmup_steps == warmup_steps


def test_time_is_the_sources_decay_at_100_epochs_whatever_the_batch():
    for steps_per_epoch in (391, 782):
        shape = get_recipe("time").build(total_steps=100 * steps_per_epoch, steps_per_epoch=steps_per_epoch)
        assert shape == TimeDecay(decay=0.001)


@given(st.sampled_from(list(RECIPES)), st.integers(5, 300), st.integers(1, 40))
def test_held_recipes_change_only_at_epoch_starts(name, epochs, steps_per_epoch):
    total = epochs * steps_per_epoch
    recipe = RECIPES[name]
    free = recipe.build(total_steps=total, steps_per_epoch=steps_per_epoch)
    held = recipe.build(total_steps=total, steps_per_epoch=steps_per_epoch, held=True)
    for epoch in (0, 1, epochs // 2, epochs - 1):
        first = epoch * steps_per_epoch
        assert {held(first + i) for i in range(steps_per_epoch)} == {free(first)}


@given(st.sampled_from(list(RECIPES.values())))
def test_recipes_round_trip_through_json(recipe):
    assert lrlib.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert RECIPES[recipe.label] == recipe


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda: get_recipe("cosin"), "did you mean 'cosine'?"),
        (lambda: get_recipe("zzz"), "got 'zzz'"),
        (
            lambda: get_recipe("drop").build(total_steps=0, steps_per_epoch=1),
            "total_steps must be >= 1, got 0",
        ),
        (lambda: get_recipe("drop").build(total_steps=5, steps_per_epoch=6), "steps_per_epoch must be <= "),
        (lambda: get_recipe("cosine5").build(total_steps=4, steps_per_epoch=1), "take fewer cycles"),
        (lambda: DropRecipe(drop_fraction=0), "drop_fraction must be in (0, 1], got 0"),
        (lambda: DropRecipe(drop_factor=2), "drop_factor must be in (0, 1], got 2"),
        (lambda: PolynomialRecipe(power=-1), "power must be > 0 and finite, got -1"),
        (lambda: TimeRecipe(decay_times_epochs=-1), "decay_times_epochs must be >= 0"),
        (lambda: TriangleRecipe(warmup_fraction=1), "warmup_fraction must be in [0, 1), got 1"),
    ],
)
def test_bad_recipes(attempt, words):
    with pytest.raises(ValueError, match="must ") as caught:
        attempt()
    assert words in str(caught.value)
