"""What a run counts as, and which runs may be compared. All runs in this file are synthetic."""

from __future__ import annotations

import math

import pytest

from lrlib.schedules import RECIPES
from lrlib.stats import CHANCE, alike, by_seed, compare_all, count_word, differing, final_accuracy
from synthetic import synthetic_run, two_epochs


def made_up_run(recipe, seed, accuracies=(0.5, 0.7), **changes):
    """A run with these test accuracies; two epochs are planned."""
    return synthetic_run(recipe, {"test_accuracy": accuracies}, **{"seed": seed, "epochs": 2, **changes})


def test_the_last_epoch_counts_and_not_the_best():
    assert final_accuracy(made_up_run("linear", 1, (0.9, 0.6))) == 0.6


@pytest.mark.parametrize("accuracies", [(0.8,), (0.8, 0.85), (0.8, math.nan)])
def test_a_diverged_run_counts_as_chance(accuracies):
    assert final_accuracy(made_up_run("linear", 1, accuracies, status="diverged")) == CHANCE == 0.10


def test_by_seed_groups_runs():
    runs = [
        made_up_run("linear", 2, (0.1, 0.3)),
        made_up_run("drop", 1, (0.1, 0.4)),
        made_up_run("linear", 1, (0.1, 0.2)),
    ]
    assert by_seed(runs) == {"linear": {1: 0.2, 2: 0.3}, "drop": {1: 0.4}}


def other_start(run):
    return run.model_copy(update={"start": "1" * 16})


def other_batches(run, epoch):
    epochs = list(run.epochs)
    epochs[epoch] = epochs[epoch].model_copy(update={"batches": "1" * 16})
    return run.model_copy(update={"epochs": tuple(epochs)})


def test_what_differs_from_seed_to_seed_may_differ():
    runs = [made_up_run("linear", 1), other_batches(other_start(made_up_run("linear", 2)), 1)]
    assert by_seed(runs) == {"linear": {1: 0.7, 2: 0.7}}


def test_a_class_may_count_what_does_not_share_its_start():
    runs = [made_up_run("linear", 1), other_start(made_up_run("drop", 1))]
    assert by_seed(runs, shared=False) == {"linear": {1: 0.7}, "drop": {1: 0.7}}
    (c,) = compare_all(runs, pairs=[("drop", "linear")], shared=False)
    assert c.n == 1


def halved():
    return RECIPES["drop"].to_dict() | {"drop_factor": 0.5}


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        pytest.param(lambda: [], ValueError, "runs must hold at least one run, got none", id="none"),
        pytest.param(lambda: [0.8], TypeError, "run must be a Run, .* got float", id="a number"),
        pytest.param(
            lambda: [made_up_run("linear", 1)] * 2, ValueError, "once, got linear, seed 1, twice", id="twice"
        ),
        pytest.param(
            lambda: [made_up_run("linear", 1), made_up_run("drop", 1, peak_lr=0.2)],
            ValueError,
            r"schedule and seed only, got peak_lr = 0\.1 and 0\.2; compare them in groups",
            id="two studies",
        ),
        pytest.param(
            lambda: [made_up_run("linear", 1), made_up_run("linear", 2, (0.1,) * 3, epochs=3)],
            ValueError,
            "got epochs = 2 and 3",
            id="two horizons",
        ),
        pytest.param(
            lambda: [made_up_run("drop", 1), made_up_run(halved(), 2)],
            ValueError,
            "got recipe of drop = .*0.25.* and .*0.5.*",
            id="two recipes, one name",
        ),
        pytest.param(
            lambda: [made_up_run("linear", 1), other_start(made_up_run("drop", 1))],
            ValueError,
            "runs of seed 1 must share start and batches, got others in drop",
            id="two starts",
        ),
        pytest.param(
            # The first ends before the batches part: the second and the third are compared all the same.
            lambda: [
                made_up_run("constant", 1, (0.5,), status="diverged"),
                made_up_run("linear", 1),
                other_batches(made_up_run("drop", 1), 1),
            ],
            ValueError,
            "runs of seed 1 must share start and batches, got others in drop",
            id="other batches",
        ),
        pytest.param(
            lambda: [made_up_run("linear", 1, (0.5,))], ValueError, "all its 2 epochs, got 1", id="not whole"
        ),
    ],
)
def test_runs_that_cannot_be_compared(runs, error, message):
    with pytest.raises(error, match=message):
        by_seed(runs())
    with pytest.raises(error, match=message):
        compare_all(runs())


def test_seed_precision_and_device_are_free():
    ours = [two_epochs(seed=seed) for seed in (1, 2, 3)]
    other = two_epochs(seed=8, precision="bf16", device="cpu")
    assert alike(other, ours) == ours
    assert alike(two_epochs(peak_lr=0.3), ours) == []
    assert differing(two_epochs("drop", batch_size=8), ours[0]) == {"batch_size", "recipe"}
    with pytest.raises(TypeError, match="a Run is needed, as train and load_runs"):
        alike(ours[0], ["x"])


def test_counts_are_words_up_to_ten():
    assert [count_word(n) for n in (0, 1, 10, 11)] == ["no", "one", "ten", "11"]
