"""A floor, another length, another batch size, a factor per part, and the count of updates."""

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrlib import (
    Constant,
    CosineAnnealing,
    DropDecay,
    LinearDecay,
    TimeDecay,
    Triangle,
    count_updates,
    extend,
    from_dict,
    hold,
    join,
    rescale,
    with_floor,
    with_warmup,
)

COSINE = CosineAnnealing(total_steps=40)
SHAPES = [
    LinearDecay(total_steps=40),
    COSINE,
    Triangle(total_steps=40, warmup_steps=7),
    with_warmup(LinearDecay(total_steps=33), 7),
    hold(COSINE, 5),
    join([(Constant(), 30), (LinearDecay(total_steps=10), 10)]),
]


@pytest.mark.parametrize("floor", [0.0, 0.1, 1.0])
def test_a_floor_is_torchs_eta_min(floor):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40, eta_min=0.2 * floor)
    ours = with_floor(COSINE, floor)
    for t in range(41):
        assert 0.2 * ours(t) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12, abs=1e-15)
        optimizer.step()
        scheduler.step()
    assert (ours(0), ours(40), ours.total_steps) == (1.0, floor, 40)


@pytest.mark.parametrize("schedule", SHAPES, ids=lambda schedule: schedule.kind)
@pytest.mark.parametrize(("at", "total"), [(10, 70), (25, 31), (0, 80), (39, 60)])
def test_extended_it_is_the_old_one_and_then_the_rest_of_it(schedule, at, total):
    longer = extend(schedule, at=at, total_steps=total)
    assert longer.values(at + 1) == schedule.values(at + 1)
    assert longer.total_steps == total
    assert longer(total) == schedule(40)
    # Written again: an even march over what is left.
    for t in range(at, total):
        time = at + (t - at) * (40 - at) / (total - at)
        assert longer(t) == pytest.approx(schedule._factor(time), abs=1e-12)


def test_extended_twice_or_not_at_all():
    plain = LinearDecay(total_steps=40)
    assert extend(plain, at=12, total_steps=40).values(44) == plain.values(44)
    twice = extend(extend(plain, at=20, total_steps=60), at=40, total_steps=50)
    assert [twice(t) for t in (20, 40, 45, 50)] == [0.5, 0.25, 0.125, 0.0]


def test_after_the_new_end_it_goes_on_as_after_the_old():
    # 1, 1, then 1 / (1 + t): from the old end, update 4, on 1/3, 1/4, 1/5; the new end is update 6.
    falling = join([(Constant(), 2), (TimeDecay(decay=1), 2)])
    longer = extend(falling, at=2, total_steps=6)
    assert [longer(t) for t in (2, 4, 6, 7, 8)] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]


def test_a_linear_decay_stretched_at_the_start_is_the_longer_one():
    stretched = extend(LinearDecay(total_steps=40), at=0, total_steps=90)
    assert stretched.values(91) == pytest.approx(LinearDecay(total_steps=90).values(91), abs=1e-15)


@pytest.mark.parametrize("k", [2, 4, 8])
def test_rescaled_by_a_whole_number_it_is_every_kth_factor(k):
    for schedule in SHAPES:
        fewer = rescale(schedule, k)
        assert fewer.total_steps == math.ceil(40 / k)
        assert fewer.values(10) == schedule.values(10 * k)[::k]


def test_rescaled_down_and_up_again():
    half = rescale(LinearDecay(total_steps=40), 0.5)
    assert half.total_steps == 80
    assert half.values(81) == LinearDecay(total_steps=80).values(81)
    assert rescale(half, 2).values(41) == LinearDecay(total_steps=40).values(41)
    assert rescale(DropDecay(drop_factor=0.5, drop_steps=10), 3).total_steps is None


def test_restarts_that_shrink():
    cycle = CosineAnnealing(total_steps=10)
    shrinking = join([(cycle, 10), (cycle, 10, 0.5), (cycle, 10, 0.25)])
    assert shrinking.values(30) == [0.5 ** (t // 10) * cycle(t % 10) for t in range(30)]
    assert shrinking.total_steps == 30
    assert join([(Constant(), 2, 0.5), (Constant(), None, 0.25)]).values(4) == [0.5, 0.5, 0.25, 0.25]


def test_a_part_may_be_without_a_rate():
    pause = join([(Constant(), 1), (Constant(), 2, 0), (LinearDecay(total_steps=2), 2, 0.5)])
    assert pause.values(6) == [1.0, 0.0, 0.0, 0.5, 0.25, 0.0]


def test_a_factor_of_one_is_left_out_of_what_is_written():
    plain = join([(Constant(), 3), (LinearDecay(total_steps=2), 2)])
    assert join([(Constant(), 3, 1.0), (LinearDecay(total_steps=2), 2, 1)]) == plain
    assert plain.to_dict()["parts"][0] == [Constant().to_dict(), 3]


@pytest.mark.parametrize(
    "schedule",
    [
        with_floor(COSINE, 0.1),
        extend(COSINE, at=10, total_steps=90),
        rescale(COSINE, 2.5),
        join([(COSINE, 40), (COSINE, 40, 0.5)]),
    ],
    ids=lambda schedule: schedule.kind,
)
def test_they_are_written_and_read_and_shown(schedule):
    again = from_dict(json.loads(json.dumps(schedule.to_dict())))
    assert again == schedule
    assert again.values(90) == schedule.values(90)
    names = {"CosineAnnealing": CosineAnnealing, "join": join, "extend": extend}
    assert eval(repr(schedule), {**names, "with_floor": with_floor, "rescale": rescale}) == schedule


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: with_floor(COSINE, 1.1), ValueError, r"floor must be in \[0, 1\], got 1\.1"),
        (lambda: with_floor(0.1, COSINE), TypeError, "schedule must be a lrlib Schedule"),
        (lambda: with_warmup(0.1, 5), TypeError, "schedule must be a lrlib Schedule"),
        (lambda: extend(0.1, at=1, total_steps=9), TypeError, "schedule must be a lrlib Schedule"),
        (lambda: rescale(0.1, 2), TypeError, "schedule must be a lrlib Schedule"),
        (lambda: extend(Constant(), at=1, total_steps=9), ValueError, r"Constant\(\) has no end, so there"),
        (lambda: extend(COSINE, at=40, total_steps=90), ValueError, "at must be < 40, the schedule's own"),
        (lambda: extend(COSINE, at=30, total_steps=30), ValueError, "total_steps must be >= 31, got 30"),
        (lambda: rescale(COSINE, 0), ValueError, "k must be > 0 and finite, got 0"),
        (lambda: join([(COSINE, 3, -1)]), ValueError, "factor of part 0 must be >= 0 and finite, got -1"),
        (lambda: join([(COSINE, 3, 1, 1)]), TypeError, "part 0 of join must be a .* pair, or have a factor"),
        (lambda: count_updates(images=9, batch=1, drop_last=1), TypeError, "drop_last must be True or False"),
        (
            lambda: count_updates(images=9, batch=5, processes=2, drop_last=True),
            ValueError,
            r"no update is left: with drop_last, 9 images fill no batch of 10 \(batch \* processes\)",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@pytest.mark.parametrize("name", ["images", "batch", "epochs", "accumulate", "processes"])
def test_updates_are_counted_in_whole_numbers_from_one_on(name):
    known = dict(images=7, batch=2, epochs=1, accumulate=1, processes=1)
    with pytest.raises(ValueError, match=f"^{name} must be >= 1, got 0$"):
        count_updates(**{**known, name: 0})
    with pytest.raises(TypeError, match=f"^{name} must be an integer >= 1, got 1.5"):
        count_updates(**{**known, name: 1.5})


@given(
    images=st.integers(1, 60),
    batch=st.integers(1, 9),
    accumulate=st.integers(1, 5),
    epochs=st.integers(1, 3),
    drop_last=st.booleans(),
)
def test_updates_are_those_of_a_loop_over_torchs_loader(images, batch, accumulate, epochs, drop_last):
    loader = torch.utils.data.DataLoader(range(images), batch_size=batch, drop_last=drop_last)
    updates = 0
    for _ in range(epochs):
        waiting = 0
        for _ in loader:
            waiting += 1
            if waiting == accumulate:
                updates, waiting = updates + 1, 0
        updates += waiting > 0
    known = dict(images=images, batch=batch, accumulate=accumulate, epochs=epochs, drop_last=drop_last)
    if updates:
        assert count_updates(**known) == updates
    else:
        with pytest.raises(ValueError, match="no update is left"):
            count_updates(**known)


@given(images=st.integers(1, 60), batch=st.integers(1, 9), processes=st.integers(1, 4))
def test_processes_share_as_torchs_sampler_shares(images, batch, processes):
    sampler = torch.utils.data.DistributedSampler(range(images), num_replicas=processes, rank=0)
    loader = torch.utils.data.DataLoader(range(images), batch_size=batch, sampler=sampler)
    assert count_updates(images=images, batch=batch, processes=processes) == len(loader)


@pytest.mark.filterwarnings("ignore")  # of the framework
@pytest.mark.rosetta("transformers", "accelerate")
def test_transformers_counts_alike(tmp_path):
    from frameworks import trainer_log

    log = trainer_log(tmp_path, 3, 5, 0.1, accumulate=2, per_device_eval_batch_size=1)
    assert len(log) == count_updates(images=10, batch=1, accumulate=2, epochs=3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.rosetta("lightning")
def test_lightning_counts_alike():
    from frameworks import lightning_log

    log = lightning_log(
        lambda module: torch.optim.SGD(module.parameters(), lr=0.1), 3, 10, accumulate_grad_batches=4
    )
    assert len(log) == count_updates(images=10, batch=1, accumulate=4, epochs=3) == 9
