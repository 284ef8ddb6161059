"""Files of a run with flipped bits, cut or exchanged: refused in one sentence, none is read as another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from lrlib import preset
from lrlib.runs.record import RecordError, run_from
from lrlib.runs.store import RECORDED, read_run, write_run
from lrlib.training.checkpoint import CheckpointError, load_state
from lrlib.training.machine import resolve
from lrlib.training.run import train
from torture import PYTHONS_WORDS, Row

CONFIG = preset("digits", recipe="linear", epochs=3, train_images=30, test_images=20)


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one bit turned over."""
    place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def cut(content: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes damaged in other ways, each with its name."""
    for _ in range(20):
        yield "cut short", content[: chance.randrange(len(content))]
    for _ in range(5):
        yield "longer", content + chance.randbytes(1 + chance.randrange(100))
    for _ in range(5):
        place = chance.randrange(len(content))
        yield "a block of zeros", (content[:place] + bytes(4096) + content[place + 4096 :])[: len(content)]
    yield "empty", b""
    yield "only zeros", bytes(len(content))
    yield "a page of a web server", b"<!DOCTYPE html><title>404</title>"


def one_sentence(error: Exception, file: str) -> str:
    """Return what is wrong with what an error says; nothing if it is a sentence on this file."""
    text = str(error)
    if "\n" in text or file not in text or PYTHONS_WORDS.search(text):
        return f"said {text!r}"
    return ""


def checkpoints(folder: Path, chance: random.Random, flips: int) -> Row:
    """Damage a checkpoint."""
    row = Row("damaged checkpoints")
    file = folder / "damaged.pt"
    whole = train(CONFIG, checkpoint=file, progress=False, threads=1).measured()
    content, target = file.read_bytes(), resolve(CONFIG, threads=1)
    damages = [("a bit turned over", flipped(content, chance)) for _ in range(flips)]
    for kind, damage in (*damages, *cut(content, chance)):
        if damage == content:
            continue
        file.write_bytes(damage)
        try:
            load_state(file, CONFIG, target)
            row.fault(f"{kind}: it was read")
        except CheckpointError as error:
            problem = one_sentence(error, file.name)
            if problem:
                row.fault(f"{kind}: {problem}")
            row.had(f"{kind}: refused")
        except Exception as error:
            row.fault(f"{kind}: {error!r}")
    other = folder / "other.pt"
    train(CONFIG.changed(seed=9), checkpoint=other, progress=False, threads=1)
    file.write_bytes(other.read_bytes())
    try:
        load_state(file, CONFIG, target)
        row.fault("that of another run was read")
    except CheckpointError as error:
        row.had("of another run: refused")
        if one_sentence(error, file.name):
            row.fault(one_sentence(error, file.name))
    file.write_bytes(content)
    again = train(CONFIG, checkpoint=file, resume=True, progress=False, threads=1).measured()
    if again != whole:
        row.fault("the whole one does not go on as it should")
    return row


def records(folder: Path, chance: random.Random, flips: int) -> Row:
    """Damage a record; what still says the same (1E-05 for 1e-05) may be read as the same."""
    row = Row("damaged records")
    run = read_run(next((RECORDED / "survey-digits").glob("*.json")))
    content = write_run(run, folder / "whole.json").read_bytes()
    damages = [("a bit turned over", flipped(content, chance)) for _ in range(flips)]
    for kind, damage in (*damages, *cut(content, chance)):
        try:
            if run_from(damage, "damaged.json") == run:
                row.had(f"{kind}: the same content")
            else:
                row.fault(f"{kind}: read as another run")
        except RecordError as error:
            problem = one_sentence(error, "damaged.json")
            if problem:
                row.fault(f"{kind}: {problem}")
            row.had(f"{kind}: refused")
        except Exception as error:
            row.fault(f"{kind}: {error!r}")
    return row
