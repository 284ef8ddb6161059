"""CIFAR-10's files, whole and damaged."""

import builtins
import pickle

import numpy as np
import pytest

import lrlib
from lrlib.training import cifar10
from lrlib.training.cifar10 import BATCHES, PARQUET
from lrlib.training.dataset import DataError
from mini_cifar10 import (
    LABELS,
    MINI,
    PIXELS,
    TRAIN,
    assert_is_mini,
    new_pickle,
    png,
    python2_pickle,
    write_batches,
    write_hub,
)


def load(root):
    return cifar10.load(root, spec=MINI)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def hub(tmp_path):
    write_hub(tmp_path / "hub")
    return tmp_path / "hub"


def test_parquet(hub):
    assert_is_mini(load(hub))


@pytest.mark.parametrize(
    "dump", [python2_pickle, new_pickle(3), new_pickle(4)], ids=["python2", "protocol3", "protocol4"]
)
def test_batches_give_the_same_order(tmp_path, dump):
    write_batches(tmp_path, dump)
    assert_is_mini(load(tmp_path))


def test_python2_pickle_is_one(tmp_path):
    # The helper of this file against an independent reader.
    batch = pickle.loads(python2_pickle(PIXELS[TRAIN], LABELS[TRAIN]), encoding="latin1")
    np.testing.assert_array_equal(batch["data"].reshape(20, 3, 32, 32), PIXELS[TRAIN].transpose(0, 3, 1, 2))
    assert batch["labels"] == LABELS[TRAIN]


def replaced(pictures, row, picture):
    return [*pictures[:row], picture, *pictures[row + 1 :]]


PICTURES = [png(image) for image in PIXELS[TRAIN]]


@pytest.mark.parametrize(
    ("train", "problem"),
    [
        ({"pixels": PIXELS[:19], "labels": LABELS[:19]}, " has 19 train images where 20 are expected"),
        (
            {"pixels": PIXELS[:20], "labels": [(LABELS[0] + 1) % 10, *LABELS[1:20]]},
            " is not CIFAR-10's train set",
        ),
        (
            {"pixels": PIXELS[:20], "labels": [10, *LABELS[1:20]]},
            " has label 10 in row 0 where 0 to 9 are allowed",
        ),
        ({"pixels": PIXELS[:20], "labels": [*LABELS[:19], -1]}, " has label -1 in row 19 where 0 to 9"),
        ({"pixels": PIXELS[:20], "labels": [*LABELS[:19], None]}, " has label None in row 19 where 0 to 9"),
        (
            {"names": ("image", "label")},
            " has columns (image: struct<bytes: binary, path: string>, label: int64)",
        ),
        ({"names": ("img", "fine_label")}, " where img with bytes and a whole label are expected"),
        (
            {"labels": [str(label) for label in LABELS[:20]]},
            "label: string) where img with bytes and a whole label",
        ),
        (
            {"pictures": replaced(PICTURES, 7, png(PIXELS[7][:28, :28]))},
            ", row 7, has a picture of 28x28 RGB where 32x32 RGB is expected",
        ),
        (
            {"pictures": replaced(PICTURES, 7, png(PIXELS[7][:, :, 0]))},
            ", row 7, has a picture of 32x32 L where",
        ),
        (
            {"pictures": replaced(PICTURES, 7, PICTURES[7][:900])},
            ", row 7, has a picture that does not decode as PNG",
        ),
        (
            {"pictures": replaced(PICTURES, 7, b"GIF89a")},
            ", row 7, has a picture that does not decode as PNG",
        ),
        ({"pictures": replaced(PICTURES, 7, None)}, ", row 7, has a picture that does not decode as PNG"),
        ({"pictures": [*PICTURES[1:], PICTURES[1]]}, " is not CIFAR-10's train set (fingerprint "),
    ],
)
def test_wrong_parquet(tmp_path, cache, train, problem):
    write_hub(tmp_path, **train)
    with pytest.raises(DataError) as error:
        load(tmp_path)
    message = str(error.value)
    assert message.startswith(str(tmp_path / PARQUET[0]))
    assert problem in message
    assert message.endswith(": delete it and download it again")
    assert not cache.exists()  # nothing of it is remembered


@pytest.mark.parametrize(
    "content",
    [
        lambda whole: b"<!DOCTYPE html><html><body>Please sign in</body></html>",
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
    ids=["html", "empty", "half", "a byte short", "pointer"],
)
@pytest.mark.parametrize("name", PARQUET)
def test_no_parquet(hub, name, content):
    path = hub / name
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(DataError) as error:
        load(hub)
    assert str(error.value).startswith(f"{path} is no whole parquet file (")
    assert str(error.value).endswith("): delete it and download it again")
    assert "\n" not in str(error.value)


class Malicious:
    def __reduce__(self):
        return builtins.exec, ("import lrlib; lrlib.was_here = True",)


@pytest.mark.parametrize(
    ("dump", "problem"),
    [
        (lambda *_: pickle.dumps(Malicious()), "UnpicklingError: it asks for builtins.exec"),
        (lambda *_: pickle.dumps({"data": Malicious(), "labels": []}), "it asks for builtins.exec"),
        (lambda *_: b"cos\nsystem\n(S'true'\ntR.", "it asks for os.system"),
        (lambda *_: b"cnumpy\nload\n(S'file'\ntR.", "it asks for numpy.load"),
        (lambda *_: b"<html>", "UnpicklingError"),
        (lambda *_: b"", "EOFError"),
        (lambda *whole: python2_pickle(*whole)[:3000], "is no batch of CIFAR-10 pictures"),
        (lambda *_: pickle.dumps({"data": np.zeros((4, 3072))}, 4), "KeyError: 'labels'"),
        (
            lambda *_: pickle.dumps({"data": np.zeros((4, 3072)), "labels": [0] * 4}, 4),
            "data are float64 [4, 3072]",
        ),
        (
            lambda *_: pickle.dumps({"data": np.zeros((4, 784), "u1"), "labels": [0] * 4}, 4),
            "data are uint8 [4, 784], expected uint8 [n, 3072]",
        ),
        (lambda pixels, labels: new_pickle(4)(pixels, labels[:-1]), "has 3 labels for 4 pictures"),
        (
            lambda pixels, labels: new_pickle(4)(pixels, [*labels[:-1], 12]),
            "has label 12 in row 3 where 0 to 9",
        ),
        (
            lambda pixels, labels: new_pickle(4)(pixels, [*labels[:-1], "a"]),
            "has label 'a' in row 3 where 0 to 9",
        ),
    ],
)
def test_wrong_batch(tmp_path, dump, problem):
    write_batches(tmp_path)
    path = tmp_path / BATCHES[2]
    path.write_bytes(dump(PIXELS[8:12], LABELS[8:12]))
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert str(error.value).startswith(str(path))
    assert problem in str(error.value)
    assert str(error.value).endswith(": delete it and download it again")
    assert not hasattr(lrlib, "was_here")


def test_batches_of_another_set(tmp_path):
    write_batches(tmp_path)
    (tmp_path / BATCHES[1]).write_bytes((tmp_path / BATCHES[0]).read_bytes())
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert str(error.value).startswith(
        f"{tmp_path / 'cifar-10-batches-py'} is not CIFAR-10's train set (fingerprint"
    )
