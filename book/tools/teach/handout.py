"""The handout: two pages, one to keep and one to fill in, as HTML and (with Chromium) as PDF."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lrbook.classroom import assignment
from lrlib import Constant, LinearDecay, Valley, plots, preset
from tools.teach import render
from tools.teach.exit_question import ExitQuestion
from tools.teach.offline import without_dates

STEPS = 300
POINTS = 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
NO_BROWSER = (
    "{name}.pdf was not made, as no Chromium was found (Debian and Ubuntu: apt install chromium; or print "
    "{name}.html from any browser)."
)

# Formula and one remark for each recipe; the curves beside them are computed.
SHAPES = {
    "constant": ("$1$", "ends on its noise floor"),
    "time": ("$1 / (1 + d\\,t)$", "counts updates: batch size changes it"),
    "drop": ("$q^{\\lfloor t/s \\rfloor}$", "falls in a few large steps"),
    "linear": ("$1 - t/T$", "needs the horizon $T$, nothing else"),
    "poly5": ("$(1 - t/T)^5$", "small for most of the run"),
    "triangle": ("$t/W$, then $\\frac{T-t}{T-W}$", "warm-up over $W$ updates, then linear"),
    "cosine": ("$\\frac12(1 + \\cos(\\pi t/T))$", "slow at both ends"),
    "cosine5": ("the same, restarted 5 times", "each restart shakes it up again"),
}


def handout(question: ExitQuestion) -> str:
    """Return the handout as one page of HTML that needs nothing from outside."""
    valley = Valley()
    raced = {"constant": Constant(), "linear": LinearDecay(total_steps=STEPS)}
    best = {name: valley.best_peak_lr(shape, steps=STEPS) for name, shape in raced.items()}
    drawn = plots.plot_descents(
        valley, {name: (raced[name], found.peak_lr, STEPS) for name, found in best.items()}, rate=True
    )
    rows = "".join(
        f"<tr><td>{_curve(name)}</td><td><b>{name}</b></td>"
        f"<td>{render.PARSER.renderInline(formula)}</td><td>{render.PARSER.renderInline(remark)}</td></tr>"
        for name, (formula, remark) in SHAPES.items()
    )
    valley_line = "; ".join(
        f"{name}: best peak rate {found.peak_lr:.2f}, expected loss {found.loss:.4f}"
        for name, found in best.items()
    )
    schedules = list(dict.fromkeys(a.schedule for a in assignment(30)))
    table = "".join(f"<tr><td>{name}</td>" + "<td></td>" * 4 + "</tr>" for name in schedules)
    alt = (
        "Rates and expected loss in the noisy valley, constant and linear, each at its own best peak rate: "
        "the linear rate falls to zero and ends at the lower loss."
    )
    parts = {
        "rows": rows,
        "valley": _image(drawn, alt),
        "valley_line": f"After {STEPS} updates, each at its own best rate: {valley_line}.",
        "to_beat": f"{best['linear'].loss:.4f}",
        "table": table,
        "exit": render.markdown(question.question()),
    }
    return render.page("handout", parts)


def print_pdf(
    page: Path, pdf: Path, *, outline: bool = False, find: Callable[[str], str | None] = shutil.which
) -> bool:
    """Print a page of HTML as PDF with Chromium; False if there is none, RuntimeError if it fails.

    With ``outline`` the headings are its bookmarks.
    """
    browser = next((path for path in map(find, BROWSERS) if path), None)
    if browser is None:
        return False
    options = [
        "--headless",
        "--disable-gpu",
        "--no-sandbox",
        "--no-pdf-header-footer",
        "--virtual-time-budget=20000",
        *(["--generate-pdf-document-outline"] if outline else []),
    ]
    done = subprocess.run(
        [browser, *options, f"--print-to-pdf={pdf}", page.resolve().as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode or not pdf.is_file():
        raise RuntimeError(f"{browser} could not print {page.name}: {done.stderr.strip()[-300:]}")
    pdf.write_bytes(without_dates(pdf.read_bytes()))
    return True


def _curve(name: str) -> str:
    """Draw a schedule's factor over a run of the class study as a line of 90 by 26 pixels.

    Time-based decay depends on the run: its decay is per update, so that in a run of 300 updates it would
    end far higher than in the one that the class sees.
    """
    config = preset("digits", recipe=name)
    schedule, total = config.schedule(), config.total_steps
    points = " ".join(
        f"{1 + 88 * i / (POINTS - 1):.1f},{25 - 24 * schedule(i * total // POINTS):.1f}"
        for i in range(POINTS)
    )
    return (
        '<svg class="curve" viewBox="0 0 90 26" role="img" aria-hidden="true"><path d="M1 0V25H90"/>'
        f'<polyline points="{points}"/></svg>'
    )


def _image(figure, alt: str) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return f'<img alt="{alt}" src="data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}">'
