"""The way to a GPU machine without network: pictures come back exact, and what does not fit is refused."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from cluster import bundle, carry
from lrlib.training import cifar10, machine
from lrlib.training.machine import commit
from mini_cifar10 import LABELS, MINI, PIXELS, TEST, TRAIN, assert_is_mini

ROOT = Path(__file__).parents[2]

HERE = "{}.{}".format(*sys.version_info)


# The codec --------------------------------------------------------------------


def test_residuals_worked_out_by_hand():
    plane = np.array([[[10, 12, 11], [13, 20, 15], [12, 11, 200]]], np.uint8)
    # First row: from the left. First column: from above. Then from the median of left, above, and their sum
    # less the corner: 13 of 13, 12, 15; 19 of 20, 11, 19; 19 of 12, 20, 19; 11 of 11, 15, 6.
    by_hand = [[[10, 2, -1], [3, 7, -4], [-1, -8, 189]]]
    expected = np.array(by_hand).astype(np.uint8)
    np.testing.assert_array_equal(carry.residuals(plane), expected)
    np.testing.assert_array_equal(carry.pixels(expected), plane)


def test_a_plain_and_slow_reference_says_the_same():
    plane = np.random.default_rng(1).integers(0, 256, (2, 5, 4), dtype=np.uint8)
    for image, got in zip(plane.tolist(), carry.residuals(plane).tolist(), strict=True):
        for y in range(5):
            for x in range(4):
                a = image[y][x - 1] if x else image[y - 1][0] if y else 0
                b = image[y - 1][x] if y else a
                c = image[y - 1][x - 1] if x and y else b if x else a
                assert got[y][x] == (image[y][x] - sorted([a, b, a + b - c])[1]) % 256


def structured(n):
    """Images with edges, slopes and extreme values."""
    y, x = np.mgrid[:32, :32]
    red = np.stack([np.where(x > k % 32, 255, 0) for k in range(n)])
    green = np.stack([(5 * x + 3 * y + k) % 256 for k in range(n)])
    blue = np.stack([np.where((x + y) % 2, k % 256, 255 - k % 256) for k in range(n)])
    return np.stack([red, green, blue], axis=1).astype(np.uint8)


@pytest.mark.parametrize(
    "images",
    [
        np.random.default_rng(2).integers(0, 256, (7, 3, 32, 32), dtype=np.uint8),
        structured(40),
        np.zeros((1, 3, 32, 32), np.uint8),
        np.full((2, 3, 32, 32), 255, np.uint8),
    ],
    ids=["random", "structured", "black", "white"],
)
def test_a_block_comes_back_to_the_pixel(images):
    packed = carry.pack_block(images)
    again = carry.unpack_block(packed)
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, images)


def test_structure_is_packed_well():
    assert len(carry.pack_block(structured(40))) < structured(40).size / 10


@pytest.fixture
def halves(tmp_path):
    """The small set of tests/helpers/mini_cifar10.py in two files; its 6 test images come first."""
    order = [*range(26)[TEST], *range(26)[TRAIN]]
    images = np.ascontiguousarray(PIXELS[order].transpose(0, 3, 1, 2))
    return carry.pack(tmp_path, images, np.array(LABELS)[order], test=6, first_half=10)


def test_a_set_comes_back_in_the_layout_that_lrlib_verifies(halves, tmp_path):
    assert [path.relative_to(tmp_path).as_posix() for path in halves] == ["a/a.bin", "b/b.bin"]
    folder = carry.unpack(reversed(halves), tmp_path / "out")  # whichever is named first
    assert folder == tmp_path / "out/cifar-10-batches-py"
    assert len(list(folder.iterdir())) == 6
    assert_is_mini(cifar10.read(cifar10.find(tmp_path / "out"), spec=MINI))


def test_many_blocks_are_shared_by_processes():
    blocks = [carry.pack_block(structured(40)[i : i + 1]) for i in range(4)]
    np.testing.assert_array_equal(
        np.concatenate(carry._on_all_cores(carry.unpack_block, blocks)), structured(40)[:4]
    )


def a_bit(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (a_bit, "was cut or changed on its way; bring it here again"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "was cut or changed on its way"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "was cut or changed on its way"),
        (lambda path: path.write_bytes(b""), "is no file of cluster/carry.py"),
        (lambda path: path.write_text("<html>"), "is no file of cluster/carry.py"),
        (lambda path: path.unlink(), "cannot be read (No such file or directory); bring it here again"),
    ],
    ids=["bit", "short", "head", "empty", "html", "gone"],
)
def test_a_damaged_half_is_one_sentence(halves, tmp_path, damage, words):
    damage(halves[1])
    with pytest.raises(carry.CarryError) as caught:
        carry.unpack(halves, tmp_path / "out")
    assert f"{halves[1]}: {words}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_one_half_twice_or_of_another_set_is_one_sentence(halves, tmp_path):
    with pytest.raises(carry.CarryError, match=r"are not all parts of one set; both a\.bin and b\.bin"):
        carry.unpack([halves[0], halves[0]], tmp_path / "out")
    with pytest.raises(carry.CarryError, match="are not all parts of one set"):
        carry.unpack([halves[1]], tmp_path / "out")
    carry.pack(tmp_path / "other", structured(30), np.arange(30) % 10, test=6, first_half=10)
    with pytest.raises(carry.CarryError, match="are not all parts of one set"):
        carry.unpack([halves[0], tmp_path / "other/b/b.bin"], tmp_path / "out")


def test_the_command_says_one_sentence_too(tmp_path):
    command = [sys.executable, "-m", "cluster.carry", "check", str(tmp_path / "a.bin")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"{tmp_path / 'a.bin'}: cannot be read (No such file or directory); bring it here again\n"
    )


# The bundle -------------------------------------------------------------------


def git(root, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A small repository with what a bundle looks at."""
    root = tmp_path / "checkout"
    (root / "lrlib/recorded").mkdir(parents=True)
    (root / "lrlib/code.py").write_text("print(1)\n")
    (root / "lrlib/more.py").write_text("print(2)\n")
    (root / "README.md").write_text("Read me.\n")
    (root / ".gitignore").write_text("_build/\n")
    shutil.copy(ROOT / "pyproject.toml", root)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "All")
    return root


def test_the_commit_is_the_checkouts(checkout):
    assert re.fullmatch("[0-9a-f]{40}", bundle.clean_commit(checkout))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "lrlib/code.py").write_text("print(3)\n"),
        lambda root: (root / "lrlib/new.py").write_text("print(3)\n"),
        lambda root: (root / "lrlib/code.py").unlink(),
    ],
    ids=["changed", "new", "gone"],
)
def test_a_changed_lrlib_is_refused(checkout, change):
    change(checkout)
    with pytest.raises(
        bundle.BundleError, match=r"^lrlib differs from .* \(lrlib/\w+\.py\); commit it first$"
    ):
        bundle.make(checkout, checkout / "_build/gpu", python="3.12", machine="x86_64", also=[], limit_mib=64)
    assert not (checkout / "_build").exists()


def test_new_records_and_other_files_may_differ(checkout):
    (checkout / "lrlib/recorded/linear-seed0.json").write_text("{}")
    (checkout / "README.md").write_text("Read me again.\n")
    bundle.clean_commit(checkout)


def test_no_checkout_is_one_sentence(tmp_path):
    with pytest.raises(bundle.BundleError, match="is no git checkout with a commit"):
        bundle.clean_commit(tmp_path)


@pytest.fixture
def told(checkout):
    """The checkout's bundle, as far as it is about the tree."""
    bundle.describe(checkout, checkout / "_build/gpu", python=HERE)
    return checkout / "_build/gpu"


def test_a_bundle_fits_the_tree_that_it_was_made_of(checkout, told):
    head = bundle.clean_commit(checkout)
    assert (told / "tree/commit").read_text() == f"{head}\n"
    (told / "wheels").mkdir()
    for name in bundle.WHEELS:  # packages that come with it need not be here
        (told / f"wheels/{name.replace('-', '_')}-1.0-py3-none-any.whl").write_bytes(b"")
    shutil.rmtree(checkout / ".git")
    assert bundle.check(checkout, told) == f"2 files of lrlib are those of commit {head}"
    done = subprocess.run(
        ["sha256sum", "--check", told / "tree/lrlib.sha256"], cwd=checkout, capture_output=True, text=True
    )
    assert done.stdout == "lrlib/code.py: OK\nlrlib/more.py: OK\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: (root / "lrlib/code.py").write_text("print(3)\n"), "lrlib/code.py: not as when"),
        (lambda root: (root / "lrlib/new.py").write_text(""), "lrlib/new.py: not as when"),
        (lambda root: (root / "lrlib/more.py").unlink(), "lrlib/more.py: not as when"),
        (lambda root: shutil.rmtree(root / "lrlib"), "lrlib/code.py and 1 more: not as when"),
        (lambda root: (root / "_build/gpu/tree/commit").write_text("main\n"), "must be 40 hex digits"),
        (lambda root: (root / "_build/gpu/tree/python").write_text("3.8\n"), "the bundle is for Python 3.8"),
        (lambda root: shutil.rmtree(root / "_build"), "tree is not whole: make it where there is a network"),
    ],
    ids=["changed", "new", "gone", "all", "commit", "python", "no bundle"],
)
def test_what_does_not_fit_is_one_sentence(checkout, told, change, words):
    change(checkout)
    with pytest.raises(bundle.BundleError) as caught:
        bundle.check(checkout, told)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).rstrip()


def test_what_this_python_lacks_is_named(checkout, told, monkeypatch):
    monkeypatch.setattr(bundle, "find_spec", lambda module: None if module in ("typer", "sklearn") else 1)
    with pytest.raises(bundle.BundleError) as caught:
        bundle.check(checkout, told)
    assert str(caught.value) == (
        'this Python lacks typer, scikit-learn: `make gpu-bundle ALSO="typer scikit-learn"` brings them'
    )


def fill(folder, **sizes):
    for name, count in sizes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "file").write_bytes(bytes(count))


def test_what_travels_is_counted_and_kept_below_the_limit(checkout, told):
    fill(told, wheels=1000, a=50_000, b=60_000)
    tree, checkout_bytes = bundle.size(told / "tree"), bundle.checkout_size(checkout)
    names = ("lrlib/code.py", "lrlib/more.py", "README.md", ".gitignore", "pyproject.toml")
    with tarfile.open(checkout / "_build" / "all.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            archive.add(checkout / name)
        assert checkout_bytes == archive.offset
    first, second = bundle.transfers(checkout, told, limit=bundle.MIB)
    assert first.bytes == checkout_bytes + tree + 51_000
    assert second.bytes == checkout_bytes + tree + 60_000
    assert second.line().startswith("second transfer: checkout 0.0 + tree 0.0 + b 0.1 = 0.1 MiB")
    bundle.transfers(checkout, told, limit=second.bytes)
    with pytest.raises(
        bundle.BundleError, match=r"^second transfer: .* MiB, over the limit of 0\.1 MiB; records of "
    ):
        bundle.transfers(checkout, told, limit=second.bytes - 1)


def test_checkpoints_travel_with_the_second_half_or_between(checkout, told):
    fill(told, wheels=1000, a=50_000, b=60_000, checkpoints=30_000)
    _, second = bundle.transfers(checkout, told, limit=bundle.MIB)
    assert second.sizes["checkpoints"] == 30_000
    names = [found.name for found in bundle.transfers(checkout, told, limit=second.bytes - 1)]
    assert names == ["first transfer", "between them", "second transfer"]


def test_what_is_no_version_of_python_is_refused_before_anything_is_fetched(checkout):
    with pytest.raises(bundle.BundleError, match=r"python must be as in 3\.12, got 'three'"):
        bundle.make(checkout, checkout / "_build", python="three", machine="x86_64", also=[], limit_mib=64)


def test_the_wheels_are_pinned_and_their_modules_known():
    pins = (ROOT / "constraints.txt").read_text()
    for name in bundle.WHEELS:
        assert re.search(rf"^{name}==", pins, re.M), name
    assert not [name for name, module in bundle.NEEDED.items() if bundle.find_spec(module) is None]


# The scripts ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["common.sh", "first.sh", "record.sh"])
def test_the_scripts_are_bash(name):
    subprocess.run(["bash", "-n", str(ROOT / "cluster" / name)], check=True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"MINUTES": "ten"}, "MINUTES must be a number, got 'ten'."),
        ({"TOGETHER": "2.5"}, "TOGETHER must be a whole number, got '2.5'."),
        ({"STUDIES": "no-such"}, "There is no study studies/no-such.toml."),
        ({"STUDIES": "source-gpu:x"}, "Runs at a time of source-gpu must be a whole number, got 'x'."),
        ({"STUDIES": "source-gpu:2+no-such:3"}, "There is no study studies/no-such.toml."),
        ({"STUDIES": "source-gpu+path-graph"}, "Runs at a time of path-graph must be a whole number, got"),
        ({"WHOLE": "2"}, "WHOLE must be 0 or 1, got '2'."),
        ({"DETERMINISTIC": "yes"}, "DETERMINISTIC must be 0 or 1, got 'yes'."),
        ({"WORK": "no-such-folder"}, "no-such-folder is missing: make it where there is a network"),
    ],
)
def test_bad_settings_are_one_sentence(settings, sentence, tmp_path):
    done = subprocess.run(
        ["bash", str(ROOT / "cluster/record.sh")],
        env={"PATH": "/usr/bin:/bin", "OUT": str(tmp_path), "PYTHON": sys.executable, **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert (done.stdout + done.stderr).startswith(sentence)
    assert (done.stdout + done.stderr).count("\n") == 1


# A Python that notes what it is asked, and does what a study leaves behind; `slow` ones wait to be stopped.
STAND_IN = """#!/usr/bin/env bash
echo "$LRLIB_COMMIT $LRLIB_DATA $*" >> "$NOTES"
out=${!#}
case "$*" in
  *race.py*) exit 3 ;;
  *doctor*) exit "${SELF_TEST:-0}" ;;
  *"carry unpack"*) mkdir -p "$out" ;;
  *failing.toml*) exit 1 ;;
  *slow.toml*)
    trap 'echo stopped >> "$NOTES"; echo kept > "$out/slow.pt"; exit 0' TERM
    echo so far > "$out/slow.pt"
    echo "waiting $$" >> "$NOTES"
    while :; do sleep 0.05; done ;;
  *"study run"*)
    echo "{}" > "$out/linear-seed0.json"
    echo lock > "$out/linear-seed0.lock"
    head -c 1500000 /dev/zero > "$out/large-seed0.pt"
    for i in 1 2 3; do head -c 1000 /dev/zero > "$out/small-seed$i.pt"; done ;;
esac
"""


@pytest.fixture
def there(tmp_path):
    """A machine with a bundle, as far as the scripts look: what they were asked is in ``notes``."""
    work = tmp_path / "work"
    fill(work, wheels=1, tree=1)
    (work / "tree/commit").write_text("a" * 40 + "\n")
    (work / "wheels/file").rename(work / "wheels/some-1.0-py3-none-any.whl")
    python = tmp_path / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)
    for name in ("one", "failing", "slow"):
        (tmp_path / f"{name}.toml").write_text("")

    def start(script, **settings):
        where = {"PYTHON": python, "WORK": work, "OUT": tmp_path / "out", "NOTES": tmp_path / "notes"}
        env = {
            "PATH": "/usr/bin:/bin",
            "RACE_SECONDS": "1",
            **{k: str(v) for k, v in where.items()},
            **settings,
        }
        words = ["bash", str(ROOT / "cluster" / script)]
        return subprocess.Popen(
            words,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start


def asked(folder):
    return (folder / "notes").read_text().splitlines()


def test_record_does_all_in_order_and_packs_what_is_small_enough(there, tmp_path):
    checkpoints = tmp_path / "work/checkpoints/one"
    checkpoints.mkdir(parents=True)
    (checkpoints / "linear-seed7.pt").write_bytes(b"from an earlier job")
    studies = f"{tmp_path}/failing.toml {tmp_path}/one.toml:8:2+{tmp_path}/two.toml:4"
    (tmp_path / "two.toml").touch()
    job = there("record.sh", STUDIES=studies, WHOLE="1", DETERMINISTIC="1", MOST_MIB="1", MOST_FILES="5")
    log = job.communicate(timeout=60)[0]
    assert job.returncode == 1  # of the study that failed; the race is no reason
    work, out = tmp_path / "work", tmp_path / "out"
    verbs = ["bundle check", "pip install", "cli presets", "carry unpack", "cli data check", "race.py"]
    lines = asked(tmp_path)
    assert [verb in line for verb, line in zip(verbs, lines, strict=False)] == [True] * 6
    assert [line.split(" --minutes ")[0].split(".cli ")[1] for line in lines[6:]] == [
        f"study run {tmp_path}/failing.toml --path graph --together 5",
        f"study run {tmp_path}/one.toml --path graph --together 8",
    ]
    minutes = [float(line.split(" --minutes ")[1].split()[0]) for line in lines[6:]]
    assert 8.5 < minutes[0] < 9.5 - 40 / 60
    assert minutes[1] == 2
    assert f" --beside {tmp_path}/two.toml:4 " in lines[7]
    assert lines[7].endswith(f" --whole --deterministic --out {work}/records/one")
    assert lines[6].startswith(f"{'a' * 40} {work}/cifar10 ")
    assert "The race did not come to its end (status 3)." in log
    assert "failing.toml: ended with status 1." in log
    with tarfile.open(out / "records.tar.gz") as packed:
        assert [name for name in packed.getnames() if "." in name] == ["records/one/linear-seed0.json"]
    assert "one/large-seed0.pt stays behind: 1 MiB, and 1 may be brought back in one file." in log
    assert "one/small-seed3.pt stays behind: 5 files and 64 MiB may be brought back." in log
    brought = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.pt"))
    assert brought == [
        "checkpoints/one/linear-seed7.pt",
        "checkpoints/one/small-seed1.pt",
        "checkpoints/one/small-seed2.pt",
    ]
    assert (out / "record.log").read_text() == log


def wait_for_the_slow_study(job, folder):
    """Return its process once it is at work."""
    while True:
        assert job.poll() is None
        lines = asked(folder) if (folder / "notes").exists() else []
        at_work = [line for line in lines if line.startswith("waiting ")]
        if at_work:
            return int(at_work[0].split()[1])
        time.sleep(0.05)


def test_a_machine_that_ends_without_a_word_leaves_what_there_was(there, tmp_path):
    so_far = tmp_path / "out/checkpoints/slow/slow.pt"
    with there("record.sh", STUDIES=f"{tmp_path}/slow.toml", RACE_SECONDS="0", PACK_EVERY="1") as job:
        study = wait_for_the_slow_study(job, tmp_path)
        for _ in range(2):  # packed once, and once more with the first one there
            so_far.unlink(missing_ok=True)
            while not so_far.exists():
                assert job.poll() is None
                time.sleep(0.05)
        os.killpg(job.pid, signal.SIGKILL)
        os.kill(study, signal.SIGKILL)  # it has a session of its own
    assert so_far.read_text() == "so far\n"
    assert (tmp_path / "out/records.tar.gz").is_file()


def test_a_polite_kill_of_the_group_lets_the_epoch_end_and_packs(there, tmp_path):
    with there("record.sh", STUDIES=f"{tmp_path}/slow.toml {tmp_path}/one.toml", RACE_SECONDS="0") as job:
        wait_for_the_slow_study(job, tmp_path)
        os.killpg(job.pid, signal.SIGTERM)
        log = job.communicate(timeout=60)[0]
    assert job.returncode == 143
    assert asked(tmp_path)[-1] == "stopped"  # once, and nothing was begun after it
    assert (tmp_path / "out/checkpoints/slow/slow.pt").read_text() == "kept\n"
    assert (tmp_path / "out/record.log").read_text() == log
    assert "holds what is to be brought back" in log.splitlines()[-1]


def test_no_study_is_begun_without_time_for_it(there, tmp_path):
    job = there("record.sh", STUDIES=f"{tmp_path}/one.toml", MINUTES="0.9", RACE_SECONDS="0")
    log = job.communicate(timeout=60)[0]
    assert job.returncode == 0
    assert "one.toml: no time is left for it." in log
    assert not [line for line in asked(tmp_path) if "study run" in line]


def test_wheels_are_installed_once_and_again_if_they_are_others(there, tmp_path):
    def installed():
        there("first.sh").communicate(timeout=60)
        return sum("pip install" in line for line in asked(tmp_path))

    assert [installed(), installed()] == [1, 1]
    wheels = tmp_path / "work/wheels"
    (wheels / "some-1.0-py3-none-any.whl").rename(wheels / "some-2.0-py3-none-any.whl")
    assert [installed(), installed()] == [2, 2]


@pytest.mark.parametrize(
    ("status", "race", "last"),
    [
        (0, 0, "All is well after"),
        (0, 30, "All is well after"),
        (1, 30, "The self test failed (status 1)"),
    ],
)
def test_first_ends_with_the_verdict_of_the_self_test(there, tmp_path, status, race, last):
    job = there("first.sh", SELF_TEST=str(status), RACE_SECONDS=str(race), RACE_WORDS="--networks a b")
    log = job.communicate(timeout=60)[0]
    assert job.returncode == status
    assert log.splitlines()[-1].startswith(last)
    assert (tmp_path / "out/first.log").read_text() == log
    steps = (tmp_path / "out/steps.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in steps] == [
        "tree checked, wheels installed",
        "torch imported",
        "data checked",
        "self test",
        *(["race"] if race and not status else []),
    ]
    raced = [line for line in asked(tmp_path) if "race.py" in line]
    assert [
        line.endswith(f"race.py --networks a b --seconds 30 --out {tmp_path}/out/race.json") for line in raced
    ] == ([True] if race and not status else [])
    assert [f" --{'no-' if race else ''}race " in line for line in asked(tmp_path) if "doctor" in line] == [
        True
    ]
    assert all(re.fullmatch(r".*: \d+\.\d s", line) for line in steps)


# The commit -------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy without .git, as far as `commit` looks."""
    monkeypatch.setattr(machine, "PACKAGE", tmp_path / "lrlib")
    monkeypatch.delenv("LRLIB_COMMIT", raising=False)
    return monkeypatch


def test_a_copy_is_told_its_commit(copied):
    assert commit() is None
    copied.setenv("LRLIB_COMMIT", "0123456789abcdef" * 2 + "01234567")
    assert commit() == "0123456789abcdef" * 2 + "01234567"


def test_what_it_is_told_goes_before_a_git_folder_that_came_along(monkeypatch):
    monkeypatch.delenv("LRLIB_COMMIT", raising=False)
    assert commit() != "a" * 40
    monkeypatch.setenv("LRLIB_COMMIT", "a" * 40)
    assert commit() == "a" * 40


@pytest.mark.parametrize("told", ["", "main", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 40 + "+changes"])
def test_what_is_no_commit_is_one_sentence(copied, told):
    copied.setenv("LRLIB_COMMIT", told)
    with pytest.raises(ValueError, match=r"^LRLIB_COMMIT must be 40 hex digits .*, got '.*'$") as caught:
        commit()
    assert repr(told) in str(caught.value)
