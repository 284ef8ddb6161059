"""Pickles of arrays, read without calling what they name."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

__all__ = ["ArraysOnly"]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Return bytes as Python 3 writes them for Python 2: as letters of Latin-1, and nothing else."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"it asks for an encoding {encoding!r}")
    return text.encode("latin1")


def _bytes(content: bytes | bytearray = b"") -> bytes:
    if not isinstance(content, (bytes, bytearray)):  # of a number, as many zeros would be made
        raise pickle.UnpicklingError("it asks for bytes that are not in it")
    return bytes(content)


def _from_buffer(content: bytes, dtype: np.dtype, shape: tuple[int, ...], order: Any) -> np.ndarray:
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _scalar(dtype: np.dtype, content: bytes) -> Any:
    return np.frombuffer(content, dtype)[0]


# All that arrays and numbers need, by whatever version and protocol they were pickled, and no more. What they
# hold is proven afterwards, by a digest of every picture.
_PICKLED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytes,
    ("collections", "OrderedDict"): OrderedDict,
}


class ArraysOnly(pickle.Unpickler):
    """Makes arrays and plain values only; pickle itself would call whatever the file names.

    Examples
    --------
    >>> import io
    >>> ArraysOnly(io.BytesIO(pickle.dumps({"data": np.zeros(2)}))).load()
    {'data': array([0., 0.])}
    >>> ArraysOnly(io.BytesIO(pickle.dumps(print))).load()
    Traceback (most recent call last):
        ...
    _pickle.UnpicklingError: it asks for builtins.print
    """

    # torchvision unpickles without this, but first compares MD5 sums, which a copy written by
    # cluster/carry.py cannot have: its batches hold the same images in other files.
    def find_class(self, module: str, name: str):
        # numpy 2 moved numpy.core to numpy._core, and Python 3 __builtin__ to builtins; files name either.
        module = module.replace("numpy.core", "numpy._core").replace("__builtin__", "builtins")
        found = _PICKLED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return found
