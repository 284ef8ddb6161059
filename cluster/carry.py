"""CIFAR-10 as two files of 45 and 49 MiB, pixel exact, and back.

    python -m cluster.carry pack FOLDER        # a/a.bin and b/b.bin into FOLDER: 4 to 6 minutes of one core
    python3 -m cluster.carry check FILE...     # whether files came whole
    python3 -m cluster.carry unpack A B OUT    # OUT/cifar-10-batches-py; all cores share the work

`pack` finds CIFAR-10 as lrlib does (``LRLIB_DATA``). The first half has all test images and 19,000 of the
train images, so that either fits where 64 MiB travel at once. The other two commands need numpy and this
checkout alone.

**Method.** What can be foretold from its neighbours need not be sent. An image is split into the planes
green, red - green and blue - green, as the colours of a pixel mostly rise and fall together. Each pixel is
replaced by its difference from the MED predictor, the one of JPEG-LS (M. Weinberger, G. Seroussi, G.
Sapiro, The LOCO-I lossless image compression algorithm, 2000), all modulo 256. These residuals are packed
by xz, 2,000 images at a time: 4.3 bits for each byte of the images.

**File.** A line with the SHA-256 of all that follows; a line of JSON, which says what part of the set this is
and the size of each block; a byte a label; the blocks. Nothing in it is executed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lrlib._files import WriteError, write_atomically

FORMAT = b"lrlib carry 1 "
BLOCK = 2000  # images that are packed together
FIRST_HALF = 29_000  # of 60,000: the wheels travel with the first half, and both goes should weigh the same
FILTERS = [  # lc: four bits of the byte before choose the model, as residuals have no words to find again
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "lc": 4,
        "lp": 0,
        "pb": 0,
        "dict_size": 1 << 24,
    }
]
#: The files of the layout cifar-10-batches-py: the test images, and the train images in five.
TEST_BATCH, TRAIN_BATCHES = "test_batch", tuple(f"data_batch_{i}" for i in range(1, 6))


class CarryError(ValueError):
    """A file that cannot be used; the message is one sentence that names it."""


@dataclass(frozen=True)
class Part:
    """Images `first` to `first + len(labels)` of a set.

    The set has `images` images, the first `test` of them test images. `labels` is uint8 [n]; `blocks` are the
    packed images, in order.
    """

    first: int
    images: int
    test: int
    labels: np.ndarray
    blocks: tuple[bytes, ...]


# One block --------------------------------------------------------------------


def residuals(plane: np.ndarray) -> np.ndarray:
    """Return a plane, uint8 [n, height, width], minus its prediction, modulo 256.

    With *a* left of a pixel, *b* above it and *c* above *a*, the prediction is the median of a, b and a + b
    - c: the smaller or larger of a and b at an edge, a plane through the three elsewhere. In the first row
    it is *a*, in the first column *b*, and 0 at the first pixel.
    """
    values = plane.astype(np.int16)
    guess = np.zeros_like(values)
    guess[:, 0, 1:] = values[:, 0, :-1]
    guess[:, 1:, 0] = values[:, :-1, 0]
    guess[:, 1:, 1:] = _median(values[:, 1:, :-1], values[:, :-1, 1:], values[:, :-1, :-1])
    return ((values - guess) & 255).astype(np.uint8)


def pixels(residual: np.ndarray) -> np.ndarray:
    """Return the planes, uint8 [..., n, height, width], whose residuals these are."""
    height, width = residual.shape[-2:]
    # Height and width come first in memory: one step then does the same pixel of all planes and images.
    rest = np.ascontiguousarray(np.moveaxis(residual, (-2, -1), (0, 1)).astype(np.int16))
    found = np.zeros_like(rest)
    for y in range(height):
        for x in range(width):
            if y and x:
                guess = _median(found[y, x - 1], found[y - 1, x], found[y - 1, x - 1])
            else:
                guess = found[y, x - 1] if x else found[y - 1, x] if y else 0
            found[y, x] = (rest[y, x] + guess) & 255
    return np.moveaxis(found.astype(np.uint8), (0, 1), (-2, -1))


def _median(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.clip(a + b - c, np.minimum(a, b), np.maximum(a, b))


def pack_block(images: np.ndarray) -> bytes:
    """Return images, uint8 [n, 3, height, width] in the order red, green, blue, as bytes."""
    red, green, blue = images[:, 0], images[:, 1], images[:, 2]
    planes = [green, red - green + 128, blue - green + 128]  # modulo 256; 128: about the middle of a byte
    content = np.stack([residuals(plane) for plane in planes]).tobytes()
    return lzma.compress(content, format=lzma.FORMAT_XZ, filters=FILTERS)


def unpack_block(packed: bytes, size: int = 32) -> np.ndarray:
    """Return the images of `size` x `size` pixels that `pack_block` was given."""
    residual = np.frombuffer(lzma.decompress(packed), np.uint8).reshape(3, -1, size, size)
    green, red, blue = pixels(residual)
    return np.stack([red + green - 128, green, blue + green - 128], axis=1)


# One file ---------------------------------------------------------------------


def write_part(path: Path, part: Part) -> None:
    """Write a part to a file, whole or not at all."""
    header = {"first": part.first, "images": part.images, "test": part.test, "here": len(part.labels)}
    header["blocks"] = [len(block) for block in part.blocks]
    content = [json.dumps(header).encode() + b"\n", part.labels.astype(np.uint8).tobytes(), *part.blocks]
    digest = hashlib.sha256(b"".join(content)).hexdigest().encode()
    write_atomically(path, lambda file: file.writelines([FORMAT, digest, b"\n", *content]))


def read_part(path: Path) -> Part:
    """Read a part; raise CarryError if the file is missing, cut or changed."""
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise CarryError(f"{path}: cannot be read ({error.strerror or error}); bring it here again") from None
    if not head.startswith(FORMAT):
        raise CarryError(f"{path}: is no file of cluster/carry.py; bring it here again")
    if head.removeprefix(FORMAT).decode(errors="replace") != hashlib.sha256(content).hexdigest():
        raise CarryError(f"{path}: was cut or changed on its way; bring it here again")
    head, _, content = content.partition(b"\n")
    header = json.loads(head)
    labels = np.frombuffer(content, np.uint8, count=header["here"])
    blocks, begin = [], len(labels)
    for size in header["blocks"]:
        blocks.append(content[begin : begin + size])
        begin += size
    return Part(header["first"], header["images"], header["test"], labels, tuple(blocks))


# A data set -------------------------------------------------------------------


def pack(folder: Path, images: np.ndarray, labels: np.ndarray, *, test: int, first_half: int) -> list[Path]:
    """Write a set, its first `test` images the test images, to ``a/a.bin`` and ``b/b.bin`` in a folder.

    `images` is uint8 [n, 3, 32, 32] and `labels` [n]. The first file has the first `first_half` images.
    """
    paths = []
    for name, begin, end in (("a", 0, first_half), ("b", first_half, len(images))):
        cuts = [slice(i, min(i + BLOCK, end)) for i in range(begin, end, BLOCK)]
        blocks = _on_all_cores(pack_block, [images[cut] for cut in cuts])
        paths.append(folder / name / f"{name}.bin")
        write_part(paths[-1], Part(begin, len(images), test, labels[begin:end], tuple(blocks)))
    return paths


def unpack(paths: Iterable[Path], out: Path) -> Path:
    """Write the set whose parts these files are as ``OUT/cifar-10-batches-py``; return that folder."""
    parts = sorted(((read_part(path), path) for path in paths), key=lambda found: found[0].first)
    have = [(part.first, part.first + len(part.labels), part.images, part.test) for part, _ in parts]
    ends = [0, *(end for _, end, _, _ in have)]
    one_set = len({fact[2:] for fact in have}) == 1
    if not one_set or [fact[0] for fact in have] != ends[:-1] or ends[-1] != have[0][2]:
        names = " and ".join(str(path) for _, path in parts)
        raise CarryError(
            f"{names}: are not all parts of one set; both a.bin and b.bin of one bundle are needed"
        )
    images = np.concatenate(
        _on_all_cores(unpack_block, [block for part, _ in parts for block in part.blocks])
    )
    labels = np.concatenate([part.labels for part, _ in parts])
    test = have[0][3]
    cuts = [
        slice(0, test),
        *(slice(cut[0], cut[-1] + 1) for cut in np.array_split(range(test, len(images)), 5)),
    ]
    folder = out / "cifar-10-batches-py"
    for name, cut in zip((TEST_BATCH, *TRAIN_BATCHES), cuts, strict=True):
        batch = {"data": images[cut].reshape(-1, images[0].size), "labels": labels[cut].tolist()}
        write_atomically(folder / name, lambda file, batch=batch: pickle.dump(batch, file, protocol=4))
    return folder


def _on_all_cores(work: Callable, items: Sequence) -> list:
    """Return `work` of each item; a few are not worth new processes."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(len(items), there)
    if cores < 2 or len(items) < 4:
        return [work(item) for item in items]
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, items))


def main() -> None:
    parser = argparse.ArgumentParser(description="CIFAR-10 as two files, and back.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("pack", help="write a/a.bin and b/b.bin")
    verb.add_argument("folder", type=Path)
    verb = verbs.add_parser("check", help="say whether files came whole")
    verb.add_argument("files", type=Path, nargs="+")
    verb = verbs.add_parser("unpack", help="write OUT/cifar-10-batches-py")
    verb.add_argument("files", type=Path, nargs=2)
    verb.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        if options.verb == "pack":
            pack_cifar10(options.folder)
        elif options.verb == "check":
            for file in options.files:
                part = read_part(file)
                print(f"{file}: whole, {len(part.labels):,} of {part.images:,} images")
        else:
            print(f"CIFAR-10 is in {unpack(options.files, options.out)}")
    except (CarryError, WriteError) as error:
        sys.exit(str(error))


def pack_cifar10(folder: Path) -> list[Path]:
    """Pack the CIFAR-10 that lrlib finds."""
    from lrlib.training.dataset import load

    data = load("cifar10")
    images = np.concatenate([data.test_images.numpy(), data.train_images.numpy()])
    labels = np.concatenate([data.test_labels.numpy(), data.train_labels.numpy()])
    return pack(folder, images, labels, test=len(data.test_labels), first_half=FIRST_HALF)


if __name__ == "__main__":
    main()
