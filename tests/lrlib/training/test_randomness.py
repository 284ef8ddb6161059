"""Seeded draws: keyed and fair; and augmentation against a slow reference."""

import hashlib

import numpy as np
import pytest
import torch

from lrlib.training.randomness import augment, draw_augmentation, generator, permutation

# Seeded draws -----------------------------------------------------------------


def test_generator_is_keyed_by_all_three():
    # From the definition: the first 8 bytes of SHA-256 of "3/order/7", without the last bit.
    expected = int(hashlib.sha256(b"3/order/7").hexdigest()[:16], 16) // 2
    assert generator(3, "order", 7).initial_seed() == expected
    keys = [(3, "order", 7), (4, "order", 7), (3, "augment", 7), (3, "order", 8), (37, "order", 0)]
    assert len({tuple(torch.rand(4, generator=generator(*key)).tolist()) for key in keys}) == len(keys)


def test_permutation():
    order = permutation(100, seed=0, epoch=1)
    assert order.dtype == torch.int64
    assert sorted(order.tolist()) == list(range(100))
    assert torch.equal(order, torch.randperm(100, generator=generator(0, "order", 1)))
    torch.rand(3)
    assert torch.equal(order, permutation(100, seed=0, epoch=1))
    for other in ({"seed": 1, "epoch": 1}, {"seed": 0, "epoch": 2}):
        assert not torch.equal(order, permutation(100, **other))


def test_draws_are_uniform():
    n = 40_000
    flips, shifts = draw_augmentation("flip_shift", n, seed=0, epoch=0)
    assert (flips.dtype, flips.shape, shifts.dtype, shifts.shape) == (torch.bool, (n,), torch.int64, (n, 2))
    # Five standard errors: sqrt(1/4 / n) = 0.0025 for mirrors, sqrt(80 / 81^2 / n) = 0.00055 for one of 81.
    assert abs(flips.float().mean().item() - 1 / 2) < 5 * 0.0025
    places = {(down, right): 0 for down in range(-4, 5) for right in range(-4, 5)}
    for down, right in shifts.tolist():
        places[down, right] += 1
    assert max(abs(count / n - 1 / 81) for count in places.values()) < 5 * 0.00055
    # Mirrors and shifts are independent: mean shift of the mirrored, standard error 2.58 / sqrt(20000).
    assert shifts[flips].float().mean(0).abs().max() < 5 * 0.0183


def test_draws_are_keyed():
    def draw(**key):
        return torch.cat([d.flatten().long() for d in draw_augmentation("flip_shift", 50, **key)]).tolist()

    assert draw(seed=0, epoch=0) == draw(seed=0, epoch=0)
    assert draw(seed=0, epoch=0) not in (draw(seed=1, epoch=0), draw(seed=0, epoch=1))


def test_none_draws_nothing_and_others_are_refused():
    assert draw_augmentation("none", 50, seed=0, epoch=0) == ()
    with pytest.raises(ValueError, match="augmentation must be one of none, flip_shift, got 'flip'"):
        draw_augmentation("flip", 50, seed=0, epoch=0)


# Augmentation -----------------------------------------------------------------


def slow(image, flip, down, right):
    """One image [c, h, w] as torchvision does it: mirror, pad by 4, cut out."""
    image = image[:, :, ::-1] if flip else image
    padded = np.pad(image, ((0, 0), (4, 4), (4, 4)))
    _, height, width = image.shape
    return padded[:, 4 - down : 4 - down + height, 4 - right : 4 - right + width]


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (2, 5, 7)])
def test_augment_agrees_with_the_slow_reference(shape):
    # All 162 cases, each with an image of its own.
    cases = [(flip, down, right) for flip in (0, 1) for down in range(-4, 5) for right in range(-4, 5)]
    images = np.random.default_rng(0).integers(1, 256, (len(cases), *shape), dtype=np.uint8)
    before = torch.from_numpy(images.copy())
    expected = np.stack([slow(image, *case) for image, case in zip(images, cases, strict=True)])
    flips = torch.tensor([bool(flip) for flip, _, _ in cases])
    shifts = torch.tensor([case[1:] for case in cases])
    got = augment(before, flips, shifts)
    assert got.dtype == torch.uint8
    assert torch.equal(got, torch.from_numpy(expected))
    assert torch.equal(before, torch.from_numpy(images))  # what went in is as it was


def test_augment_by_hand():
    image = torch.tensor([[[[1, 2, 3], [4, 5, 6]]]], dtype=torch.uint8)
    got = augment(image, torch.tensor([True]), torch.tensor([[1, -1]]))
    # Mirrored: 3 2 1 / 6 5 4; one down, one left: 0 0 0 / 2 1 0.
    assert got.tolist() == [[[[0, 0, 0], [2, 1, 0]]]]


def test_augment_a_shift_beyond_the_picture_is_black():
    image = torch.full((1, 1, 2, 2), 9, dtype=torch.uint8)
    assert augment(image, torch.tensor([False]), torch.tensor([[0, 2]])).sum() == 0


def test_augment_channels_last():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    flips, shifts = torch.tensor([True, False]), torch.tensor([[1, 2], [0, -3]])
    other = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(augment(images, flips, shifts), augment(other, flips, shifts))
