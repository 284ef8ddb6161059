"""One folder with all that a GPU machine without network lacks: wheels, CIFAR-10, and what this tree is.

    make gpu-bundle                                  # python -m cluster.bundle make
    python3 -m cluster.bundle check                  # there, by first.sh and record.sh

The folder, ``_build/gpu``, gets

    wheels/*.whl            packages that such a machine lacks, at the versions of constraints.txt
    a/a.bin, b/b.bin        CIFAR-10 in two halves (cluster/carry.py)
    tree/commit             the commit of this tree, for records: LRLIB_COMMIT
    tree/lrlib.sha256       its lrlib/**/*.py, as `sha256sum --check` reads it
    tree/python             the Python that the wheels are for
    tree/lrlib-*.dist-info  lrlib's version, for records: lrlib runs from the tree and is not installed there
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from lrlib._files import WriteError, write_atomically

ROOT = Path(__file__).parents[1]
OUT = Path("_build/gpu")
#: What a machine with torch and its friends lacks of lrlib's needs; pydantic wants a new typing-extensions.
WHEELS = (
    "annotated-types",
    "platformdirs",
    "pydantic",
    "pydantic-core",
    "typing-extensions",
    "typing-inspection",
)
#: What lrlib imports on such a machine: package, and the module by which it is imported if that is another.
NEEDED = {
    **{name: name for name in ("filelock", "numpy", "scipy", "torch", "torchvision", "tqdm", "typer")},
    **{name: name.replace("-", "_") for name in WHEELS},
    "scikit-learn": "sklearn",
}
GLIBC = 28  # wheels for glibc up to 2.28: Debian 10, RHEL 8, Ubuntu 20.04 and later have it
MIB = 1 << 20
BLOCK = 512  # bytes; a tar archive is made of such


class BundleError(RuntimeError):
    """A bundle that cannot be made or used; the message is one sentence."""


# What this tree is ------------------------------------------------------------


def clean_commit(root: Path) -> str:
    """Return the commit of a checkout, 40 hex digits; raise BundleError if lrlib differs from it.

    Records may be new: they are data.
    """

    def git(*words: str) -> str:
        try:
            done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
        except OSError:
            raise BundleError(
                "git is not installed, and a bundle names the commit that it was made of"
            ) from None
        if done.returncode:
            raise BundleError(
                f"{root} is no git checkout with a commit, and a bundle names the commit of its tree"
            )
        return done.stdout

    changed = git("status", "--porcelain", "--", "lrlib", ":!lrlib/recorded").splitlines()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise BundleError(f"lrlib differs from the last commit ({changed[0][3:]}{more}); commit it first")
    return git("rev-parse", "HEAD").strip()


def listing(root: Path) -> str:
    """Return a line for each file of lrlib/**/*.py: its SHA-256, two spaces, its path."""
    paths = sorted(path.relative_to(root) for path in (root / "lrlib").rglob("*.py"))
    return "".join(
        f"{hashlib.sha256((root / path).read_bytes()).hexdigest()}  {path.as_posix()}\n" for path in paths
    )


def describe(root: Path, folder: Path, *, python: str) -> None:
    """Write ``tree`` into the bundle."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    files = {
        "commit": f"{clean_commit(root)}\n",
        "lrlib.sha256": listing(root),
        "python": f"{python}\n",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for path, text in files.items():
        write_atomically(tree / path, lambda file, text=text: file.write(text.encode()))


def check(root: Path, folder: Path) -> str:
    """Return one line about a bundle that fits the tree and this Python; raise BundleError if it does not."""
    tree = folder / "tree"
    try:
        commit, promised, python = (
            (tree / name).read_text(encoding="utf-8") for name in ("commit", "lrlib.sha256", "python")
        )
    except OSError:
        raise BundleError(
            f"{tree} is not whole: make it where there is a network (`make gpu-bundle`), and bring it here"
        ) from None
    if not re.fullmatch("[0-9a-f]{40}\n", commit):
        raise BundleError(f"{tree / 'commit'} must be 40 hex digits and a line's end, got {commit[:60]!r}")
    found = listing(root)
    other = sorted(set(found.splitlines()) ^ set(promised.splitlines()), key=lambda line: line[66:])
    if other:
        names = list(dict.fromkeys(line[66:] for line in other))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise BundleError(
            f"{names[0]}{more}: not as when the bundle was made; bring checkout and bundle again, together"
        )
    here, python = "{}.{}".format(*sys.version_info), python.strip()
    if python != here:
        raise BundleError(
            f"the bundle is for Python {python}, and this is {here}: `make gpu-bundle PYTHON_THERE={here}`"
        )
    carried = {path.name.split("-")[0].replace("_", "-") for path in (folder / "wheels").glob("*.whl")}
    lacking = [name for name, module in NEEDED.items() if name not in carried and find_spec(module) is None]
    if lacking:
        again = f'`make gpu-bundle ALSO="{" ".join(lacking)}"` brings them'
        raise BundleError(f"this Python lacks {', '.join(lacking)}: {again}")
    return f"{len(found.splitlines())} files of lrlib are those of commit {commit.strip()}"


# What travels -----------------------------------------------------------------


def fetch_wheels(folder: Path, names: Sequence[str], *, python: str, machine: str, constraints: Path) -> None:
    """Let pip fetch these packages as wheels, without their needs, for a Linux machine with this Python."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    # pip takes a platform by its name alone: an older glibc's has to be named too.
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
    platforms += [f"manylinux{year}_{machine}" for year in (2014, 2010, 1)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:", "--no-deps", "--implementation", "cp", "--python-version", python]
    command += [word for platform in platforms for word in ("--platform", platform)]
    command += ["--constraint", str(constraints), "--dest", str(part), *names]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        why = said[0].removeprefix("ERROR: ")[:200] if said else f"pip ended with {done.returncode}"
        raise BundleError(f"there are no wheels for Python {python} on {machine}: {why}")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def whole_data(folder: Path) -> bool:
    """Return whether both halves of CIFAR-10 are in the bundle already, whole."""
    from cluster.carry import CarryError, read_part

    try:
        parts = [read_part(folder / name / f"{name}.bin") for name in ("a", "b")]
    except CarryError:
        return False
    return sum(len(part.labels) for part in parts) == parts[0].images


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def checkout_size(root: Path) -> int:
    """Return the bytes of what git knows of a checkout or would add, as a tar archive has them."""
    words = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = {root / name for name in names if name}
    sizes = [path.stat().st_size for path in paths if path.is_file() and not path.is_symlink()]
    return sum(BLOCK + BLOCK * -(-size // BLOCK) for size in sizes)  # a file's head is a block, too


@dataclass(frozen=True)
class Transfer:
    """What is brought in one go: a name, and the bytes of each thing."""

    name: str
    sizes: dict[str, int]

    @property
    def bytes(self) -> int:
        return sum(self.sizes.values())

    def line(self) -> str:
        """Return the sizes in words."""
        parts = " + ".join(f"{name} {size / MIB:.1f}" for name, size in self.sizes.items())
        return f"{self.name}: {parts} = {self.bytes / MIB:.1f} MiB"


def transfers(root: Path, folder: Path, *, limit: int) -> list[Transfer]:
    """Return what is brought in each go, the checkout with each; raise BundleError if one is over the limit.

    `limit` is in bytes. Checkpoints of an earlier job go with the second half, or if that is too much,
    between the two.
    """
    tree = {"checkout": checkout_size(root), "tree": size(folder / "tree")}
    first = Transfer("first transfer", {**tree, "wheels": size(folder / "wheels"), "a": size(folder / "a")})
    second = Transfer("second transfer", {**tree, "b": size(folder / "b")})
    found = [first, second]
    checkpoints = size(folder / "checkpoints")
    if checkpoints and second.bytes + checkpoints <= limit:
        found[1] = Transfer(second.name, {**second.sizes, "checkpoints": checkpoints})
    elif checkpoints:
        found.insert(1, Transfer("between them", {**tree, "checkpoints": checkpoints}))
    for transfer in found:
        if transfer.bytes > limit:
            raise BundleError(
                f"{transfer.line()}, over the limit of {limit / MIB:.1f} MiB; records of other studies may "
                "stay behind: delete their folders in lrlib/recorded, then `git checkout lrlib/recorded`"
            )
    return found


def make(
    root: Path, folder: Path, *, python: str, machine: str, also: Sequence[str], limit_mib: float
) -> list[Transfer]:
    """Write the bundle; what is there and cannot change, the data, stays."""
    from cluster.carry import pack_cifar10

    if not re.fullmatch(r"3\.\d+", python):
        raise BundleError(f"python must be as in 3.12, got {python!r}")
    clean_commit(root)  # before anything is fetched
    names = sorted({*WHEELS, *also})
    fetch_wheels(
        folder / "wheels", names, python=python, machine=machine, constraints=root / "constraints.txt"
    )
    if not whole_data(folder):
        print("Packing CIFAR-10: 4 to 6 minutes of one core, once.", flush=True)
        pack_cifar10(folder)
    describe(root, folder, python=python)
    return transfers(root, folder, limit=int(limit_mib * MIB))


def main() -> None:
    parser = argparse.ArgumentParser(description="What a GPU machine without network lacks, in one folder.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("make", help="write the bundle")
    verb.add_argument("--python", default="3.12", help="version there; 3.12 if not given")
    verb.add_argument("--machine", default="x86_64", help="processor there, as uname -m says")
    verb.add_argument("--also", nargs="*", default=[], help="further packages that are lacking there")
    verb.add_argument(
        "--limit-mib", type=float, default=64, help="most that travels at once; 64 if not given"
    )
    verb.add_argument("--out", type=Path, default=OUT)
    verb = verbs.add_parser("check", help="whether the bundle fits this tree and this Python")
    verb.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    try:
        if options.verb == "check":
            print(check(ROOT, options.out))
            return
        found = make(
            ROOT,
            options.out,
            python=options.python,
            machine=options.machine,
            also=options.also,
            limit_mib=options.limit_mib,
        )
    except (
        BundleError,
        WriteError,
        RuntimeError,
    ) as error:  # lrlib's own errors, of the data, are one sentence too
        sys.exit(str(error))
    print(f"The bundle is in {options.out}; cluster/README.md says how to go on.")
    for transfer in found:
        print(transfer.line())


if __name__ == "__main__":
    main()
