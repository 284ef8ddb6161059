"""Finding, downloading, verifying and remembering CIFAR-10, on a small set of the same form."""

import os
import pickle
import socket
import time

import huggingface_hub
import numpy as np
import platformdirs
import pytest
import torchvision

from lrlib.training import cifar10 as _cifar10
from lrlib.training.cifar10 import PARQUET
from lrlib.training.dataset import DataError
from mini_cifar10 import LABELS, MINI, TRAIN, assert_is_mini, write_batches, write_hub


def load(root=None):
    return _cifar10.load(root, spec=MINI)


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
        original = getattr(_cifar10, function)

        def spy(path, original=original):
            names.append(path.name)
            return original(path)

        monkeypatch.setattr(_cifar10, function, spy)
    return names


# Finding ----------------------------------------------------------------------


def test_root_goes_before_the_environment_before_the_cache(tmp_path, cache, monkeypatch):
    roots = [tmp_path / "root", tmp_path / "environment", cache]
    for root in roots:
        write_hub(root)
    monkeypatch.setenv("LRLIB_DATA", str(roots[1]))
    assert _cifar10.find(roots[0]).folder == roots[0]
    assert _cifar10.find().folder == roots[1]
    monkeypatch.delenv("LRLIB_DATA")
    assert _cifar10.find().folder == roots[2]


def test_cache_of_the_user(monkeypatch):
    monkeypatch.delenv("LRLIB_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: f"/caches/{name}")
    assert _cifar10.cache_folder().as_posix() == "/caches/lrlib/cifar10"


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
    monkeypatch.setattr(_cifar10, "_reach", lambda address: None)

    def hf_hub_download(repo_id, filename, *, repo_type, local_dir):
        asked.append((repo_id, filename, repo_type))
        write_hub(local_dir)

    def cifar10(root, download):
        asked.append(("torchvision", download))
        write_batches(root)
        (root / "cifar-10-python.tar.gz").write_bytes(b"unpacked")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", cifar10)
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
    assert sorted(path.name for path in cache.iterdir()) == ["cifar-10-batches-py", "verified"]


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
        _cifar10.load()


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
    source = _cifar10.find(hub)
    assert _cifar10._stamp(source, MINI) != _cifar10._stamp(source, _cifar10.CIFAR10)
    with pytest.raises(DataError, match="has 20 train images where 50000 are expected"):
        _cifar10.load(hub)


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
    (arrays,) = (cache / "verified").glob("*.npz")
    damage(arrays)
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
