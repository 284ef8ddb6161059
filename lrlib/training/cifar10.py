"""CIFAR-10: found or downloaded, proven to be the data set it should be, and kept in one cache file.

A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
https://www.cs.toronto.edu/~kriz/cifar.html.

Two layouts are read: the Hub's parquet files, which hold PNG images, and the pickled batches of the original
archive, as torchvision unpacks it. A *record* is an image as 3,073 bytes: its label, then its pixels in the
order height, width, channel. Its digest is the SHA-256 of the record; the fingerprint of a split is the
SHA-256 of all its digests, sorted. Images are kept in the order of their digests, so that neither the
fingerprint nor the batches of a run depend on the layout that the images came in.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from lrlib._checks import shown
from lrlib._errors import LrlibError
from lrlib._files import reason, write_atomically
from lrlib.training.pickled import ArraysOnly

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

HUB = "uoft-cs/cifar10"
# Both layouts end with their one test file.
PARQUET = ("plain_text/train-00000-of-00001.parquet", "plain_text/test-00000-of-00001.parquet")
BATCHES = (
    *(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)),
    "cifar-10-batches-py/test_batch",
)

# Images and fingerprint of each split.
CIFAR10 = {
    "train": (50_000, "d59acf989e068e709ce686cda292672c7b212c08d29d3d3e6d8c3aa99eba6a85"),
    "test": (10_000, "899683d46c3a8c66fd56e1af12202e69fe5a4517be10b0f68e04c78fe585c57c"),
}


#: Of one file: the larger of the Hub's two has 120 MB and 50,000 rows.
MOST_BYTES, MOST_IMAGES = 500_000_000, 60_000


class DataError(LrlibError, RuntimeError):
    """Data that cannot be found, downloaded or trusted; the message is one sentence that says what to do.

    Examples
    --------
    >>> try:
    ...     load("an-empty-folder")
    ... except DataError as error:
    ...     print(str(error).partition(":")[0])
    root must be a folder that holds CIFAR-10, got 'an-empty-folder'
    """


def damaged(where: Path | str, what: str) -> DataError:
    return DataError(f"{where} {what}: delete it and download it again")


# Finding and downloading ------------------------------------------------------


def unreadable(path: Path, error: Exception) -> DataError:
    """Return the error for a file that may be whole: no reason to download it again."""
    return DataError(f"{path} cannot be read ({reason(error)}): look at its rights, and at the disk")


def cache_folder() -> Path:
    """Return where lrlib keeps CIFAR-10: below ``$LRLIB_CACHE``, else below the user's cache.

    Raises DataError where neither is known: a user without a home folder, as in some containers.
    """
    import platformdirs

    named = os.environ.get("LRLIB_CACHE")
    if named:
        return _expanded(named, "LRLIB_CACHE") / "cifar10"
    try:
        return Path(platformdirs.user_cache_dir("lrlib")).expanduser() / "cifar10"
    except RuntimeError:
        raise DataError(
            "this user has no home folder, and so no cache: set LRLIB_DATA to the folder that holds "
            "CIFAR-10, or LRLIB_CACHE to a folder for a copy"
        ) from None


def _expanded(named: str | os.PathLike, argument: str) -> Path:
    """Return a folder that was named, with the home folder in place of a ~."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise DataError(
            f"{argument} must be a folder, got {shown(os.fspath(named))}, and that user has no home folder"
        ) from None


def find(root: str | os.PathLike | None = None, *, download: bool = True) -> list[Path]:
    """Return the files of the copy in `root`, else ``$LRLIB_DATA``, else the cache, else a downloaded one.

    They are those of `PARQUET` or of `BATCHES`, in that order. A folder that was named and holds no data is
    an error: a copy from elsewhere is never taken in its place.
    """
    named = root if root is not None else os.environ.get("LRLIB_DATA") or None
    argument = "LRLIB_DATA" if root is None else "root"
    folder = cache_folder() if named is None else _expanded(named, argument)
    for names in (PARQUET, BATCHES):
        if all(os.path.isfile(folder / name) for name in names):
            return [folder / name for name in names]
    if named is None and download:
        return _download(folder)
    looked_for = f"looked for {' with '.join(PARQUET)}, and for cifar-10-batches-py with its six batch files"
    if named is None:
        raise DataError(
            f"CIFAR-10 is not in {folder} ({looked_for}): `lrlib.training.dataset.load` downloads it, or set "
            "LRLIB_DATA to the folder that holds it"
        )
    raise DataError(
        f"{argument} must be a folder that holds CIFAR-10, got {shown(str(named))}: "
        f"{looked_for}{_near(folder)}"
    )


def _near(folder: Path) -> str:
    """Return a hint where the folder above or one below would do, or cannot be looked into; else nothing."""
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        return "; this user may not look into it"
    try:
        below = sorted(path for path in folder.iterdir() if path.is_dir())[:100]
    except OSError:
        below = []
    for near in (folder.absolute().parent, *below):
        for names in (PARQUET, BATCHES):
            if all(os.path.isfile(near / name) for name in names):
                return f"; did you mean {str(near)!r}?"
    return ""


def _download(folder: Path) -> list[Path]:
    failures = []
    for name, get in {"Hugging Face": _from_hub, "torchvision": _from_torchvision}.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [folder / name for name in get(folder)]
        except Exception as error:  # the two libraries raise many types, and there is a second place to ask
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
    """Raise OSError within seconds if nothing answers at an address."""
    # Without this the Hub's client tries six times in 23 s, with a warning each, and torchvision, which sets
    # no timeout, waits as long as the system does where packets are dropped.
    if not address.startswith(("https://", "http://")):  # HF_ENDPOINT can say anything
        raise OSError(f"{address} is no address of the web")
    try:
        ask = urllib.request.Request(address, method="HEAD")  # noqa: S310  checked above
        urllib.request.urlopen(ask, timeout=5).close()  # noqa: S310  checked above
    except urllib.error.HTTPError as answer:
        answer.close()  # an answer of any kind: let the library try
    except urllib.error.URLError as error:
        # Python on macOS may lack the certificates that the libraries bring along.
        if not isinstance(error.reason, ssl.SSLError):
            raise OSError(f"no answer from {address}, {error.reason}") from error


# Reading ----------------------------------------------------------------------


def load(root: str | os.PathLike | None = None, *, spec: dict = CIFAR10) -> list[np.ndarray]:
    """Return train images [n, 3, 32, 32] uint8, train labels [n] int64, test images, test labels: verified.

    The arrays are kept in the cache with a stamp of the files that they came from, so that the next call
    reads one file and decodes nothing. Files that have changed since have another stamp: they are verified.
    """
    paths = find(root)
    # ctime too (on Linux and macOS the time of change): size and mtime of a changed file can be set back.
    try:
        stats = [(str(path.resolve()), path.stat()) for path in paths]
    except OSError as error:
        raise unreadable(paths[0], error) from None
    stamp = repr((spec, [(name, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in stats]))
    cache = None
    with contextlib.suppress(DataError):  # the data are there: without a cache it is the same, but slower
        cache = cache_folder() / "verified.npz"
    if cache is None:
        return read(paths, spec=spec)
    # Whatever is wrong with the cache, the files themselves are there. The file is opened here because
    # np.load leaves it open if it is no zip.
    with contextlib.suppress(Exception), cache.open("rb") as file, np.load(file) as stored:
        if str(stored["stamp"]) == stamp:
            return [stored[f"arr_{i}"] for i in range(4)]  # reading to the end checks the zip's CRC-32
    arrays = read(paths, spec=spec)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not the run
        write_atomically(cache, lambda file: np.savez(file, *arrays, stamp=np.array(stamp)))
    return arrays


def read(paths: list[Path], *, spec: dict = CIFAR10) -> list[np.ndarray]:
    """Decode and verify what `find` returned, without the cache; return what `load` returns."""
    decode = read_parquet if paths[0].suffix == ".parquet" else read_batch
    arrays = []
    for (split, (images, fingerprint)), files in zip(spec.items(), (paths[:-1], paths[-1:]), strict=True):
        where = files[0] if len(files) == 1 else files[0].parent
        records = np.concatenate([decode(path) for path in files])
        if len(records) != images:
            raise damaged(where, f"has {len(records)} {split} images where {images} are expected")
        digests = [hashlib.sha256(record).digest() for record in records]
        order = sorted(range(len(digests)), key=digests.__getitem__)
        got = hashlib.sha256(b"".join(digests[i] for i in order)).hexdigest()
        if got != fingerprint:
            raise damaged(
                where,
                f"is not CIFAR-10's {split} set (fingerprint {got[:12]}..., expected {fingerprint[:12]}...)",
            )
        pixels = records[order, 1:].reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)
        arrays += [np.ascontiguousarray(pixels), records[order, 0].astype(np.int64)]
    return arrays


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, MemoryError) as error:
        raise unreadable(path, error) from None
    if len(data) > MOST_BYTES:
        raise damaged(path, f"has more than {MOST_BYTES // 10**6} MB, and no file of CIFAR-10 has")
    return data


def read_parquet(path: Path) -> np.ndarray:
    """Return the records, uint8 [n, 3073], of a parquet file of the Hub: PNG in ``img.bytes``, ``label``."""
    import pyarrow as pa
    from pyarrow import parquet

    data = _content(path)  # apart from its decoding: a disk that fails is no damage to the file
    try:
        with parquet.ParquetFile(pa.BufferReader(data)) as file:
            if file.metadata.num_rows > MOST_IMAGES:
                raise damaged(path, f"has {file.metadata.num_rows} rows, and CIFAR-10 has {MOST_IMAGES}")
            table = file.read()
    except MemoryError as error:
        raise unreadable(path, error) from None
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, "is no whole parquet file") from error
    flat = table.flatten()
    if not {"img.bytes", "label"} <= set(flat.column_names) or not pa.types.is_integer(flat["label"].type):
        got = ", ".join(f"{field.name}: {field.type}" for field in table.schema)
        raise damaged(path, f"has columns ({got}) where img with bytes and a whole label are expected")
    pngs = flat["img.bytes"].to_pylist()
    pixels = [_decode(png, f"{path}, row {row},") for row, png in enumerate(pngs)]
    return _records(np.array(pixels, np.uint8).reshape(-1, 3072), flat["label"].to_pylist(), path)


def _decode(png: bytes | None, where: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png or b""), formats=["PNG"]) as picture:
            size, mode = picture.size, picture.mode
            if (size, mode) == ((32, 32), "RGB"):
                return np.asarray(picture)
    except Exception as error:  # for a damaged PNG Pillow raises OSError, SyntaxError, ValueError, zlib.error
        raise damaged(where, "has a picture that does not decode as PNG") from error
    raise damaged(where, f"has a picture of {size[0]}x{size[1]} {mode} where 32x32 RGB is expected")


def read_batch(path: Path) -> np.ndarray:
    """Return the records, uint8 [n, 3073], of a batch file of ``cifar-10-batches-py``."""
    content = io.BytesIO(_content(path))
    try:
        batch = ArraysOnly(content, encoding="latin1").load()  # Python 2 wrote these: its strings are bytes
        # Who has read them with encoding="bytes" and written them again has bytes for names.
        batch = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        data, labels = batch["data"], [_plain(label) for label in batch["labels"]]
        form = (data.dtype, data.shape[1:])
    except MemoryError as error:
        raise unreadable(path, error) from None
    except Exception as error:  # a damaged pickle can raise anything, mostly words about Python
        asks = (
            f" ({error})" if isinstance(error, pickle.UnpicklingError) and "it asks for" in str(error) else ""
        )
        raise damaged(path, f"is no batch of CIFAR-10 pictures{asks}") from error
    if form != (np.uint8, (3072,)):
        got = f"{data.dtype} {list(data.shape)}"
        raise damaged(path, f"has data of the form {got} where uint8 [n, 3072] is expected")
    return _records(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).reshape(-1, 3072), labels, path)


def _plain(label: Any) -> Any:
    """Return numpy's integer as Python's; anything else as it is."""
    return int(label) if isinstance(label, np.integer) else label


def _records(pixels: np.ndarray, labels: list, path: Path) -> np.ndarray:
    most = len(CLASS_NAMES) - 1
    for row, label in enumerate(labels):
        if type(label) is not int or not 0 <= label <= most:
            raise damaged(path, f"has label {shown(label)} in row {row} where 0 to {most} are allowed")
    if len(labels) != len(pixels):
        raise damaged(path, f"has {len(labels)} labels for {len(pixels)} pictures")
    return np.concatenate([np.array(labels, np.uint8).reshape(-1, 1), pixels], axis=1)
