"""CIFAR-10: find it, download it, prove that it is whole, and remember that.

A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
https://www.cs.toronto.edu/~kriz/cifar.html.

An image's digest is the SHA-256 of its record (see ``_cifar10_decode``), a split's fingerprint the SHA-256 of
all its digests, sorted. Images are kept in the order of their digests. So neither the fingerprint nor the
batches of a run depend on which files the images came from.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lrlib._files import write_atomically
from lrlib.runs.config import TEST_IMAGES, TRAIN_IMAGES
from lrlib.training.cifar10_files import DataError, damaged, read_batch, read_parquet

HUB = "uoft-cs/cifar10"
# Both layouts end with their one test file.
PARQUET = ("plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet")
BATCHES = (
    *(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
    "cifar-10-batches-py/test_batch",
)


@dataclass(frozen=True)
class Spec:
    """What a data set must be: images and fingerprint, (train, test)."""

    images: tuple[int, int]
    fingerprints: tuple[str, str]


CIFAR10 = Spec(
    images=(TRAIN_IMAGES["cifar10"], TEST_IMAGES["cifar10"]),
    fingerprints=(
        "d59acf989e068e709ce686cda292672c7b212c08d29d3d3e6d8c3aa99eba6a85",
        "899683d46c3a8c66fd56e1af12202e69fe5a4517be10b0f68e04c78fe585c57c",
    ),
)


@dataclass(frozen=True)
class Source:
    """The files of one copy, as the Hub's parquet or as torchvision's batches."""

    folder: Path
    names: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in self.names]


def cache_folder() -> Path:
    """Return where lrlib keeps CIFAR-10: below ``$LRLIB_CACHE``, else below the user's cache."""
    import platformdirs

    base = os.environ.get("LRLIB_CACHE") or platformdirs.user_cache_dir("lrlib")
    return Path(base).expanduser() / "cifar10"


def find(root: str | os.PathLike | None = None, *, download: bool = True) -> Source:
    """Return the copy in `root`, else in ``$LRLIB_DATA``, else in the cache, else a downloaded one.

    A folder that was named and holds no data is an error: another copy is not taken silently.
    """
    named = root if root is not None else os.environ.get("LRLIB_DATA") or None
    folder = cache_folder() if named is None else Path(named).expanduser()
    for names in (PARQUET, BATCHES):
        if all(os.path.isfile(folder / name) for name in names):
            return Source(folder, names)
    if named is None and download:
        return _download(folder)
    looked_for = f"looked for {' with '.join(PARQUET)}, and for cifar-10-batches-py with its six batch files"
    if named is None:
        raise DataError(
            f"CIFAR-10 is not in {folder} ({looked_for}): `lrlib.training.dataset.load` downloads it, or set "
            "LRLIB_DATA to the folder that holds it"
        )
    argument = "LRLIB_DATA" if root is None else "root"
    raise DataError(f"{argument} must be a folder that holds CIFAR-10, got {str(named)!r}: {looked_for}")


def _download(folder: Path) -> Source:
    failures = []
    for name, get in {"Hugging Face": _from_hub, "torchvision": _from_torchvision}.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return Source(folder, get(folder))
        except Exception as error:  # the libraries raise what they like, and there is a second place to ask
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            failures.append(f"{name}: {reason}")
    raise DataError(
        f"CIFAR-10 is not in {folder} and cannot be downloaded ({'; '.join(failures)}): put "
        f"{' and '.join(PARQUET)} of the Hugging Face data set {HUB} there, or set LRLIB_DATA to a folder "
        "that holds them"
    )


def _from_hub(folder: Path) -> tuple[str, ...]:
    from huggingface_hub import constants, hf_hub_download

    _reach(constants.ENDPOINT)
    for name in PARQUET:
        hf_hub_download(HUB, name, repo_type="dataset", local_dir=folder)
    return PARQUET


def _from_torchvision(folder: Path) -> tuple[str, ...]:
    _reach("https://www.cs.toronto.edu")
    from torchvision import datasets

    datasets.CIFAR10(folder, download=True)
    (folder / "cifar-10-python.tar.gz").unlink(missing_ok=True)  # 170 MB, unpacked by now
    return BATCHES


def _reach(address: str) -> None:
    """Raise OSError soon where nothing answers: the Hub's client would try for 23 s, with warnings."""
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=5).close()
    except urllib.error.HTTPError as answer:
        answer.close()  # an answer of any kind: let the library try
    except urllib.error.URLError as error:
        # Python on macOS may lack the certificates that the libraries bring along.
        if not isinstance(error.reason, ssl.SSLError):
            raise OSError(f"no answer from {address}, {error.reason}") from error


def load(root: str | os.PathLike | None = None, *, spec: Spec = CIFAR10) -> list[np.ndarray]:
    """Return train images [n, 3, 32, 32] uint8, train labels [n] int64, test images, test labels: verified.

    What was verified is kept in the cache, with a stamp of the files that it came from: the next call reads
    one file and decodes nothing. Files that changed have another stamp; a damaged cache is built again.
    """
    source = find(root)
    folder = cache_folder() / "verified"
    arrays = folder / f"{hashlib.sha256(repr(spec).encode()).hexdigest()[:16]}.npz"
    stamp = folder / f"{_stamp(source, spec)}.stamp"
    found = _remembered(arrays, stamp, spec)
    if found is None:
        found = read(source, spec=spec)
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not the run
            write_atomically(arrays, lambda file: np.savez(file, *found))
            write_atomically(stamp, lambda file: file.write(f"{source.folder.resolve()}\n".encode()))
    return found


def _stamp(source: Source, spec: Spec) -> str:
    facts = [repr(spec)]
    for path in source.paths:
        stat = path.stat()
        facts.append(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}")
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _remembered(arrays: Path, stamp: Path, spec: Spec) -> list[np.ndarray] | None:
    try:
        if not stamp.is_file():
            return None
        with arrays.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            found = [stored[f"arr_{i}"] for i in range(4)]  # reading to the end checks zip's CRC-32
    except Exception:  # whatever is wrong with the cache, the source is there
        return None
    shapes = [shape for n in spec.images for shape in ((n, 3, 32, 32), (n,))]
    return found if [array.shape for array in found] == shapes else None


def read(source: Source, *, spec: Spec = CIFAR10) -> list[np.ndarray]:
    """Decode and verify a copy without the cache; returns what `load` returns."""
    decode = read_parquet if source.names == PARQUET else read_batch
    found = []
    for split, paths, images, fingerprint in zip(
        ("train", "test"), (source.paths[:-1], source.paths[-1:]), spec.images, spec.fingerprints, strict=True
    ):
        where = paths[0] if len(paths) == 1 else paths[0].parent
        records = np.concatenate([decode(path) for path in paths])
        if len(records) != images:
            raise damaged(where, f"has {len(records)} {split} images where {images} are expected")
        records, got = in_order(records)
        if got != fingerprint:
            raise damaged(
                where,
                f"is not CIFAR-10's {split} set (fingerprint {got[:12]}..., expected {fingerprint[:12]}...)",
            )
        pixels = records[:, 1:].reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)
        found += [np.ascontiguousarray(pixels), records[:, 0].astype(np.int64)]
    return found


def in_order(records: np.ndarray) -> tuple[np.ndarray, str]:
    """Return records [n, 3073] in the order of their digests, and the fingerprint (64 hex digits)."""
    digests = [hashlib.sha256(record).digest() for record in records]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    return records[order], hashlib.sha256(b"".join(digests[i] for i in order)).hexdigest()
