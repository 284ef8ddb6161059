"""Data sets in memory: what is in them, their statistics, and what is refused."""

import hashlib
import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from lrlib.runs.config import TEST_IMAGES, TRAIN_IMAGES
from lrlib.training import dataset

TRAIN_FINGERPRINT = "d59acf989e068e709ce686cda292672c7b212c08d29d3d3e6d8c3aa99eba6a85"
TEST_FINGERPRINT = "899683d46c3a8c66fd56e1af12202e69fe5a4517be10b0f68e04c78fe585c57c"


@pytest.fixture(scope="module")
def digits():
    return dataset.load("digits")


def tiny(**changes):
    """Four train and two test images of 1x2 pixels."""
    fields = {
        "name": "tiny",
        "train_images": torch.arange(8, dtype=torch.uint8).reshape(4, 1, 1, 2),
        "train_labels": torch.tensor([0, 1, 0, 1]),
        "test_images": torch.zeros(2, 1, 1, 2, dtype=torch.uint8),
        "test_labels": torch.tensor([1, 0]),
        "mean": (0.5,),
        "std": (0.25,),
        "class_names": ("a", "b"),
    }
    return dataset.Dataset(**fields | changes)


# digits -----------------------------------------------------------------------


def test_digits_shapes(digits):
    assert (digits.train_images.shape, digits.test_images.shape) == ((1000, 1, 8, 8), (797, 1, 8, 8))
    assert (digits.train_images.dtype, digits.train_labels.dtype) == (torch.uint8, torch.int64)
    assert (digits.test_images.dtype, digits.test_labels.dtype) == (torch.uint8, torch.int64)
    assert digits.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_parity_asks_another_question_about_the_same_pictures(digits):
    odd = dataset.parity(digits)
    assert odd.class_names == ("even", "odd")
    assert torch.equal(odd.train_images, digits.train_images)
    assert torch.equal(odd.test_images, digits.test_images)
    for mine, theirs in ((odd.train_labels, digits.train_labels), (odd.test_labels, digits.test_labels)):
        assert mine.dtype == torch.int64
        assert mine.tolist() == [{0: 0, 2: 0, 4: 0, 6: 0, 8: 0}.get(label, 1) for label in theirs.tolist()]
    assert digits.class_names[4] == "4"  # the digits are what they were


def test_digits_are_scikit_learns_each_once(digits):
    # 255 v / 16, rounded by hand: 15.94, 31.88, 47.81, 63.75, 79.69, 95.62, 111.56, 127.5 (up), 143.44,
    # 159.38, 175.31, 191.25, 207.19, 223.12, 239.06, 255.
    scale = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]
    pixels, labels = load_digits(return_X_y=True)
    expected = sorted(
        [*(scale[int(v)] for v in row), label] for row, label in zip(pixels, labels, strict=True)
    )
    images = torch.cat([digits.train_images, digits.test_images]).flatten(1)
    labels = torch.cat([digits.train_labels, digits.test_labels])
    assert sorted(torch.cat([images, labels[:, None]], dim=1).tolist()) == expected


def test_digits_split_has_even_classes(digits):
    # 1000 of 1797 of every class: 174 to 183 images a class make 96.8 to 101.8.
    counts = torch.bincount(torch.cat([digits.train_labels, digits.test_labels]))
    train = torch.bincount(digits.train_labels)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (train - counts * 1000 / 1797).abs().max() < 1


def test_digits_split_never_moves(digits):
    # Recorded runs were made with this split: if scikit-learn splits otherwise, they need doing again.
    digest = hashlib.sha256(digits.train_images.numpy().tobytes() + digits.train_labels.numpy().tobytes())
    assert digest.hexdigest()[:16] == "1780821a63a20255"


def test_statistics_are_those_of_the_train_pixels(digits):
    pixels = [v / 255 for v in digits.train_images.flatten().tolist()]
    mean = math.fsum(pixels) / len(pixels)
    assert digits.mean == pytest.approx((mean,), rel=1e-12)
    assert digits.std == pytest.approx(
        (math.sqrt(math.fsum((v - mean) ** 2 for v in pixels) / len(pixels)),), rel=1e-12
    )


def test_each_channel_has_its_own_statistics(monkeypatch):
    monkeypatch.setitem(TRAIN_IMAGES, "two", 1)
    monkeypatch.setitem(TEST_IMAGES, "two", 1)
    # Channel 0 is 0 and 255: mean 1/2, std 1/2. Channel 1 is 51 twice: mean 1/5, std 0.
    images = np.array([[[[0, 255]], [[51, 51]]]], dtype=np.uint8)
    labels = np.zeros(1, dtype=np.int64)
    made = dataset._dataset("two", [images, labels, images, labels], ("a",))
    assert made.mean == pytest.approx((0.5, 0.2), abs=1e-15)
    assert made.std == pytest.approx((0.5, 0.0), abs=1e-15)


def test_wrong_size_is_refused(monkeypatch):
    monkeypatch.setitem(TRAIN_IMAGES, "two", 2)
    monkeypatch.setitem(TEST_IMAGES, "two", 1)
    one = [np.zeros((1, 1, 2, 2), np.uint8), np.zeros(1, np.int64)]
    with pytest.raises(
        dataset.DataError, match=r"two must have \(2, 1\) train and test images, got \(1, 1\)"
    ):
        dataset._dataset("two", one + one, ("a",))


def test_unknown_data_set():
    with pytest.raises(ValueError, match="dataset must be one of cifar10, digits, got 'cifar'; did you mean"):
        dataset.load("cifar")


# Dataset ----------------------------------------------------------------------


def test_subset_takes_the_first_and_keeps_the_statistics():
    some = tiny().subset(train_images=2, test_images=1)
    assert some.train_images.flatten().tolist() == [0, 1, 2, 3]
    assert (some.train_labels.tolist(), some.test_labels.tolist()) == ([0, 1], [1])
    assert len(some.test_images) == 1
    assert (some.mean, some.std) == ((0.5,), (0.25,))
    assert repr(tiny().subset()) == "Dataset(tiny, 4 train and 2 test images of 1x1x2)"


@pytest.mark.parametrize(
    ("argument", "n", "have"), [("train_images", 0, 4), ("train_images", 5, 4), ("test_images", 3, 2)]
)
def test_subset_refuses(argument, n, have):
    with pytest.raises(ValueError, match=f"^{argument} must be between 1 and {have} for tiny, got {n}$"):
        tiny().subset(**{argument: n})


def test_to_moves_all_tensors():
    moved = tiny().to("meta")
    tensors = [moved.train_images, moved.train_labels, moved.test_images, moved.test_labels]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert (moved.name, moved.mean) == ("tiny", (0.5,))


# Normalisation ----------------------------------------------------------------


def test_normalise():
    images = torch.tensor([[[[0, 255]], [[51, 102]]]], dtype=torch.uint8)
    got = dataset.normalise(images, (0.5, 0.2), (0.5, 0.1))
    # (0 - 0.5)/0.5, (1 - 0.5)/0.5; (0.2 - 0.2)/0.1, (0.4 - 0.2)/0.1
    torch.testing.assert_close(got, torch.tensor([[[[-1.0, 1.0]], [[0.0, 2.0]]]]), atol=1e-6, rtol=0)
    assert got.dtype == torch.float32
    assert dataset.normalise(images, (0.5, 0.2), (0.5, 0.1), torch.bfloat16).dtype == torch.bfloat16
    assert images.flatten().tolist() == [0, 255, 51, 102]


def test_normalised_train_set_has_mean_0_and_std_1(digits):
    got = dataset.normalise(digits.train_images, digits.mean, digits.std).double()
    assert abs(got.mean().item()) < 1e-6
    assert abs(got.std(correction=0).item() - 1) < 1e-6


def test_normalise_refuses_other_channels():
    with pytest.raises(ValueError, match="mean and std must have 1 numbers, got 3 and 1"):
        dataset.normalise(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), (0.1, 0.2, 0.3), (1.0,))


# The real CIFAR-10 ------------------------------------------------------------


@pytest.mark.cifar10
def test_cifar10(cifar10_root, tmp_path, monkeypatch):
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path))
    cifar10 = dataset.load("cifar10", cifar10_root)
    assert repr(cifar10) == "Dataset(cifar10, 50000 train and 10000 test images of 3x32x32)"
    assert (cifar10.train_images.dtype, cifar10.train_labels.dtype) == (torch.uint8, torch.int64)
    assert torch.bincount(cifar10.train_labels).tolist() == [5_000] * 10
    assert torch.bincount(cifar10.test_labels).tolist() == [1_000] * 10
    # Known to eight digits since the data set's early days.
    assert cifar10.mean == pytest.approx((0.49139968, 0.48215841, 0.44653091), abs=5e-9)
    assert cifar10.std == pytest.approx((0.24703223, 0.24348513, 0.26158784), abs=5e-9)
    # The fingerprint by its definition, from the tensors that a run gets.
    for images, labels, expected in (
        (
            cifar10.train_images,
            cifar10.train_labels,
            TRAIN_FINGERPRINT,
        ),
        (
            cifar10.test_images,
            cifar10.test_labels,
            TEST_FINGERPRINT,
        ),
    ):
        pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
        digests = [
            hashlib.sha256(bytes([label]) + image.tobytes()).digest()
            for image, label in zip(pixels, labels.tolist(), strict=True)
        ]
        assert digests == sorted(digests)
        assert hashlib.sha256(b"".join(digests)).hexdigest() == expected
    again = dataset.load("cifar10", cifar10_root)  # from the cache
    assert torch.equal(again.train_images, cifar10.train_images)
    assert torch.equal(again.test_labels, cifar10.test_labels)
    assert (again.mean, again.std) == (cifar10.mean, cifar10.std)


@pytest.mark.cifar10
def test_check(cifar10_root, tmp_path, monkeypatch):
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path))
    lines = dataset.check(cifar10_root)
    assert lines[0].startswith(f"cifar10: {cifar10_root} (")
    for line in (
        "  train: 50,000 images, 5,000 of each class",
        "  test: 10,000 images, 1,000 of each class",
        "  channel mean / 255: 0.49139968 0.48215841 0.44653091",
        "  channel std / 255: 0.24703223 0.24348513 0.26158784",
        "  train fingerprint: " + TRAIN_FINGERPRINT,
        "  test fingerprint: " + TEST_FINGERPRINT,
        "digits: in scikit-learn",
        "  train: 1,000 images, 97 to 102 of each class",
    ):
        assert line in lines
    assert not list(tmp_path.iterdir())  # a check leaves nothing behind


def test_check_does_not_download(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path))
    monkeypatch.delenv("LRLIB_DATA", raising=False)
    with pytest.raises(
        dataset.DataError, match=r"CIFAR-10 is not in .*: `lrlib\.training\.dataset\.load` downloads it, or"
    ):
        dataset.check()


def test_the_folds_cut_the_training_images_into_five():
    data = dataset.load("digits")
    folds = [data.held_out(fold) for fold in (1, 2, 3, 4, 5)]
    everything = torch.cat([fold.test_images for fold in folds])
    assert sorted(map(bytes, everything.numpy())) == sorted(map(bytes, data.train_images.numpy()))
    for place, fold in enumerate(folds):
        assert fold.test_images.equal(data.train_images[place::5])
        assert fold.test_labels.equal(data.train_labels[place::5])
        assert (len(fold.train_labels), len(fold.test_labels)) == (800, 200)
        assert (fold.mean, fold.std) == (data.mean, data.std)
