"""Give the outputs of notebooks that were just run to the build, so that `make test` runs each of them once.

    python -m tools.outputs FOLDER OUT

FOLDER holds executed copies of the notebooks. OUT gets ``cache``, as Jupyter keeps outputs, and
``config.yml``, the book's settings with that cache. A build for readers, `make book`, runs everything itself:
a cache goes by the cells alone, and sees no change of lrlib.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

SETTINGS = Path("_config.yml")
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


def main(folder: str, out: str) -> None:
    """Put all notebooks of a folder into a cache, and write the settings of a build with it."""
    cache = Path(out).resolve() / "cache"
    for notebook in sorted(Path(folder).rglob("*.ipynb")):
        keep(notebook, cache)
    head, line, rest = SETTINGS.read_text(encoding="utf-8").partition(RUN)
    if not line:
        raise ValueError(f"{SETTINGS} has no line {RUN.strip()!r}, so there is nothing to replace by a cache")
    settings = f"{head}  execute_notebooks: cache\n  cache: {cache}\n{rest.partition(chr(10))[2]}"
    (Path(out) / "config.yml").write_text(settings, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
