"""Finding, downloading, reading, verifying and remembering CIFAR-10, on a small set of the same form."""

import builtins
import os
import pickle
import socket
import time
from collections import OrderedDict
from pathlib import Path

import huggingface_hub
import numpy as np
import platformdirs
import pytest
import torchvision

import lrlib
from lrlib.training import cifar10
from lrlib.training.cifar10 import BATCHES, PARQUET, DataError
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


def load(root=None):
    return cifar10.load(root, spec=MINI)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no LRLIB_DATA, no network."""
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LRLIB_DATA", raising=False)

    def no_network(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    return tmp_path / "cache" / "cifar10"


@pytest.fixture
def hub(tmp_path):
    write_hub(tmp_path / "hub")
    return tmp_path / "hub"


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded."""
    names = []
    for function in ("read_parquet", "read_batch"):
        original = getattr(cifar10, function)

        def spy(path, original=original):
            names.append(path.name)
            return original(path)

        monkeypatch.setattr(cifar10, function, spy)
    return names


# Finding ----------------------------------------------------------------------


def test_root_goes_before_the_environment_before_the_cache(tmp_path, cache, monkeypatch):
    roots = [tmp_path / "root", tmp_path / "environment", cache]
    for root in roots:
        write_hub(root)
    monkeypatch.setenv("LRLIB_DATA", str(roots[1]))
    assert cifar10.find(roots[0])[0] == roots[0] / PARQUET[0]
    assert cifar10.find()[0] == roots[1] / PARQUET[0]
    monkeypatch.delenv("LRLIB_DATA")
    assert cifar10.find() == [roots[2] / name for name in PARQUET]


def test_cache_of_the_user(monkeypatch):
    monkeypatch.delenv("LRLIB_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: f"/caches/{name}")
    assert cifar10.cache_folder().as_posix() == "/caches/lrlib/cifar10"


@pytest.mark.parametrize("argument", ["root", "LRLIB_DATA"])
@pytest.mark.parametrize("half", [False, True])
def test_a_named_folder_without_data_is_an_error(tmp_path, cache, monkeypatch, argument, half):
    write_hub(cache)  # there is a copy, but it is not the one that was asked for
    empty = tmp_path / "empty"
    if half:
        write_hub(empty)
        (empty / PARQUET[1]).unlink()
    if argument == "LRLIB_DATA":
        monkeypatch.setenv("LRLIB_DATA", str(empty))
    with pytest.raises(DataError) as error:
        load(empty if argument == "root" else None)
    assert str(error.value) == (
        f"{argument} must be a folder that holds CIFAR-10, got '{empty}': looked for "
        "plain_text/train-00000-of-00001.parquet with plain_text/test-00000-of-00001.parquet, "
        "and for cifar-10-batches-py with its six batch files"
    )


def test_an_empty_root_is_not_the_cache(tmp_path, cache, monkeypatch):
    write_hub(cache)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="root must be a folder that holds CIFAR-10, got ''"):
        load("")


# Downloading ------------------------------------------------------------------


@pytest.fixture
def network(monkeypatch):
    """Both places answer; what was asked of them is noted."""
    asked = []
    monkeypatch.setattr(cifar10, "_reach", lambda address: None)

    def hf_hub_download(repo_id, filename, *, repo_type, local_dir):
        asked.append((repo_id, filename, repo_type))
        write_hub(local_dir)

    def from_torchvision(root, download):
        asked.append(("torchvision", download))
        write_batches(root)
        (root / "cifar-10-python.tar.gz").write_bytes(b"unpacked")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", from_torchvision)
    return asked


FROM_HUB = [("uoft-cs/cifar10", name, "dataset") for name in PARQUET]


def test_download_from_the_hub_once(cache, network):
    assert_is_mini(load())
    assert network == FROM_HUB
    assert_is_mini(load())
    assert network == FROM_HUB
    assert (cache / PARQUET[0]).is_file()


def test_download_goes_on_where_it_stopped(cache, network):
    write_hub(cache)
    (cache / PARQUET[1]).unlink()
    assert_is_mini(load())
    assert network == FROM_HUB


def test_download_from_torchvision_if_the_hub_fails(cache, network, monkeypatch):
    def fails(*args, **kwargs):
        raise ValueError("the Hub is closed")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    assert_is_mini(load())
    assert network == [("torchvision", True)]
    assert sorted(path.name for path in cache.iterdir()) == ["cifar-10-batches-py", "verified.npz"]


def test_without_network_one_sentence(cache, capfd):
    start = time.perf_counter()
    with pytest.raises(DataError) as error:
        load()
    assert time.perf_counter() - start < 5
    message = str(error.value)
    assert message == (
        f"CIFAR-10 is not in {cache} and cannot be downloaded "
        "(Hugging Face: no answer from https://huggingface.co, [Errno -2] Name or service not known; "
        "torchvision: no answer from https://www.cs.toronto.edu, [Errno -2] Name or service not known): "
        "put plain_text/train-00000-of-00001.parquet and plain_text/test-00000-of-00001.parquet of the "
        "Hugging Face data set uoft-cs/cifar10 there, or set LRLIB_DATA to a folder that holds them"
    )
    assert capfd.readouterr() == ("", "")


def test_a_download_that_is_not_cifar10_is_refused(cache, network):
    with pytest.raises(
        DataError, match="has 20 train images where 50000 are expected: delete it and download it"
    ):
        cifar10.load()


# Reading ----------------------------------------------------------------------


def test_parquet(hub):
    assert_is_mini(load(hub))


def numpy_labels(pixels, labels):
    data = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), 3072)
    return pickle.dumps({"labels": np.array(labels), "data": np.asfortranarray(data)}, 2)


def numpy_scalars_and_bytes_for_names(pixels, labels):
    data = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), 3072)
    batch = {b"data": data, b"labels": [np.int64(label) for label in labels], b"batch_label": b""}
    return pickle.dumps(OrderedDict(batch), 2)


@pytest.mark.parametrize(
    "dump",
    [
        python2_pickle,
        *map(new_pickle, range(pickle.HIGHEST_PROTOCOL + 1)),
        numpy_labels,
        numpy_scalars_and_bytes_for_names,
    ],
    ids=lambda dump: dump.__qualname__,
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
    assert not cache.parent.exists()  # nothing of it is remembered


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
    assert str(error.value) == f"{path} is no whole parquet file: delete it and download it again"


class Malicious:
    def __reduce__(self):
        return builtins.exec, ("import lrlib; lrlib.was_here = True",)


@pytest.mark.parametrize(
    ("dump", "problem"),
    [
        (lambda *_: pickle.dumps(Malicious()), "pictures (it asks for builtins.exec)"),
        (lambda *_: pickle.dumps({"data": Malicious(), "labels": []}), "it asks for builtins.exec"),
        (lambda *_: b"cos\nsystem\n(S'true'\ntR.", "it asks for os.system"),
        (lambda *_: b"cnumpy\nload\n(S'file'\ntR.", "it asks for numpy.load"),
        (lambda *_: b"cbuiltins\nbytes\n(I1000000000000\ntR.", "it asks for bytes that are not in it"),
        (lambda *_: b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.", "it asks for an encoding 'rot13'"),
        (lambda *_: b"<html>", "is no batch of CIFAR-10 pictures: delete it"),
        (lambda *_: b"", "is no batch of CIFAR-10 pictures: delete it"),
        (lambda *whole: python2_pickle(*whole)[:3000], "is no batch of CIFAR-10 pictures"),
        (
            lambda *_: pickle.dumps({"data": np.zeros((4, 3072))}, 4),
            "is no batch of CIFAR-10 pictures: delete it",
        ),
        (
            lambda *_: pickle.dumps({"data": np.zeros((4, 3072)), "labels": [0] * 4}, 4),
            "has data of the form float64 [4, 3072]",
        ),
        (
            lambda *_: pickle.dumps({"data": np.zeros((4, 784), "u1"), "labels": [0] * 4}, 4),
            "the form uint8 [4, 784] where uint8 [n, 3072] is expected",
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


@pytest.mark.parametrize("write", [write_hub, write_batches])
@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path, monkeypatch, write, error):
    write(tmp_path)
    whole = Path.open

    def refused(path, *args, **how):
        if tmp_path in path.parents:
            raise error
        return whole(path, *args, **how)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert f" cannot be read ({error.strerror}): look at its rights, and at the disk" in text
    assert "download" not in text


@pytest.mark.parametrize("write", [write_hub, write_batches])
def test_a_file_larger_than_any_of_cifar10_is_refused_unread(tmp_path, monkeypatch, write):
    write(tmp_path)
    monkeypatch.setattr(cifar10, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="MB, and no file of CIFAR-10 has"):
        load(tmp_path)


def test_a_parquet_file_with_more_rows_than_cifar10_is_not_decoded(hub, monkeypatch):
    monkeypatch.setattr(cifar10, "MOST_IMAGES", 19)
    with pytest.raises(DataError, match="has 20 rows, and CIFAR-10 has 19"):
        load(hub)


def test_only_the_web_is_asked(tmp_path):
    (tmp_path / "page").write_text("x")
    with pytest.raises(OSError, match="is no address of the web"):
        cifar10._reach((tmp_path / "page").as_uri())


# Surroundings -----------------------------------------------------------------


@pytest.fixture
def no_home(monkeypatch):
    """A user without a home folder, as `docker run --user 54321` has it."""
    import pwd

    def nobody(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "LRLIB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


def test_named_data_need_no_home_folder(hub, no_home):
    assert_is_mini(load(hub))


def test_without_data_and_home_folder_one_sentence(no_home):
    with pytest.raises(DataError, match="this user has no home folder, and so no cache: set LRLIB_DATA to"):
        load()


@pytest.mark.parametrize("variable", ["LRLIB_DATA", "LRLIB_CACHE"])
def test_a_home_folder_that_is_not_there_is_one_sentence(monkeypatch, variable):
    monkeypatch.setenv(variable, "~nobody-here/x")
    with pytest.raises(DataError, match=f"{variable} must be a folder, got '~nobody-here/x', and that user"):
        load()


@pytest.mark.parametrize(
    ("write", "given"), [(write_hub, "plain_text"), (write_hub, ".."), (write_batches, "cifar-10-batches-py")]
)
def test_a_folder_one_too_deep_or_too_high_gets_a_hint(tmp_path, write, given):
    place = tmp_path / "data"
    write(place)
    with pytest.raises(DataError) as caught:
        load((place / given).resolve())
    assert str(caught.value).endswith(f"; did you mean '{place}'?")


def test_batches_of_another_set(tmp_path):
    write_batches(tmp_path)
    (tmp_path / BATCHES[1]).write_bytes((tmp_path / BATCHES[0]).read_bytes())
    with pytest.raises(DataError) as error:
        load(tmp_path)
    assert str(error.value).startswith(
        f"{tmp_path / 'cifar-10-batches-py'} is not CIFAR-10's train set (fingerprint"
    )


# Remembering ------------------------------------------------------------------


def test_second_load_decodes_nothing(hub, cache, decoded):
    load(hub)
    assert len(decoded) == 2
    assert_is_mini(load(hub))
    assert len(decoded) == 2
    assert not list(cache.glob("**/*.tmp"))


def test_another_folder_is_verified_itself(tmp_path, hub, decoded):
    load(hub)
    write_hub(tmp_path / "other", labels=[9 - label for label in LABELS[TRAIN][::-1]])
    with pytest.raises(DataError, match="is not CIFAR-10's train set"):
        load(tmp_path / "other")
    load(hub)
    assert decoded == [
        "train-00000-of-00001.parquet",
        "test-00000-of-00001.parquet",
        "train-00000-of-00001.parquet",
    ]


def test_a_changed_file_is_verified_again(hub):
    load(hub)
    path = hub / PARQUET[0]
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # the same size, and the same date:
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="delete it and download it again"):
        load(hub)


def test_another_specification_does_not_take_what_was_remembered(hub):
    load(hub)
    with pytest.raises(DataError, match="has 20 train images where 50000 are expected"):
        cifar10.load(hub)


def damage_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def other_arrays(path):
    with path.open("wb") as file:
        np.savez(file, *(np.zeros((1, 3, 32, 32), np.uint8) for _ in range(4)))


@pytest.mark.parametrize(
    "damage",
    [
        damage_middle,
        other_arrays,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_text("<html>"),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(pickle.dumps([1, 2])),
    ],
    ids=["bit", "other", "empty", "cut", "html", "gone", "pickle"],
)
def test_a_damaged_cache_is_built_again(hub, cache, decoded, damage):
    load(hub)
    damage(cache / "verified.npz")
    assert_is_mini(load(hub))
    assert len(decoded) == 4
    assert_is_mini(load(hub))
    assert len(decoded) == 4


def test_a_cache_that_cannot_be_written_breaks_nothing(tmp_path, hub, decoded, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path / "file"))
    assert_is_mini(load(hub))
    assert_is_mini(load(hub))
    assert len(decoded) == 4


def test_a_full_disk_breaks_nothing(hub, cache, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert_is_mini(load(hub))
    assert not list(cache.glob("**/*.*"))
