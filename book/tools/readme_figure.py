"""Draw the README's figure from the shipped records: `make figure`."""

import io
from pathlib import Path

import matplotlib as mpl

from lrlib import load_runs, plots
from lrlib.plots.style import STYLE

FILE = Path(__file__).parents[1] / "_static" / "readme.svg"


def svg() -> str:
    """Return the figure as SVG; the same records give the same text."""
    figure = plots.plot_runs(load_runs("pilot-laptop"), ["test_accuracy"], rate=True)
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        # White ground: a README is shown on light and dark pages alike.
        figure.savefig(buffer, format="svg", facecolor="white", transparent=False, metadata={"Date": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(svg(), encoding="utf-8")
    print(f"Wrote {FILE.name}")
