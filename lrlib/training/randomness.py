"""All that a run draws at random, keyed by (seed, purpose, epoch): start, order, augmentation.

Nothing reads or moves torch's global random state. What one purpose draws cannot shift what another draws,
and epoch 7 can be drawn without epochs 0 to 6: two schedules with one seed see the same start and the same
batches, and a resumed run goes on as if nothing had happened.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from lrlib._checks import no_such

# As in He et al. 2016, https://arxiv.org/abs/1512.03385, section 4.2: pad by 4 pixels, cut out, mirror.
MAX_SHIFT_PIXELS = 4


def generator(seed: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """Return a CPU generator that depends on the key (seed, purpose, epoch) alone.

    Its seed is the first 63 bits of the SHA-256 of ``seed/purpose/epoch``, of which torch's CPU generator
    uses 32. The purposes are "weights", "order" and "augment".

    Examples
    --------
    >>> draw = lambda *key: torch.rand(3, generator=generator(*key)).tolist()
    >>> draw(0, "order", 7) == draw(0, "order", 7)
    True
    >>> draw(0, "order", 7) in (draw(1, "order", 7), draw(0, "augment", 7), draw(0, "order", 8))
    False
    """
    # A hash, as seed + epoch would give seed 0 in epoch 1 the batches of seed 1 in epoch 0.
    key = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(key[:8], "big") >> 1)  # at most 63 bits: int64


def permutation(n: int, *, seed: int, epoch: int) -> Tensor:
    """Return the order of an epoch's n images, int64 [n], from the generator of (seed, "order", epoch).

    Examples
    --------
    >>> order = permutation(5, seed=0, epoch=3)
    >>> order.dtype, sorted(order.tolist())
    (torch.int64, [0, 1, 2, 3, 4])
    """
    return torch.randperm(n, generator=generator(seed, "order", epoch))


def draw_augmentation(kind: str, n: int, *, seed: int, epoch: int) -> tuple[Tensor, ...]:
    """Return an epoch's random draws for n images, from the generator of (seed, "augment", epoch).

    Parameters
    ----------
    kind : {"none", "flip_shift"}
    n, seed, epoch : int

    Returns
    -------
    tuple of Tensor
        Empty for "none". For "flip_shift": flips, bool [n], true for one in two; shifts, int64 [n, 2], pixels
        down and to the right, each of -4 to 4 as likely as the others.

    Examples
    --------
    >>> flips, shifts = draw_augmentation("flip_shift", 2, seed=0, epoch=0)
    >>> flips.shape, shifts.shape
    (torch.Size([2]), torch.Size([2, 2]))
    >>> draw_augmentation("none", 2, seed=0, epoch=0)
    ()
    """
    if kind not in ("none", "flip_shift"):
        raise ValueError(no_such("augmentation", kind, ("none", "flip_shift")))
    if kind == "none":
        return ()
    # Drawn for the whole epoch on the CPU, apart from `augment`: a record can hash what was drawn, and the
    # draws are the same whatever device the images are on.
    source = generator(seed, "augment", epoch)
    flips = torch.randint(0, 2, (n,), generator=source).bool()
    shifts = torch.randint(-MAX_SHIFT_PIXELS, MAX_SHIFT_PIXELS + 1, (n, 2), generator=source)
    return flips, shifts


def augment(images: Tensor, flips: Tensor, shifts: Tensor) -> Tensor:
    """Return images mirrored, then shifted; pixels that the shift uncovers are black (0).

    out[y, x] = image[y - down, x - right], after the mirror, and 0 where that lies outside: what
    torchvision's RandomHorizontalFlip and RandomCrop(padding=4) do to one image at a time.

    Parameters
    ----------
    images : Tensor [n, channels, height, width]
        Of any type, on any device; a few thousand at once at most, since indices take 8 bytes a pixel.
    flips : Tensor, bool [n]
    shifts : Tensor, int64 [n, 2]
        Pixels down and to the right; negative: up and to the left.

    Examples
    --------
    >>> image = torch.tensor([[[[1, 2], [3, 4]]]])
    >>> augment(image, torch.tensor([True]), torch.tensor([[0, 1]])).tolist()
    [[[[0, 2], [0, 4]]]]
    """
    n, channels, height, width = images.shape
    y = torch.arange(height, device=images.device) - shifts[:, :1]
    x = torch.arange(width, device=images.device) - shifts[:, 1:]
    inside = ((y >= 0) & (y < height))[:, :, None] & ((x >= 0) & (x < width))[:, None, :]
    # gather takes no index from outside; what it finds at the border is multiplied by `inside` = 0 below.
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    x = torch.where(flips[:, None], width - 1 - x, x)
    # One flat index for a pixel and all its channels: 3 to 4 times as fast as advanced indexing.
    source = (y[:, :, None] * width + x[:, None, :]).reshape(n, 1, -1).expand(-1, channels, -1)
    moved = images.reshape(n, channels, -1).gather(2, source).reshape(images.shape)
    return moved * inside[:, None]
