"""CIFAR-10's two kinds of files: bytes from anywhere become records, or one sentence says what is wrong.

A record is an image as 3,073 bytes: its label, then its pixels in height, width, channel order.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np

from lrlib._errors import LrlibError

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class DataError(LrlibError, RuntimeError):
    """Data that cannot be found, downloaded or trusted; the message is one sentence that says what to do.

    Examples
    --------
    >>> from lrlib.training.dataset import DataError, load
    >>> try:
    ...     load("cifar10", root="an-empty-folder")
    ... except DataError as error:
    ...     print(str(error).partition(":")[0])
    root must be a folder that holds CIFAR-10, got 'an-empty-folder'
    """

    __module__ = "lrlib.training.dataset"  # where readers find it


def damaged(where: Path | str, what: str) -> DataError:
    return DataError(f"{where} {what}: delete it and download it again")


def read_parquet(path: Path) -> np.ndarray:
    """Return the records [n, 3073] of a parquet file of the Hub: PNG in ``img.bytes``, ``label``."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            columns = {field.name: field.type for field in file.schema_arrow}
            img, label = columns.get("img", pa.null()), columns.get("label", pa.null())
            if not (
                pa.types.is_struct(img) and img.get_field_index("bytes") >= 0 and pa.types.is_integer(label)
            ):
                got = ", ".join(f"{name}: {kind}" for name, kind in columns.items())
                raise damaged(
                    path, f"has columns ({got}) where img with bytes and a whole label are expected"
                )
            table = file.read(columns=["img.bytes", "label"])
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split(". ")[0].rstrip(".")
        raise damaged(path, f"is no whole parquet file ({reason})") from error
    pictures, labels = table["img"].to_pylist(), table["label"].to_pylist()
    pixels = [
        _decode(picture and picture["bytes"], f"{path}, row {i},") for i, picture in enumerate(pictures)
    ]
    return _records(np.array(pixels, np.uint8).reshape(-1, 3072), labels, path)


def _decode(png: bytes | None, where: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png or b""), formats=["PNG"]) as picture:
            size, mode = picture.size, picture.mode
            if (size, mode) == ((32, 32), "RGB"):
                return np.asarray(picture)
    except Exception as error:  # of a damaged PNG Pillow raises OSError, SyntaxError, ValueError, zlib.error
        raise damaged(where, "has a picture that does not decode as PNG") from error
    raise damaged(where, f"has a picture of {size[0]}x{size[1]} {mode} where 32x32 RGB is expected")


# All that a pickled array needs; its function is numpy.core's until numpy 1, numpy._core's since.
_RECONSTRUCT = np.empty(0).__reduce__()[0]
_PICKLED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """Calls nothing but what makes arrays, where pickle would run whatever the file names."""

    def find_class(self, module: str, name: str):
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _PICKLED[module, name]


def read_batch(path: Path) -> np.ndarray:
    """Return the records [n, 3073] of a batch file of cifar-10-batches-py."""
    try:
        with path.open("rb") as file:
            batch = _ArraysOnly(file, encoding="latin1").load()  # Python 2 wrote these: its strings are bytes
        data, labels = batch["data"], list(batch["labels"])
        if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072:
            raise ValueError(f"data are {data.dtype} {list(data.shape)}, expected uint8 [n, 3072]")
    except Exception as error:  # a damaged pickle can raise anything
        raise damaged(path, f"is no batch of CIFAR-10 pictures ({type(error).__name__}: {error})") from error
    return _records(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).reshape(-1, 3072), labels, path)


def _records(pixels: np.ndarray, labels: list, path: Path) -> np.ndarray:
    for row, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < len(CLASS_NAMES):
            raise damaged(
                path, f"has label {label!r} in row {row} where 0 to {len(CLASS_NAMES) - 1} are allowed"
            )
    if len(labels) != len(pixels):
        raise damaged(path, f"has {len(labels)} labels for {len(pixels)} pictures")
    return np.concatenate([np.array(labels, np.uint8).reshape(-1, 1), pixels], axis=1)
