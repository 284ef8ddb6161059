"""Give the outputs of notebooks that were just run to the build, so that `make test` runs each of them once.

    python -m tools.outputs FOLDER CACHE SETTINGS

FOLDER holds executed copies of the notebooks. CACHE becomes the folder of their outputs, as Jupyter keeps
them, and SETTINGS a file of the book's settings with that cache; it must stand beside `_config.yml`, whose
paths are seen from there. A build for readers, `make book`, runs everything itself: a cache goes by the cells
alone, and sees no change of lrlib.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

USUAL = Path("_config.yml")
RUN = "  execute_notebooks: force"


def keep(notebook: Path, cache: Path) -> None:
    """Put an executed notebook into a cache; raise ValueError if a cell of it was not run."""
    executed = nbformat.read(notebook, as_version=nbformat.NO_CONVERT)
    for cell in executed.cells:
        # when each cell ran; the build looks for cells as they are written
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code" and cell.source and cell.execution_count is None:
            raise ValueError(f"{notebook} has a cell that was not run: {cell.source.splitlines()[0]!r}")
    bundle = CacheBundleIn(executed, str(notebook))
    get_cache(str(cache)).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def main(folder: str, cache: str, settings: str) -> None:
    """Put all notebooks of a folder into a cache, and write the settings of a build with it."""
    for notebook in sorted(Path(folder).rglob("*.ipynb")):
        keep(notebook, Path(cache))
    head, line, rest = USUAL.read_text(encoding="utf-8").partition(RUN)
    if not line:
        raise ValueError(f"{USUAL} has no line {RUN.strip()!r}, so there is nothing to replace by a cache")
    with_cache = f"  execute_notebooks: cache\n  cache: {Path(cache).resolve()}\n"
    Path(settings).write_text(head + with_cache + rest.partition("\n")[2], encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
