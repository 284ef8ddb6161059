"""Data sets as tensors in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lrlib._checks import no_such
from lrlib.runs.config import FOLDS, TEST_IMAGES, TRAIN_IMAGES
from lrlib.training import cifar10
from lrlib.training.cifar10 import CLASS_NAMES, DataError

__all__ = ["DataError", "Dataset", "check", "load", "normalise", "parity"]

DIGITS_SPLIT_SEED = 0


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Train and test images with their labels.

    Attributes
    ----------
    name : str
    train_images, test_images : Tensor
        uint8 pixels, 0 to 255, [n, channels, height, width].
    train_labels, test_labels : Tensor
        int64 [n], indices of `class_names`.
    mean, std : tuple of float
        Of pixel / 255 over all train images, one number a channel; std divides by the number of pixels. A
        subset keeps those of the full set, so that both are normalised alike.
    class_names : tuple of str

    Examples
    --------
    >>> load("digits").subset(train_images=100)
    Dataset(digits, 100 train and 797 test images of 1x8x8)
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        size = "x".join(map(str, self.train_images.shape[1:]))
        train, test = len(self.train_labels), len(self.test_labels)
        return f"Dataset({self.name}, {train} train and {test} test images of {size})"

    def subset(self, train_images: int | None = None, test_images: int | None = None) -> Dataset:
        """Return the first `train_images` and `test_images`; None takes all.

        The order of the images is a fixed shuffle, so the first n are a fair sample.
        """
        for argument, n, have in (
            ("train_images", train_images, len(self.train_labels)),
            ("test_images", test_images, len(self.test_labels)),
        ):
            if n is not None and not 1 <= n <= have:
                raise ValueError(f"{argument} must be between 1 and {have} for {self.name}, got {n}")
        return replace(
            self,
            train_images=self.train_images[:train_images],
            train_labels=self.train_labels[:train_images],
            test_images=self.test_images[:test_images],
            test_labels=self.test_labels[:test_images],
        )

    def held_out(self, fold: int) -> Dataset:
        """Return the data with every fifth training image, from image fold - 1 on, as the test images.

        The others are left to train on; the test images are not there any more.

        Parameters
        ----------
        fold : int
            1 to 5.

        Examples
        --------
        >>> load("digits").subset(train_images=12).held_out(2)
        Dataset(digits, 9 train and 3 test images of 1x8x8)
        """
        out = torch.arange(len(self.train_labels)) % FOLDS == fold - 1
        return replace(
            self,
            train_images=self.train_images[~out],
            train_labels=self.train_labels[~out],
            test_images=self.train_images[out],
            test_labels=self.train_labels[out],
        )

    def to(self, device: str | torch.device) -> Dataset:
        """Return the data set with its tensors on `device`."""
        tensors = ("train_images", "train_labels", "test_images", "test_labels")
        return replace(self, **{name: getattr(self, name).to(device) for name in tensors})


def load(name: str, root: str | os.PathLike | None = None) -> Dataset:
    """Return a data set; CIFAR-10 is verified, and downloaded if this machine has no copy.

    Parameters
    ----------
    name : {"digits", "cifar10"}
        "digits" comes with scikit-learn and needs no file: 8x8 pixels, one channel, 1,000 train and 797 test.
        "cifar10": 32x32 pixels, three channels, 50,000 train and 10,000 test.
    root : path or None
        Folder with CIFAR-10 as ``plain_text/*.parquet`` or ``cifar-10-batches-py``. None takes
        ``$LRLIB_DATA``, else the user's cache (``$LRLIB_CACHE`` moves it), into which a missing copy is
        downloaded.

    Returns
    -------
    Dataset
        In an order that does not depend on the kind of file.

    Raises
    ------
    DataError
        If the data are missing or damaged: one sentence that names the file and what to do.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits
    Dataset(digits, 1000 train and 797 test images of 1x8x8)
    >>> digits.train_images.dtype, digits.train_labels.dtype
    (torch.uint8, torch.int64)
    """
    if name not in TRAIN_IMAGES:
        raise ValueError(no_such("dataset", name, TRAIN_IMAGES))
    if name == "cifar10":
        return _dataset(name, cifar10.load(root), CLASS_NAMES)
    return _dataset(name, _digits(), tuple("0123456789"))


def _digits() -> list[np.ndarray]:
    """Return scikit-learn's digits, 0 to 16 scaled to 0 to 255, in a fixed split with even classes.

    v becomes the integer nearest to 255 v / 16 = 15.9375 v; the one tie, v = 8 at 127.5, goes up.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = ((pixels.astype(np.int64) * 255 + 8) // 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images,
        labels.astype(np.int64),
        train_size=TRAIN_IMAGES["digits"],
        test_size=TEST_IMAGES["digits"],
        stratify=labels,
        random_state=DIGITS_SPLIT_SEED,
    )
    return [train_images, train_labels, test_images, test_labels]


def _dataset(name: str, arrays: list[np.ndarray], class_names: tuple[str, ...]) -> Dataset:
    train, wanted = arrays[0], (TRAIN_IMAGES[name], TEST_IMAGES[name])
    if (len(train), len(arrays[2])) != wanted:
        raise DataError(
            f"{name} must have {wanted} train and test images, got {(len(train), len(arrays[2]))}"
        )
    # Sums of whole numbers are exact: mean and std do not depend on the order of the images.
    count = train.size // train.shape[1]
    mean = train.sum(axis=(0, 2, 3), dtype=np.int64) / count
    square = np.einsum("nchw,nchw->c", train, train, dtype=np.int64) / count
    std = np.sqrt(square - mean**2)
    train_images, train_labels, test_images, test_labels = map(torch.from_numpy, arrays)
    return Dataset(
        name,
        train_images,
        train_labels,
        test_images,
        test_labels,
        mean=tuple((mean / 255).tolist()),
        std=tuple((std / 255).tolist()),
        class_names=class_names,
    )


def parity(data: Dataset) -> Dataset:
    """Return the data set with the labels 0 and 1 for classes with an even and an odd index.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits.train_labels[3:6].tolist(), parity(digits).train_labels[3:6].tolist()
    ([7, 9, 4], [1, 1, 0])
    >>> parity(digits).class_names
    ('even', 'odd')
    """
    return replace(
        data,
        train_labels=data.train_labels % 2,
        test_labels=data.test_labels % 2,
        class_names=("even", "odd"),
    )


def normalise(
    images: Tensor, mean: tuple[float, ...], std: tuple[float, ...], dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return (images / 255 - mean) / std, with one mean and one std a channel.

    Parameters
    ----------
    images : Tensor, uint8 [n, channels, height, width]
    mean, std : tuple of float
        Of pixel / 255; std > 0.
    dtype : torch.dtype
        Of the result; the arithmetic is in float32.

    Examples
    --------
    >>> normalise(torch.tensor([[[[0, 255]]]], dtype=torch.uint8), (0.5,), (0.25,)).flatten().tolist()
    [-2.0, 2.0]
    """
    if not len(mean) == len(std) == images.shape[1]:
        raise ValueError(f"mean and std must have {images.shape[1]} numbers, got {len(mean)} and {len(std)}")
    shift, scale = (_channels(tuple(values), images.device) for values in (mean, std))
    # In place after the first operation, which makes the fp32 copy: three passes, one new tensor.
    return (images / 255).sub_(shift).div_(scale).to(dtype)


@lru_cache(maxsize=64)
def _channels(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Return one number a channel, [channels, 1, 1]; kept, since a GPU waits for each copy to it."""
    # With its dtype: what is kept here must not depend on torch's default at the first call.
    return torch.tensor(values, dtype=torch.float32, device=device).reshape(-1, 1, 1)


def check(root: str | os.PathLike | None = None) -> list[str]:
    """Read and verify all data sets; return what was found, one fact a line.

    CIFAR-10 is decoded from its files, without the cache, and not downloaded.

    Raises
    ------
    DataError
        If CIFAR-10 is missing or damaged.

    Examples
    --------
    >>> check("an-empty-folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    lrlib.training.cifar10.DataError: root must be a folder that holds CIFAR-10, got 'an-empty-...
    """
    paths = cifar10.find(root, download=False)
    found = _dataset("cifar10", cifar10.read(paths), CLASS_NAMES)
    return [
        f"cifar10: {paths[0].parents[1]} ({paths[0].parent.name})",
        *_facts(found),
        # read() has compared them.
        *(f"  {split} fingerprint: {fingerprint}" for split, (_, fingerprint) in cifar10.CIFAR10.items()),
        "digits: in scikit-learn",
        *_facts(load("digits")),
    ]


def _facts(data: Dataset) -> list[str]:
    lines = []
    for split, labels in (("train", data.train_labels), ("test", data.test_labels)):
        classes = torch.bincount(labels, minlength=len(data.class_names))
        few, many = int(classes.min()), int(classes.max())
        each = f"{few:,}" if few == many else f"{few:,} to {many:,}"
        lines.append(f"  {split}: {len(labels):,} images, {each} of each class")
    for what, values in (("mean", data.mean), ("std", data.std)):
        lines.append(f"  channel {what} / 255: {' '.join(f'{value:.8f}' for value in values)}")
    return lines
