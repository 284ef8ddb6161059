"""Inputs that no one should give, at every door: refused in one sentence without Python's own words.

A kind is a function that yields cases: what was tried, the call, and whether it must be refused (what
hypothesis makes may be right by chance). Files and the command line are here, calls in `calls`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import signal
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import numpy as np
from hypothesis import strategies as st

import mini_cifar10
from lrlib import cli
from lrlib._checks import shown
from lrlib.runs.record import digest
from lrlib.runs.store import RECORDED
from lrlib.training import cifar10
from torture import PYTHONS_WORDS, Row
from torture.damage import flipped

RECORD = next((RECORDED / "survey-digits").glob("*.json"))


class Case(NamedTuple):
    """One bad input: what it is, the words of a command or a call, and whether it must be refused."""

    what: object
    call: list[str] | Callable[[], Any]
    refused: bool = True


Kind = Callable[[Path, random.Random, int], Iterator[Case]]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Put a function that yields cases into `KINDS`; it is called with a folder, chance, and how many."""

    def put(cases: Kind) -> Kind:
        KINDS[name] = cases
        return cases

    return put


def generated(strategy: st.SearchStrategy, times: int, chance: random.Random) -> list:
    """Return examples of a strategy, the same ones for the same chance."""
    found: list = []

    @hypothesis.settings(
        max_examples=max(times, 1),
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(chance.randrange(2**32))
    @hypothesis.given(strategy)
    def collect(value) -> None:
        found.append(value)

    collect()
    return found[:times]


#: What JSON can hold, and a little more: any letter, infinities, integers beyond every float.
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 10**9, 2**63, 10**30, 10**400, -(10**400)]),
    st.floats(),
    st.text(max_size=12),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def called(words: list[str]) -> tuple[int, str, str]:
    """Call the command line in this process; return its exit status and what it said."""
    out, err = io.StringIO(), io.StringIO()
    argv = sys.argv
    sys.argv = ["lrlib", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        code: object = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        sys.argv = argv
    return code if isinstance(code, int) else 1, out.getvalue(), err.getvalue()


class TooLongError(BaseException):
    """A case that did not end within `PATIENCE` seconds."""


PATIENCE = 20


def too_long(*_: object) -> None:
    raise TooLongError(f"no answer within {PATIENCE} s")


def tried(name: str, case: Case, row: Row) -> None:
    """Try one bad input, and note what came of it."""
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        _tried(name, case, row)
    finally:
        signal.alarm(0)


def _tried(name: str, case: Case, row: Row) -> None:
    # What is not Python's own, though its words are in it.
    given = shown(case.what)
    what = f"{name}, {given}"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        if isinstance(case.call, list):
            try:
                code, out, err = called(case.call)
            except BaseException as error:
                row.fault(f"{what}: {type(error).__name__}: {error}")
                return
            found = PYTHONS_WORDS.search(re.sub(re.escape(given), "", out + err))
            if found or (code == 1 and err.count("\n") > 1):
                row.fault(f"{what}: {(out + err).strip()[-400:]!r}")
            elif case.refused and code == 0:
                row.fault(f"{what}: taken")
            row.had("refused" if code else "taken, as it may be")
        else:
            try:
                case.call()
                if case.refused:
                    row.fault(f"{what}: taken")
                row.had("taken, as it may be")
            except (TypeError, ValueError, OSError, RuntimeError) as error:
                text = str(error)
                if "\n" in text or len(text) > 2000 or PYTHONS_WORDS.search(text.replace(given, "")):
                    row.fault(f"{what}: {type(error).__name__}: {text[:400]}")
                row.had("refused")
            except BaseException as error:
                row.fault(f"{what}: {type(error).__name__}: {str(error)[:400]}")
    if warned:
        row.fault(f"{what}: warned {str(warned[0].message)[:200]!r}")


def run(
    folder: Path,
    chance: random.Random,
    times: int,
    say: Callable[[Row], None] = lambda row: None,
    most: int | None = None,
) -> list[Row]:
    """Try what is written by hand and `times` generated inputs, kind by kind; at most so many of a kind."""
    from torture import calls

    assert calls.KINDS is KINDS
    rows = []
    # A folder of one's own: no studies, no home of anybody, no data.
    here = Path.cwd()
    hidden = {name: os.environ.pop(name, None) for name in ("LRLIB_DATA", "LRLIB_TRACEBACK", "LRLIB_CACHE")}
    os.environ["LRLIB_CACHE"] = str(folder / "cache")
    try:
        for number, (name, cases) in enumerate(KINDS.items()):
            place = folder / f"kind{number}"
            place.mkdir()
            os.chdir(place)
            row = Row(name)
            every = list(cases(place, chance, times))
            for case in every if most is None or len(every) <= most else chance.sample(every, most):
                tried(name, case, row)
            rows.append(row)
            say(row)
    finally:
        os.chdir(here)
        del os.environ["LRLIB_CACHE"]
        os.environ.update({name: value for name, value in hidden.items() if value is not None})
    return rows


# The command line -----------------------------------------------------------------------------------------

TRAIN = ["train", "--preset", "digits", "--schedule", "linear", "--quiet", "--train-images", "10"]


@kind("commands and options that are none")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for words in (
        ["trian"], ["train"], ["train", "--preset"], [*TRAIN, "--lr", "1"], ["show"], ["show", "a", "b"],
        ["study"], ["study", "rum", "x"], ["data"], ["data", "verify"], ["class"], ["audit"], ["preview"],
        ["--verison"], ["", ""], ["study", "run"], ["doctor", "--gpu=2"],
    ):  # fmt: skip
        if len(words) == 1 and words[0] in ("study", "data", "class"):
            continue  # shows its help
        yield Case(words, words)
    for word in generated(st.text(min_size=1, max_size=8), times, chance):
        yield Case(word, ["--", word.replace("\0", "")])


NUMBERS = [
    "",
    " ",
    "x",
    "1e",
    "0x10",
    "1,5",
    "nan",
    "inf",
    "-inf",
    "-1",
    "1e400",
    "١٢x",
    "9" * 5000,
    "½",
    "--",
]


@kind("options that want numbers")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for option in ("--epochs", "--peak-lr", "--train-images", "--threads", "--seed"):
        for text in NUMBERS:
            if option == "--seed" and len(text) > 100:
                continue
            yield Case((option, text[:40]), [*TRAIN, "--epochs=1", f"{option}={text}"])
    for option in ("--updates", "--peak", "--warmup", "--steps-per-epoch", "--rows"):
        for text in NUMBERS:
            yield Case(
                (option, text[:40]), ["preview", "linear", "--updates", "50", f"{option}={text}"], False
            )
    for text in generated(st.text(max_size=6), times, chance):
        yield Case(text, [*TRAIN, f"--epochs={text}x"])


@kind("names of presets, schedules and ways to compute")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for option in ("--preset", "--schedule", "--precision", "--device", "--path"):
        for text in ("", "digit", "LINEAR", "linear ", "cuda:9", "fp8", "../digits", "\u202e", "a" * 3000):
            yield Case((option, text[:40]), [*TRAIN, f"{option}={text}"])
    for text in generated(st.text(max_size=9), times, chance):
        yield Case(text, [*TRAIN, f"--schedule={text}"])


@kind("folders and files that cannot be written")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    (folder / "file").write_text("x")
    (folder / "loop").symlink_to("loop")
    for out in (
        "file",
        "file/below",
        "loop/below",
        "a" * 300,
        "nul\0l",
        "/proc/none/x",
        "/dev/null/x",
        "b/" * 3000,
    ):
        yield Case(out[:40], [*TRAIN, "--epochs=1", f"--out={out}"])
        yield Case(out[:40], ["preview", "linear", "--updates=9", f"--out={out}/r.csv"])
        yield Case(out[:40], ["class", "assign", "3", f"--out={out}/c.csv"])
    for out in (".", "file/", "..", "/"):
        yield Case(out, ["preview", "linear", "--updates=9", f"--out={out}"], out != "file/")


@kind("names of records and studies that are none")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    (folder / "loop").symlink_to("loop")
    (folder / "folder.toml").mkdir()
    names = [
        "",
        "none",
        "none.json",
        "a/b/c",
        "..",
        "loop",
        "/dev/null",
        "nul\0l",
        "a" * 400,
        "survey-digits/x",
        "~x",
    ]
    for name in names:
        yield Case(name[:40], ["show", name], name not in ("..", "", "survey-digits"))
        for command in ("run", "status"):
            yield Case(name[:40], ["study", command, name])
    for name in ("folder.toml", "loop.toml", "none.toml", "nul\0l.toml"):
        yield Case(name, ["study", "status", name])
    for text in generated(st.text(max_size=9), times, chance):
        yield Case(text, ["show", f"{text}x"])
        yield Case(text, ["study", "status", f"{text}x"])


# TOML -----------------------------------------------------------------------------------------------------

PLAIN = {"preset": "digits", "recipes": ["linear"], "seeds": [1]}


def toml(value: Any) -> str:
    """Return a value as TOML; it has no null."""
    if value is None:
        return '""'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}.get(json.dumps(value), repr(value))
    return json.dumps(value) if not isinstance(value, int) or isinstance(value, bool) else str(value)


def of_study(folder: Path, text: str | bytes, command: str = "status") -> list[str]:
    """Return the words of a command on a study of this text."""
    number = len(list(folder.iterdir()))
    file = folder / f"study{number}.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return ["study", command, str(file)]


def study_text(**changes: Any) -> str:
    data = {**PLAIN, **changes}
    return "\n".join(f"{key} = {toml(value)}" for key, value in data.items()) + "\n"


@kind("TOML that is none")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    whole = study_text()
    broken = [
        "", "x", "= 1", "a = ", 'preset = "digits', "seeds = [1,,2]", "[changes", "[[recipes]]", whole * 2,
        "a = " + "[" * 5000, whole + "seeds.a = 1", "a = 1979-13-01", "a = 0777", '"" = 1', "\x07",
        "a = " + "9" * 5000,
        whole + 'x = "\ud800"', whole + "[changes]\n[changes]",
    ]  # fmt: skip
    for text in broken:
        yield Case(text[:60], of_study(folder, text))
    for text in generated(st.text(min_size=1, max_size=30), times, chance):
        yield Case(text, of_study(folder, text))
    content = whole.encode()
    for _ in range(times):
        text = flipped(content, chance)
        yield Case(text, of_study(folder, text), False)


@kind("TOML in other encodings")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    text = 'title = "Łódź, 李明"\n' + study_text()
    for encoding in ("utf-8-sig", "utf-16"):
        yield Case(encoding, of_study(folder, text.encode(encoding)), False)
    for encoding in ("utf-16-le", "utf-16-be", "utf-32", "utf-7", "gb18030", "cp1250x"):
        content = (
            text.encode(encoding) if encoding != "cp1250x" else b'title = "\xa3"\n' + study_text().encode()
        )
        yield Case(encoding, of_study(folder, content), encoding != "utf-7")
    yield Case("zeros", of_study(folder, bytes(50)))
    yield Case("large", of_study(folder, b"#" * 10_000_001))


@kind("TOML with keys that are none, or lack")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for key in PLAIN:
        yield Case(key, of_study(folder, "\n".join(f"{k} = {toml(v)}" for k, v in PLAIN.items() if k != key)))
    for key in ("recipe", "Seeds", "peak_lr", "x", ""):
        yield Case(key, of_study(folder, study_text() + f"{json.dumps(key)} = 1"))
    for changes in (
        {"epoch": 1},
        {"recipe": "x"},
        {"seed": 2},
        {"": 1},
        {"recipes": [1]},
        {"schema_version": 1},
    ):
        yield Case(changes, of_study(folder, study_text(changes=changes)))
    for variants in ({"A": {}}, {"a b": {}}, {"a": 1}, {"": {}}, {"a": {"seed": 1}}, [1], {"a/b": {}}):
        yield Case(variants, of_study(folder, study_text(variants=variants)))


FIELDS = ("network", "dataset", "task", "train_images", "test_images", "fold", "augmentation", "pixels",
"epochs",
          "batch_size", "peak_lr", "momentum", "momentum_form", "weight_decay", "penalty", "held",
          "precision",
          "device")  # fmt: skip


@kind("TOML with values of other types and ranges")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for key in ("preset", "recipes", "seeds", "title", "peak_lrs", "epochs", "changes", "variants"):
        for value in (1, "x", True, [], [[]], {}, {"a": 1}, 1.5, [1, 1], [-1], [None], [1e400], [{}]):
            yield Case((key, value), of_study(folder, study_text(**{key: value})), False)
    for field in FIELDS:
        for value in (True, "x", -1, 0, 1.5, 1e400, float("nan"), [], {}, "", 10**30):
            ok = field == "held" and value is True
            ok |= field in ("peak_lr", "momentum", "weight_decay", "batch_size", "epochs")
            yield Case((field, value), of_study(folder, study_text(changes={field: value})), not ok)
    for field, value in zip(
        [chance.choice(FIELDS) for _ in range(times)], generated(values, times, chance), strict=True
    ):
        yield Case((field, value), of_study(folder, study_text(changes={field: value})), False)


@kind("TOML with recipes as tables")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    good = {"kind": "polynomial_recipe", "version": 1, "power": 2.0}
    for recipe in (
        {}, {"kind": 1}, {"kind": "linear_decay", "version": 1, "total_steps": 9}, {"kind": "x",
        "version": 1},
        {**good, "version": 2}, {**good, "x": 1}, {**good, "power": "2"}, {**good, "power": [{}]},
        {"kind": "hold", "version": 1, "steps": 1, "schedule": 3}, {"kind": "constant", "version": True},
    ):  # fmt: skip
        yield Case(recipe, of_study(folder, study_text(recipes=[recipe])))
    for value in generated(
        st.dictionaries(st.sampled_from(["kind", "version", "power", "x"]), values), times, chance
    ):
        yield Case(value, of_study(folder, study_text(recipes=[value])), False)


# JSON -----------------------------------------------------------------------------------------------------


def of_record(folder: Path, content: str | bytes) -> list[str]:
    number = len(list(folder.iterdir()))
    file = folder / f"record{number}.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return ["show", str(file)]


@kind("records that are no JSON")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    content = RECORD.read_bytes()
    for text in (
        "", "{", "null", "[]", "1", '"a"', "{}", "[" * 100_000, '{"a":' * 5000, "{'a': 1}",
        '{"schema_version": NaN}',
        '{"schema_version": 1}', '{"schema_version": 1e999}', "9" * 5000,
        '{"schema_version": ' + "9" * 5000 + "}",
        '"\ud800"', '{"schema_version": 3, "schema_version": 4}', "<html></html>",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ):  # fmt: skip
        yield Case(text[:60], of_record(folder, text))
    for _ in range(times):
        yield Case("a bit", of_record(folder, flipped(content, chance)), False)
        yield Case("cut", of_record(folder, content[: chance.randrange(len(content) - 2)]))
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        yield Case(encoding, of_record(folder, content.decode().encode(encoding)), encoding != "utf-16")


def places(data: Any, at: tuple = ()) -> Iterator[tuple]:
    """Yield where something stands in a JSON document."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


def changed(data: dict, at: tuple, change: Callable[[Any, Any], None]) -> dict:
    """Return a copy of a document that is changed at one place, with the digest of its new content."""
    data = json.loads(json.dumps(data))
    inner: Any = data
    for key in at[:-1]:
        inner = inner[key]
    change(inner, at[-1])
    with contextlib.suppress(ValueError):
        data["digest"] = digest(data) if at[0] != "digest" else data.get("digest", "")
    return data


@kind("records that lack something")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    data = json.loads(RECORD.read_text())
    for at in [(key,) for key in data] + chance.sample(list(places(data)), times):
        lacks = changed(data, at, lambda inner, key: inner.pop(key))
        yield Case(at, of_record(folder, json.dumps(lacks)), False)


@kind("records with other values, and a digest that fits")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    data = json.loads(RECORD.read_text())
    everywhere = list(places(data))
    for value in generated(values, 3 * times, chance):
        at = chance.choice(everywhere)

        def put(inner: Any, key: Any, value: Any = value) -> None:
            inner[key] = value

        other = changed(data, at, put)
        yield Case((at, value), of_record(folder, json.dumps(other)), False)
    for at in (
        ("epochs", 0, "first_lr"),
        ("config", "seed"),
        ("provenance", "seconds"),
        ("epochs", 0, "epoch"),
    ):
        for value in (None, True, "1", -1, 1e308, [], 10**400, float("inf")):

            def put(inner: Any, key: Any, value: Any = value) -> None:
                inner[key] = value

            yield Case((at, value), of_record(folder, json.dumps(changed(data, at, put))), False)


# CSV ------------------------------------------------------------------------------------------------------

LOG = "step,loss,lr\n0,2.3,0.1\n1,2.2,0.09\n2,2.1,0.08\n"
AUDIT = ["--plan", "linear", "--peak", "0.1", "--updates", "10"]


def of_log(folder: Path, content: str | bytes, *more: str) -> list[str]:
    file = folder / f"log{len(list(folder.iterdir()))}.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return ["audit", str(file), *(more or AUDIT)]


@kind("CSV logs of rates")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    for text in (
        "", "\n\n", "a,b\n1,2\n", "lr\n", "lr\nx\n", "lr\nnan\n", "lr\ninf\n", "lr\n1e999\n", "0.1,0.2\n",
        "lr\n0,1,2\n",
        "lr\n" + "9" * 5000 + "\n", 'lr\n"0.1\n', "lr\n0.1\0\n", "lr\n--1\n", "lr\n1 2\n", "x" * 200_000,
        "lr\n١x\n",
        ",".join(["lr"] * 5000), "lr\n-\n", "=1+1\n",
    ):  # fmt: skip
        yield Case(text[:60], of_log(folder, text), '"' not in text)  # a cell without its last quote
    for text in generated(st.text(min_size=1, max_size=20), times, chance):
        yield Case(text, of_log(folder, f"lr\n{text}\n"), False)
    for _ in range(times):
        yield Case("a bit", of_log(folder, flipped(LOG.encode(), chance)), False)
    for encoding in ("utf-16-le", "utf-32", "cp037"):
        yield Case(encoding, of_log(folder, LOG.encode(encoding)))
    (folder / "folder").mkdir()
    for name in ("none.csv", "folder", "nul\0l"):
        yield Case(name, ["audit", name, *AUDIT])


@kind("options of an audit")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    log = of_log(folder, LOG)[1]
    base = {"plan": "linear", "peak": "0.1", "updates": "10"}
    for option, value in (
        ("plan", "x"), ("peak", "0"), ("peak", "-1"), ("peak", "nan"), ("peak", "inf"), ("updates", "0"),
        ("updates", "1.5"), ("warmup", "10"), ("warmup", "-1"), ("steps-per-epoch", "0"), ("processes", "0"),
        ("accumulate", "-2"), ("tolerance", "nan"), ("tolerance", "-1"), ("start", "-1"), ("column", "x"),
        ("column", ""), ("peak", "1e309"), ("updates", "9" * 400), ("warmup", "9" * 400), ("plan", "time"),
    ):  # fmt: skip
        words = [word for key, text in {**base, option: value}.items() for word in (f"--{key}", text)]
        yield Case((option, value[:40]), ["audit", log, *words])


@kind("CSV lists of a class")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    whole = "number,student,schedule,seed\n1,Ada,linear,11\n2,Emmy,drop,11\n"
    (folder / "in").mkdir()

    def of_list(content: str | bytes) -> list[str]:
        file = folder / f"list{len(list(folder.iterdir()))}.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return ["class", "merge", "in", "--list", str(file)]

    for text in (
        "", "\n", "number,student,schedule\n", "number,student,schedule,seed\n", whole.replace("1,A", "x,A"),
        whole.replace("linear", "lineer"), whole.replace(",11", ",-1"), whole.replace(",11", ",1.5"),
        whole.replace(",11", ",²"), whole.replace("1,Ada", "0,Ada"), whole.replace("Ada", '"Ada'),
        "a" * 200_000,
        whole.replace(",11", "," + "9" * 5000), whole.replace("Ada", "A\0"), whole.replace("1,Ada",
        "True,Ada"),
    ):  # fmt: skip
        yield Case(text[:60], of_list(text))
    for encoding in ("utf-16-le", "utf-32", "cp037"):
        yield Case(encoding, of_list(whole.encode(encoding)))
    for text in generated(st.text(max_size=10), times, chance):
        yield Case(text, of_list(whole.replace("Ada", text)))
        yield Case(text, of_list(whole.replace("1,Ada", f"{text},Ada")))
    for students in ("0", "-1", "1.5", "none.txt", "", "²", "9" * 5000, "in", "10000000000"):
        yield Case(students[:40], ["class", "assign", students])
    for option, value in (
        ("--schedules", ""),
        ("--schedules", "x"),
        ("--schedules", ","),
        ("--first-seed", "-1"),
    ):
        yield Case((option, value), ["class", "assign", "3", f"{option}={value}"])


@kind("what a class hands in")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    def zipped(**files: bytes) -> bytes:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return data.getvalue()

    record = RECORD.read_bytes()
    whole = zipped(**{"a.json": record})
    locked = bytearray(whole)
    locked[6] |= 1  # the flag that says encrypted, in both headers
    locked[whole.rindex(b"PK\1\2") + 8] |= 1
    unknown = bytearray(whole)
    unknown[8] = unknown[whole.rindex(b"PK\1\2") + 10] = 99
    files = {
        "encrypted.zip": bytes(locked), "unknown.zip": bytes(unknown), "empty.zip": b"",
        "cut.zip": whole[:-30],
        "none.zip": b"PK\3\4" + bytes(50), "out.zip": zipped(**{"../../etc/x.json": b"{}"}), "a.json": b"{}",
        "deep.zip": zipped(**{"b.zip": zipped(**{"c.zip": zipped(**{"d.zip": whole})})}),
        "b.json": b"[" * 9999,
        "bomb.zip": zipped(**{"a.json": bytes(60_000_000)}), "c.json": b"\xff\xfe\0",
        "page.html": b"<script>",
        "nul.json": b"\0" * 100, "x.ipynb": b'{"cells": []}',
        "names.zip": zipped(**{"\u202ea\n<b>.json": b"1"}),
    }  # fmt: skip
    for name, content in files.items():
        place = folder / f"in-{name}"
        place.mkdir()
        (place / name).write_bytes(content)
        yield Case(name, ["class", "merge", str(place)])
        if name.endswith(".zip"):
            yield Case(name, ["class", "merge", str(place / name)])
    for number in range(times):
        place = folder / f"flipped{number}"
        place.mkdir()
        (place / "a.zip").write_bytes(flipped(whole, chance))
        yield Case("a bit of a zip", ["class", "merge", str(place)], False)
    for place in ("none", "none.zip", "/dev/null", "nul\0l", "a" * 300):
        yield Case(place[:40], ["class", "merge", place])


# Data -----------------------------------------------------------------------------------------------------


def loading(root: Path) -> Callable[[], object]:
    """Return a call that reads the small set in a folder, and has it be the right one."""

    def call() -> None:
        mini_cifar10.assert_is_mini(cifar10.load(root, spec=mini_cifar10.MINI))

    return call


@kind("parquet files of CIFAR-10")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    pixels, labels = mini_cifar10.PIXELS[mini_cifar10.TRAIN], mini_cifar10.LABELS[mini_cifar10.TRAIN]
    number = iter(range(10**6))

    def hub(content: bytes | None = None, name: str = cifar10.PARQUET[0], **train: Any) -> Path:
        root = folder / f"hub{next(number)}"
        mini_cifar10.write_hub(root, **train)
        if content is not None:
            (root / name).write_bytes(content)
        return root

    yield Case("whole", loading(hub()), False)
    whole = (hub() / cifar10.PARQUET[0]).read_bytes()
    for content in (
        b"",
        b"PAR1",
        b"PAR1" + bytes(40) + b"PAR1",
        whole[:-9],
        whole[9:],
        b"<html>",
        whole * 2,
        b"\0" * 999,
    ):
        yield Case(content[:20], loading(hub(content)), content != whole * 2)
    for _ in range(times):
        yield Case("a bit", loading(hub(flipped(whole, chance))), False)
        yield Case("cut", loading(hub(whole[: chance.randrange(len(whole))])))
    good = [mini_cifar10.png(image) for image in pixels]
    large = mini_cifar10.png(np.zeros((64, 64, 3), np.uint8))
    grey = mini_cifar10.png(np.zeros((32, 32), np.uint8))
    header = good[0][:16] + (10**5).to_bytes(4, "big") * 2 + good[0][24:]
    for picture in (b"", b"\x89PNG", good[0][:60], large, grey, b"GIF89a" + bytes(30), header, bytes(3000)):
        yield Case(picture[:10], loading(hub(pictures=[picture, *good[1:]])))
    yield Case("other pictures", loading(hub(pixels=pixels[::-1] ^ 1)))
    for odd in ([10] * 20, [-1] * 20, [300] * 20, [0.5] * 20, ["cat"] * 20, [None] * 20, [[1]] * 20, labels):
        yield Case(odd[0], loading(hub(labels=odd)))
    for names in (("image", "label"), ("img", "labels"), ("a", "b")):
        yield Case(names, loading(hub(names=names)))
    swapped = hub()
    test = (swapped / cifar10.PARQUET[1]).read_bytes()
    (swapped / cifar10.PARQUET[1]).write_bytes(whole)
    (swapped / cifar10.PARQUET[0]).write_bytes(test)
    yield Case("swapped", loading(swapped))


@kind("pickled batches of CIFAR-10")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    import pickle

    number = iter(range(10**6))

    def batches(content: bytes | None = None, dump: Any = mini_cifar10.python2_pickle) -> Path:
        root = folder / f"batches{next(number)}"
        mini_cifar10.write_batches(root, dump)
        if content is not None:
            (root / cifar10.BATCHES[0]).write_bytes(content)
        return root

    yield Case("whole", loading(batches()), False)
    whole = (batches() / cifar10.BATCHES[0]).read_bytes()
    data, labels = np.zeros((4, 3072), np.uint8), [0, 1, 2, 3]
    evil = b"cos\nsystem\n(S'true'\ntR."
    for content in (
        b"", b".", b"N.", evil, whole[:-1], whole[5:], b"\x80\x09.", pickle.dumps([1]), pickle.dumps({}),
        b"(" * 9999,
        pickle.dumps({"data": data}), pickle.dumps({"data": data.tolist(), "labels": labels}),
        pickle.dumps({"data": data.astype(float), "labels": labels}), pickle.dumps({"data": data[:, :5],
        "labels": labels}),
        pickle.dumps({"data": data, "labels": labels[:2]}), pickle.dumps({"data": data, "labels": ["a"] * 4}),
        pickle.dumps({"data": data, "labels": [10**30] * 4}), pickle.dumps({"data": data, "labels": None}),
        pickle.dumps({"data": np.array([None] * 4), "labels": labels}), pickle.dumps({"data": print,
        "labels": labels}),
        b"cbuiltins\nbytes\nI9999999999999\n\x85R.", b"X\xff\xff\xff\xff", b"\x8e" + b"\xff" * 7 + b"\x7f",
        b"]" + b"(" * 50 + b"l" * 50, b"\x80\x04\x95" + b"\xff" * 8,
    ):  # fmt: skip
        yield Case(content[:30], loading(batches(content)))
    for _ in range(times):
        yield Case("a bit", loading(batches(flipped(whole, chance))), False)
        yield Case("cut", loading(batches(whole[: chance.randrange(len(whole))])))


@kind("variables of the environment")
def _(folder: Path, chance: random.Random, times: int) -> Iterator[Case]:
    (folder / "file").write_text("x")

    def with_variable(name: str, value: str) -> Callable[[], None]:
        def call() -> None:
            before = os.environ.get(name)
            os.environ[name] = value
            try:
                code, out, err = called(["data", "check"])
            finally:
                del os.environ[name]
                if before is not None:
                    os.environ[name] = before
            raise ValueError(f"{err.strip()}" if code else f"taken: {out!r}\n\n")

        return call

    for value in (
        "file",
        "none",
        "~none-such/x",
        "/dev/null",
        "a" * 300,
        ".",
        "~",
        "\udcff",
        "/",
        "//",
        "a/" * 3000,
    ):
        yield Case(value[:40], with_variable("LRLIB_DATA", value))
