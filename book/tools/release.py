"""What a release offers, in one folder: `make release`, after `make book`; it prints PDF and pack itself."""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from pathlib import Path

from tools.teach.offline import build_wheel, write_zip

ROOT = Path(__file__).parents[2]
# What a reader takes home, by the name that it has there; the last is a folder and becomes a zip.
PRINTED = {
    "big-steps-small-steps.pdf": "_build/book.pdf",
    "cheat-sheet.pdf": "_build/html/book/reference/cheat_sheet.pdf",
}
PACK, PACK_FROM = "teachers-pack.zip", "_build/teach"


def version(root: Path) -> str:
    """Return the version that pyproject.toml names."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def collect(root: Path, out: Path) -> list[Path]:
    """Copy what was built into a folder, which is made anew; return the files.

    Raises
    ------
    FileNotFoundError
        If something was not built.
    """
    missing = [name for name in [*PRINTED.values(), PACK_FROM] if not (root / name).exists()]
    if missing:
        raise FileNotFoundError(
            f"not built yet: {', '.join(missing)}; run make book, make pdf and make teach"
        )
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    for name, source in PRINTED.items():
        shutil.copy(root / source, out / name)
    pack = root / PACK_FROM
    write_zip(
        {path.relative_to(pack).as_posix(): path for path in sorted(pack.rglob("*")) if path.is_file()},
        out / PACK,
    )
    build_wheel(out)
    return sorted(out.iterdir())


def main() -> None:
    """Collect the files of a release; a tag has to name the version."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--tag", help="v and the version, as git has it")
    parser.add_argument("--out", type=Path, default=ROOT / "_build/release")
    arguments = parser.parse_args()
    expected = f"v{version(ROOT)}"
    if arguments.tag not in (None, expected):
        sys.exit(f"The tag is {arguments.tag}, and pyproject.toml says {expected}: change one of them.")
    try:
        for path in collect(ROOT, arguments.out):
            print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
