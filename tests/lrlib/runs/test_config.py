"""RunConfig: what it computes, what it refuses, and that JSON carries it whole."""

import hashlib
import json

import pytest

from lrlib import DropDecay, LinearDecay, hold, preset
from lrlib.runs.config import PRESETS, ConfigError, RunConfig
from lrlib.schedules.recipes import RECIPES, SOURCE_RECIPES, DropRecipe


def test_steps_are_epochs_times_the_ceiling_of_images_over_batch():
    # 50,000 = 390 * 128 + 80: the last batch of 80 counts, so 391.
    assert preset("laptop", recipe="linear").steps_per_epoch == 391
    assert preset("laptop", recipe="linear").total_steps == 11_730
    assert preset("resnet50", recipe="linear").total_steps == 39_100
    assert preset("digits", recipe="linear", train_images=64, batch_size=32, epochs=3).total_steps == 6
    assert preset("digits", recipe="linear", train_images=65, batch_size=32, epochs=3).total_steps == 9


def test_the_presets_that_the_issue_fixes():
    laptop, resnet50 = (preset(name, recipe="constant") for name in ("laptop", "resnet50"))
    assert (laptop.network, laptop.dataset, laptop.epochs, laptop.batch_size) == (
        "resnet10",
        "cifar10",
        30,
        128,
    )
    assert (laptop.weight_decay, laptop.augmentation, laptop.held) == (1e-4, "none", False)
    assert (resnet50.augmentation, resnet50.epochs, resnet50.weight_decay) == ("flip_shift", 100, 5e-4)
    for name in PRESETS:
        config = preset(name, recipe="constant")
        assert (config.peak_lr, config.momentum) == (0.1, 0.9)


def test_the_preset_of_the_source():
    config = preset("source", recipe="constant")
    assert (config.network, config.dataset, config.epochs, config.batch_size) == (
        "source_resnet",
        "cifar10",
        100,
        128,
    )
    assert (config.train_images, config.test_images, config.augmentation) == (None, None, "none")
    assert (config.pixels, config.momentum_form, config.penalty) == ("unit", "keras", "source")
    assert (config.weight_decay, config.held, config.total_steps) == (0.0, True, 39_100)


def test_a_name_means_the_sources_recipe_in_its_preset_only():
    for name in RECIPES:
        assert preset("source", recipe=name).recipe == SOURCE_RECIPES.get(name, RECIPES[name])
        for other in set(PRESETS) - {"source"}:
            assert preset(other, recipe=name).recipe == RECIPES[name]
    assert preset("source", recipe=RECIPES["drop"]).recipe == RECIPES["drop"]
    with pytest.raises(ConfigError, match="did you mean 'linear'"):
        preset("source", recipe="lineer")


# What preset("laptop", recipe="drop", seed=1) was when the first records were written.
FIRST = {
    "network": "resnet10",
    "dataset": "cifar10",
    "train_images": None,
    "test_images": None,
    "augmentation": "none",
    "epochs": 30,
    "batch_size": 128,
    "peak_lr": 0.1,
    "momentum": 0.9,
    "weight_decay": 0.0001,
    "recipe": {"kind": "drop_recipe", "version": 1, "drop_factor": 0.25, "drop_fraction": 0.15},
    "held": False,
    "seed": 1,
    "precision": "auto",
    "device": "auto",
}


def test_a_config_of_the_first_records_is_the_same_today():
    config = preset("laptop", recipe="drop", seed=1)
    assert RunConfig(**FIRST) == config
    assert config.identity() == hashlib.sha256(json.dumps(FIRST, sort_keys=True).encode()).hexdigest()[:16]
    for change in ({"pixels": "unit"}, {"momentum_form": "keras"}):
        assert config.changed(**change).identity() != config.identity()


def test_another_task_is_another_run_and_the_old_one_keeps_its_identity():
    config = preset("digits", recipe="drop", seed=1)
    assert config.task == "classes"
    assert config.changed(task="parity").identity() != config.identity()
    # What was written before there was a task says the same run today.
    old = {name: value for name, value in config.model_dump(mode="json").items() if name != "task"}
    assert RunConfig(**old).identity() == config.identity()


def test_held_runs_change_the_rate_at_epoch_starts_only():
    config = preset("resnet50", recipe=DropRecipe(drop_factor=0.5, drop_fraction=0.1))
    assert config.schedule() == hold(DropDecay(drop_factor=0.5, drop_steps=3910), 391)
    assert config.changed(held=False, recipe="linear").schedule() == LinearDecay(total_steps=39_100)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_json_carries_it_whole(name, recipe):
    config = preset(name, recipe=recipe, seed=3)
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    assert RunConfig(**json.loads(json.dumps(config.model_dump(mode="json")))).identity() == config.identity()


def test_identity_tells_runs_apart():
    configs = [preset(n, recipe=r, seed=s) for n in PRESETS for r in RECIPES for s in range(3)]
    assert len({config.identity() for config in configs}) == len(configs)


def test_a_config_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        preset("digits", recipe="linear").seed = 4


def digits(**changes):
    return preset("digits", **{"recipe": "linear", **changes})


BAD = [
    (lambda: digits(epochs=0), "epochs: input should be greater than or equal to 1, got 0"),
    (lambda: digits(epochs=1.5), "epochs: input should be a valid integer"),
    (lambda: digits(epochs="12"), "epochs: a number is needed, got '12'"),
    (lambda: digits(batch_size=True), "batch_size: a number is needed, got True"),
    (lambda: digits(peak_lr=0), "peak_lr: input should be greater than 0"),
    (lambda: digits(peak_lr=float("nan")), "peak_lr: input should be"),
    (lambda: digits(peak_lr=float("inf")), "peak_lr: input should be a finite number"),
    (lambda: digits(momentum=1.0), "momentum: input should be less than 1"),
    (
        lambda: digits(recipe="1cycle", momentum=0.0),
        "momentum must be in [0.05, 0.95), as 1cycle moves it by 0.05 to both sides, got 0.0",
    ),
    (lambda: digits(weight_decay=-1e-4), "weight_decay: input should be greater than or equal to 0"),
    (lambda: digits(seed=-1), "seed: input should be greater than or equal to 0"),
    (lambda: digits(recipe="cosin"), "did you mean 'cosine'?"),
    (lambda: digits(recipe=LinearDecay(total_steps=9)), "recipe must be a Recipe or the name of one"),
    (lambda: digits(recipe={"kind": "linear_recipe", "version": 9}), "version of 'linear_recipe' must be 1"),
    (lambda: digits(recipe="cosine5", epochs=1, batch_size=1000), "take fewer cycles"),
    (lambda: digits(held="yes"), "held: input should be a valid boolean"),
    (lambda: digits(device="gpu"), "device: input should be 'auto', 'cpu', 'cuda' or 'mps'"),
    (lambda: digits(precision="fp8"), "precision: input should be"),
    (lambda: digits(train_images=1001), "train_images: digits has 1000 such images, got 1001"),
    (lambda: digits(test_images=9999), "test_images: digits has 797 such images, got 9999"),
    (lambda: digits(network="resnet50"), "resnet50 needs colour pictures"),
    (lambda: digits(task="colour"), "task: input should be 'classes' or 'parity', got 'colour'"),
    (
        lambda: preset("laptop", recipe="linear", task="parity"),
        "task: 'parity' is asked about digits, got dataset 'cifar10'",
    ),
    (lambda: digits(epoch=3), "did you mean 'epochs'?"),
    (lambda: digits(pixels="raw"), "pixels: input should be 'standardised' or 'unit', got 'raw'"),
    (lambda: digits(momentum_form="nesterov"), "momentum_form: input should be 'torch' or 'keras'"),
    (lambda: digits(penalty="l2"), "penalty: input should be 'uniform' or 'source'"),
    (lambda: digits(penalty="source"), "'source' is made for source_resnet, got network 'resnet8'"),
    (
        lambda: preset("source", recipe="linear", weight_decay=5e-4),
        "weight_decay: must be 0 with penalty 'source', which has its own, got 0.0005",
    ),
    (lambda: preset("digit", recipe="linear"), "did you mean 'digits'?"),
    (lambda: RunConfig(**{**digits().model_dump(), "extra": 1}), "extra: extra inputs are not permitted"),
    (lambda: RunConfig(recipe="linear"), "network: field required (and 4 more)"),
]


@pytest.mark.parametrize(("attempt", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_configs_are_one_sentence(attempt, words):
    with pytest.raises(ConfigError) as caught:
        attempt()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fold_holds_out_a_fifth_of_the_training_images():
    whole = digits()
    parts = [digits(fold=fold) for fold in (1, 2, 3, 4, 5)]
    assert [(part.images, part.tested) for part in parts] == [(800, 200)] * 5
    assert len({config.identity() for config in (whole, *parts)}) == 6
    few = [digits(fold=fold, train_images=12) for fold in (1, 2, 3, 4, 5)]
    assert [(part.images, part.tested) for part in few] == [(9, 3), (9, 3), (10, 2), (10, 2), (10, 2)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (dict(fold=6), "fold: input should be less than or equal to 5, got 6"),
        (dict(fold=True), "fold: a number is needed, got True"),
        (dict(fold=1, test_images=10), "test_images: must be None with a fold, got 10"),
        (dict(fold=3, train_images=2), "fold: 2 training images leave none to hold out or to train on"),
        (dict(fold=1, train_images=1), "fold: 1 training images leave none to hold out or to train on"),
    ],
)
def test_bad_folds(changes, words):
    with pytest.raises(ConfigError, match=words):
        digits(**changes)
