"""A set of 26 images in the forms of CIFAR-10, for tests."""

import hashlib
import io
import pickle
import struct

import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from lrlib.training.cifar10 import BATCHES, PARQUET

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (26, 32, 32, 3), dtype=np.uint8)
LABELS = RNG.integers(0, 10, 26).tolist()
TRAIN, TEST = slice(0, 20), slice(20, 26)


def digests(split):
    """By the definition, as plainly as it goes."""
    return [
        hashlib.sha256(bytes([label]) + image.tobytes()).digest()
        for label, image in zip(LABELS[split], PIXELS[split], strict=True)
    ]


def fingerprint(split):
    return hashlib.sha256(b"".join(sorted(digests(split)))).hexdigest()


MINI = {"train": (20, fingerprint(TRAIN)), "test": (6, fingerprint(TEST))}


def png(image, **how):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", **how)
    return file.getvalue()


def write_parquet(path, pixels, labels, *, pictures=None, names=("img", "label")):
    pictures = pictures or [png(image) for image in pixels]
    rows = [{"bytes": picture, "path": f"{i}.png"} for i, picture in enumerate(pictures)]
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(dict(zip(names, (rows, labels), strict=True))), path)


def write_hub(root, **train):
    """A copy as on the Hub, its rows backwards."""
    write_parquet(root / PARQUET[0], **{"pixels": PIXELS[TRAIN][::-1], "labels": LABELS[TRAIN][::-1]} | train)
    write_parquet(root / PARQUET[1], PIXELS[TEST], LABELS[TEST])


def python2_pickle(pixels, labels):
    """The bytes that Python 2 and the numpy of 2009 wrote: protocol 2, 8-bit strings."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    raw = pixels.transpose(0, 3, 1, 2).tobytes()
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN"
    dtype += b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01M" + struct.pack("<H", len(pixels)) + b"M" + struct.pack("<H", 3072) + b"\x86" + dtype
    state += b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"labels") + numbers + text(b"data") + array + state + b"u."


def write_batches(root, dump=python2_pickle):
    (root / "cifar-10-batches-py").mkdir(parents=True)
    for i, name in enumerate(BATCHES):
        part = slice(4 * i, 4 * i + 4) if i < 5 else TEST
        (root / name).write_bytes(dump(PIXELS[part], LABELS[part]))


def new_pickle(protocol):
    def dump(pixels, labels):
        data = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(len(pixels), 3072)
        return pickle.dumps({"data": data, "labels": labels}, protocol=protocol)

    return dump


def assert_is_mini(found):
    for (images, labels), split in zip((found[:2], found[2:]), (TRAIN, TEST), strict=True):
        order = sorted(range(len(LABELS[split])), key=digests(split).__getitem__)
        expected = np.stack([PIXELS[split][i].transpose(2, 0, 1) for i in order])
        np.testing.assert_array_equal(images, expected)
        assert images.dtype == np.uint8
        assert images.flags.c_contiguous
        assert labels.dtype == np.int64
        assert labels.tolist() == [LABELS[split][i] for i in order]
