"""The explorer in a real browser: its numbers are lrlib's, and it is used by mouse, keyboard and finger."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import lrlib
import lrlib.theory
from gate import Visit
from lrbook.chapters import explorer
from lrbook.chapters.explorer import choices
from lrlib.schedules.modern import (
    CosineFloorRecipe,
    CyclicRecipe,
    ExponentialRecipe,
    InverseSqrtRecipe,
    OneCycleRecipe,
    RestartsRecipe,
    RexRecipe,
    StepRecipe,
    WSDRecipe,
)
from lrlib.schedules.recipes import CosineRecipe, DropRecipe, PolynomialRecipe, TriangleRecipe

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html{color-scheme:light dark}body{margin:0;background:light-dark(#fff,#14181e)}</style></head>
<body><main style="padding: 12px"><h1>Explorer</h1>%s</main></body></html>"""
ROOT_JS = "document.querySelector('.lrx').lrx"

STEEP = [1000, 791, 355, 246, 177, 134, 106, 84, 68, 55, 44, 35, 26, 18, 12, 8]
BUMPY = [0, 250, 1000, 0, 0, 777, 31, 500, 500, 999, 1, 2, 640, 320, 160, 0]


def recipe(made, total):
    return made.build(total_steps=total, steps_per_epoch=1)


def drawn(knots, total):
    return lrlib.Knots(total_steps=total, factors=[knot / 1000 for knot in knots])


def survey_cases(T):
    drop = DropRecipe(drop_factor=0.5, drop_fraction=0.1, offset_fraction=0.05)
    bent = TriangleRecipe(warmup_fraction=0.3, start=0.2)
    return (
        ("s=constant", lrlib.Constant(), 0.279),
        ("s=linear", lrlib.LinearDecay(total_steps=T), 0.8547),
        ("s=time&decay=0.05", lrlib.TimeDecay(decay=0.05), 0.9),
        ("s=drop&drop=0.25&every=0.15&offset=0", DropRecipe(), 0.9),
        ("s=drop&drop=0.5&every=0.1&offset=0.05", drop, 0.9),
        ("s=poly&power=5", PolynomialRecipe(), 1.9),
        ("s=poly&power=1.6", PolynomialRecipe(power=1.6), 1.19),
        ("s=triangle&warmup=0.1&start=0", TriangleRecipe(), 0.85),
        ("s=triangle&warmup=0&start=0", TriangleRecipe(warmup_fraction=0), 0.85),
        ("s=triangle&warmup=0.3&start=0.2", bent, 0.85),
        ("s=cosine&cycles=1", CosineRecipe(), 0.8879),
        ("s=cosine&cycles=5", CosineRecipe(cycles=5), 0.8),
        (f"s=draw&k={'.'.join(map(str, STEEP))}", drawn(STEEP, T), 3),
        (f"s=draw&k={'.'.join(map(str, BUMPY))}", drawn(BUMPY, T), 1.234),
    )


def modern_cases(T):
    """Each of today's schedules as its recipe has it, with other parameters, and where rounding decides."""
    late = StepRecipe(milestones=(0.3, 0.31), drop_factor=0.5, warmup_fraction=0.4)
    early = StepRecipe(milestones=(0.2, 0.9), drop_factor=0.25, warmup_fraction=0)
    bent = OneCycleRecipe(warmup_fraction=0.45, start=0.2, end=0.001, anneal="linear")
    down = OneCycleRecipe(warmup_fraction=0, start=0.5, end=0.01)
    line = OneCycleRecipe(warmup_fraction=0, start=0.5, end=0.01, anneal="linear")
    shrinks = CyclicRecipe(cycles=3, low=0, peak_factor=0.55)
    no_warmup = {"warmup_fraction": 0, "cooldown_fraction": 0.2}
    long = {"warmup_fraction": 0.5, "cooldown_fraction": 0.75}
    # Of four cycles of growth 4 the last would have no update, in a run of ten.
    quadruple = RestartsRecipe(cycles=4 if T > 10 else 3, growth=4)
    return (
        ("s=exponential&end=0.01", ExponentialRecipe(), 1.2),
        ("s=exponential&end=0.5", ExponentialRecipe(end=0.5), 0.4),
        ("s=noam&warmup=0.1", InverseSqrtRecipe(), 0.9),
        ("s=noam&warmup=0", InverseSqrtRecipe(warmup_fraction=0), 1.5),
        ("s=noam&warmup=0.45", InverseSqrtRecipe(warmup_fraction=0.45), 0.3),
        ("s=step&warmup=0.05&first=0.5&second=0.75&drop=0.1", StepRecipe(), 0.7),
        ("s=step&warmup=0.4&first=0.3&second=0.31&drop=0.5", late, 0.7),
        ("s=step&warmup=0&first=0.9&second=0.2&drop=0.25", early, 0.7),
        ("s=cosine_floor&warmup=0.05&floor=0.1", CosineFloorRecipe(), 0.7),
        ("s=cosine_floor&warmup=0&floor=0", CosineFloorRecipe(warmup_fraction=0, floor=0), 0.8),
        ("s=cosine_floor&warmup=0.9&floor=0.35", CosineFloorRecipe(warmup_fraction=0.9, floor=0.35), 0.5),
        ("s=1cycle&warmup=0.3&start=0.04&end=0.000004&lines=0", OneCycleRecipe(), 1.1),
        ("s=1cycle&warmup=0.45&start=0.2&end=0.001&lines=1", bent, 1.1),
        ("s=1cycle&warmup=0&start=0.5&end=0.01&lines=0", down, 0.9),
        ("s=1cycle&warmup=0&start=0.5&end=0.01&lines=1", line, 0.9),
        ("s=sgdr&cycles=3&growth=2", RestartsRecipe(), 0.8),
        ("s=sgdr&cycles=4&growth=1", RestartsRecipe(cycles=4, growth=1), 0.6),
        ("s=sgdr&cycles=4&growth=4", quadruple, 0.7),
        ("s=clr&cycles=5&low=0.25&height=1", CyclicRecipe(), 0.5),
        ("s=clr&cycles=3&low=0&height=0.55", shrinks, 1.3),
        ("s=clr&cycles=10&low=0.9&height=1", CyclicRecipe(cycles=10, low=0.9), 0.4),
        *(
            case
            for name, tail in (("wsd", "linear"), ("wsd_sqrt", "sqrt"))
            for case in (
                (f"s={name}&warmup=0.05&cooldown=0.2", WSDRecipe(cooldown=tail), 0.45),
                (f"s={name}&warmup=0&cooldown=0.2", WSDRecipe(cooldown=tail, **no_warmup), 0.41),
                (f"s={name}&warmup=0.5&cooldown=0.75", WSDRecipe(cooldown=tail, **long), 0.7),
                (
                    f"s={name}&warmup=0&cooldown=1",
                    WSDRecipe(cooldown=tail, warmup_fraction=0, cooldown_fraction=1),
                    0.9,
                ),
            )
        ),
        ("s=rex", RexRecipe(), 0.6),
    )


def cases():
    """Yield the state of a link, and lrlib's schedule, peak rate and updates for it."""
    for T in (10, 47, 300):
        for state, made, peak in (*survey_cases(T), *modern_cases(T)):
            schedule = made if isinstance(made, lrlib.Schedule) else recipe(made, T)
            yield f"{state}&peak={peak}&T={T}", schedule, peak, T
    for state, made, peak in modern_cases(1000)[::3]:
        yield f"{state}&peak={peak}&T=1000", recipe(made, 1000), peak, 1000
    yield "s=poly&power=1.6&peak=1.19&T=1000", recipe(PolynomialRecipe(power=1.6), 1000), 1.19, 1000
    yield "s=cosine&cycles=8&peak=0.8&T=1000", recipe(CosineRecipe(cycles=8), 1000), 0.8, 1000
    yield "s=constant&peak=2.5&T=300", lrlib.Constant(), 2.5, 300
    yield "s=constant&peak=9.7&T=1000", lrlib.Constant(), 9.7, 1000  # past the range of a float


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """The large form on a page of its own, opened as a file."""
    page = tmp_path_factory.mktemp("explorer") / "explorer.html"
    page.write_text(PAGE % explorer.for_page()._repr_html_(), encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def visit(browser, address):
    """Open a page; at the end it has had no error and has asked for nothing but its own files."""
    visits: list[Visit] = []

    def visit(url=address, state="", **how) -> Visit:
        visits.append(Visit(browser, url + (f"#{state}" if state else ""), **how))
        visits[-1].page.wait_for_selector(".lrx[data-ready]")
        visits[-1].page.wait_for_timeout(150)
        return visits[-1]

    yield visit
    for opened in visits:
        opened.context.close()
    # A frame without rights may not write to the clipboard, and Chromium says so; the old way works there.
    known = "The Clipboard API has been blocked"
    assert not [fault for opened in visits for fault in opened.faults if known not in fault]


@pytest.fixture
def opened(visit):
    """Open a page as `visit` does, for tests that need nothing else of the visit."""
    return lambda *args, **how: visit(*args, **how).page


def number(page) -> str:
    return page.inner_text("[data-o=loss]")


def apart(a, b):
    """Return the largest relative distance; two infinities are equal, near zero the distance is absolute."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    same = a == b
    assert np.isfinite(a[~same]).all()
    assert np.isfinite(b[~same]).all()
    return float(np.max(np.abs(a[~same] - b[~same]) / np.maximum(np.abs(b[~same]), 1e-6), initial=0.0))


READ = """state => { const x = document.querySelector('.lrx').lrx; x.read(state); x.settle(); const r = x.run;
const text = values => [...values].map(String), best = x.best;
return { state: x.write(), rates: text(r.rates), distance: text(r.distance), shaking: text(r.shaking),
  loss: text(r.loss), best: [best.peak, best.loss], outside: best.outside,
  final: String(LRX.finalLoss(r.factors, x.state.peak)), tuned: LRX.tunedLinear(x.state.T).loss,
  bound: LRX.convexBound(r.factors), said: document.querySelector('[data-o=bound]').textContent,
  python: document.querySelector('[data-o=lrlib]').textContent,
  torch: document.querySelector('[data-o=torch]').textContent }; }"""


def values(texts):
    return [float(text.replace("Infinity", "inf")) for text in texts]


def test_each_rate_and_loss_is_lrlibs_and_so_is_what_one_copies(opened):
    page, valley = opened(), lrlib.Valley()
    tuned = lambda T: valley.best_peak_lr(lrlib.LinearDecay(total_steps=T), steps=T).loss  # noqa: E731
    linear = {T: tuned(T) for T in (10, 47, 300, 1000)}
    for state, schedule, peak, T in cases():
        seen = page.evaluate(READ, state)
        path = valley.trajectory(schedule, steps=T, peak_lr=peak)
        best = valley.best_peak_lr(schedule, steps=T)
        rates = [peak * factor for factor in schedule.values(T)]
        assert seen["state"] == state
        assert apart(values(seen["rates"]), rates) < 1e-9, state
        for part in ("distance", "shaking", "loss"):
            assert apart(values(seen[part]), getattr(path, part)) < 1e-9, (state, part)
        assert apart(values([seen["final"]]), path.loss[-1:]) < 1e-9, state
        if not seen["outside"]:
            # Where the loss has several basins, the finer grid here may find a lower one than lrlib's.
            peak_found, loss_found = seen["best"]
            there = valley.final_loss(schedule, steps=T, peak_lr=peak_found)
            assert loss_found == pytest.approx(there, rel=1e-6), state
            assert loss_found < best.loss * (1 + 1e-6), state
            if loss_found > best.loss * (1 - 1e-6):
                assert peak_found == pytest.approx(best.peak_lr, rel=2e-3), state
        bound = lrlib.theory.worst_case(schedule, steps=T)
        assert seen["bound"]["value"] == pytest.approx(bound.best_value, rel=1e-9), state
        assert seen["bound"]["peak"] == pytest.approx(bound.best_peak_lr, rel=1e-9), state
        # Linear decay has 1 / sqrt(T + 1), and no schedule less.
        of_linear, its_peak = re.findall(r"([\d.]+) times", seen["said"])
        assert float(of_linear) == pytest.approx(bound.best_value * math.sqrt(T + 1), rel=6e-3), state
        assert float(its_peak) == pytest.approx(bound.best_peak_lr * (T + 1) ** 1.5 / T, rel=6e-3), state
        assert seen["tuned"] == pytest.approx(linear[T], rel=1e-6)
        *lines, last = seen["python"].split("\n")
        names: dict = {}
        exec("\n".join(lines), names)
        assert names["schedule"].values(T) == pytest.approx(schedule.values(T), rel=1e-12, abs=1e-15), state
        loss = eval(last, names)
        assert loss == pytest.approx(path.loss[-1], rel=1e-9) or math.isinf(loss)
        assert f"lr={peak}" in seen["torch"]
        assert apart(torch_rates(seen["torch"], peak, T), rates) < 1e-9, state


def torch_rates(text, peak, steps):
    """Return the rates that copied lines set for updates 0, 1, ..."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak, momentum=0.9)
    mine, rates = {"torch": torch, "optimizer": optimizer}, []
    exec(text, mine)
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        mine["scheduler"].step()
    return rates


def test_every_shape_of_lrlib_is_there_with_its_parameters(opened):
    page = opened()
    lines = page.evaluate(
        "[...document.querySelectorAll('.lrx-chips input')].map(e => {"
        "const x = document.querySelector('.lrx').lrx; x.read(`s=${e.value}`); x.settle();"
        "return document.querySelector('[data-o=lrlib]').textContent; })"
    )
    shapes = {
        shape
        for module in (lrlib.schedules.shapes, lrlib.schedules.modern_shapes)
        for shape in vars(module).values()
        if isinstance(shape, type) and issubclass(shape, lrlib.Schedule) and shape is not lrlib.Schedule
    }
    for shape in shapes:
        line = next(line for line in lines if re.search(rf"lrlib\.(schedules\.)?{shape.__name__}\(", line))
        assert all(f"{field}=" in line for field in shape.__dataclass_fields__), line
    assert set(choices.CHOICES) == set(page.evaluate("Object.keys(LRX.SHAPES)"))


def test_the_sliders_begin_with_lrlibs_recipes(opened):
    page = opened()
    for key in choices.TODAYS:
        seen = page.evaluate(READ, f"s={key}&peak=0.5&T=300")
        rates = [0.5 * factor for factor in recipe(lrlib.schedules.RECIPES[key], 300).values(300)]
        assert apart(values(seen["rates"]), rates) < 1e-9, key


def test_each_schedule_keeps_its_own_parameters_and_shows_its_own_sliders(opened):
    page = opened(state="s=step&warmup=0.2&first=0.4&second=0.6&drop=0.5&peak=0.5&T=200")
    shown = lambda: page.locator(".lrx-params label:visible").all_inner_texts()  # noqa: E731
    assert [" ".join(text.split()) for text in shown()] == [
        "warm-up 40 updates", "first drop after 80 updates", "second drop after 120 updates",
        "each multiplies by 0.5", "Length T 200 updates",
    ]  # fmt: skip
    page.check("input[value=wsd]", force=True)
    assert [" ".join(text.split()) for text in shown()][:2] == ["warm-up 10 updates", "cooldown 40 updates"]
    page.fill(".lrx-params [data-of=wsd] [name=cooldown]", "0.5")
    assert page.get_attribute(".lrx-params [data-of=wsd] [name=cooldown]", "aria-valuetext") == "100 updates"
    page.check("input[value=step]", force=True)
    assert page.evaluate(f"{ROOT_JS}.write()").startswith("s=step&warmup=0.2&first=0.4&second=0.6&drop=0.5")


def test_the_momentum_of_1cycle_is_said_not_to_be_shown(opened):
    page = opened(state="s=1cycle")
    assert "the valley has no momentum" in page.inner_text(".lrx-params")
    page.check("input[value=rex]", force=True)
    assert "momentum" not in page.inner_text(".lrx-params")


def test_a_link_from_before_wsd_gives_the_same_run(opened):
    page = opened(state="s=cooldown&cooldown=0.3&peak=0.41&T=300")
    assert page.evaluate(f"{ROOT_JS}.write()") == "s=wsd&warmup=0&cooldown=0.3&peak=0.41&T=300"


BAD_LINKS = {
    "s=zigzag": "there is no schedule “zigzag”",
    "s=linear&peak=abc": "peak must be a number from 0.01 to 9.77, not “abc”",
    "s=linear&peak=99": "not “99”",
    "s=linear&peak=": "not “”",
    "s=linear&peak=NaN&T=Infinity": "T must be a whole number from 10 to 1000, not “Infinity”",
    "s=linear&T=12.5": "not “12.5”",
    "s=poly&power=-1": "power must be a number from 0.1 to 8",
    "s=cosine&cycles=2.5": "cycles must be a whole number",
    "s=draw&k=1.2.3": "k must be 16 whole numbers from 0 to 1000",
    f"s=draw&k={'.'.join(['1e9'] * 16)}": "k must be 16 whole numbers",
    "s=constructor": "there is no schedule “constructor”",
}


def test_a_bad_link_gives_a_sentence_and_numbers_all_the_same(opened):
    page = opened(state="s=constructor&peak=-1")
    assert "“constructor”; peak must be" in page.inner_text("[role=alert]")
    for state, words in BAD_LINKS.items():
        page.evaluate("state => { location.hash = state }", state)
        page.wait_for_timeout(50)
        note = page.inner_text("[role=alert]")
        assert words in note
        assert note.endswith("The rest is on show.")
        assert float(number(page)) > 0
        assert "NaN" not in page.inner_text(".lrx-grid")


SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_jumps_when_the_numbers_come(opened, width):
    assert opened(width=width).evaluate(SHIFT) < 0.02  # Lighthouse takes points from 0.1 on


def test_a_drawing_of_nothing_has_numbers(opened):
    page = opened(state=f"s=draw&k={'.'.join('0' * 16)}&peak=0.5&T=300")
    assert number(page) == "2.37"
    assert "NaN" not in page.inner_text(".lrx")


def test_the_keyboard_alone_draws_and_a_link_keeps_the_drawing(opened):
    page = opened()
    press = page.keyboard.press
    press("Tab")  # the schedules
    press("Tab")  # the knots
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Knot 1"
    for _ in range(15):
        press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Knot 16"
    before = float(number(page))
    for _ in range(5):
        press("PageDown")
        press("PageDown")
        press("ArrowLeft")
    page.wait_for_timeout(800)
    assert float(number(page)) < before
    assert page.inner_text("[role=status]").startswith("draw your own, peak rate 0.5, 300 updates.")
    again = opened(url=page.url)
    assert number(again) == number(page)


def test_the_keyboard_alone_chooses_and_tunes(opened):
    page = opened()
    press = page.keyboard.press
    press("Tab")
    for _ in range(4):
        press("ArrowRight")  # constant, time, drop, linear
    page.wait_for_timeout(500)
    press("Tab")
    assert page.evaluate("document.activeElement.dataset.do") == "best"
    press("Enter")
    page.wait_for_timeout(700)
    assert (number(page), page.inner_text("[data-o=ratio]")) == ("0.0192", "1.00 ×")
    assert "s=linear" in page.url
    for place in ("0", "30", "60"):  # with reduced motion a step at a press, and nothing moves by itself
        page.focus("[data-do=play]")
        press("Enter")
        page.wait_for_timeout(200)
        assert page.input_value("[data-o=time]") == place


def test_the_best_drawing_has_all_stars(opened):
    peak, knots = explorer.BEST_DRAWING
    page = opened(state=f"s=draw&k={'.'.join(map(str, knots))}&peak={peak}&T=300")
    assert page.locator(".lrx-stars i.on").count() == 3
    assert page.inner_text("[data-o=board]").endswith("best drawing known 0.0156")


def test_the_mouse_draws(opened):
    page = opened()
    box = page.locator("[data-o=rate]").bounding_box()
    before = number(page)
    places = [(box["x"] + (0.3 + 0.7 * k / 9) * box["width"], box["y"] + (0.3 + 0.06 * k) * box["height"])
              for k in range(10)]  # fmt: skip
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places:
        page.mouse.move(*place)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert number(page) != before
    knots = page.evaluate(f"{ROOT_JS}.state.p.knots")
    assert all(a >= b for a, b in pairwise(knots[6:]))


PICTURES = """Object.fromEntries([...document.querySelectorAll('.lrx canvas')].map(
c => [c.dataset.o, c.toDataURL()]))"""


def changed_pictures(before, after):
    return {name for name in before if before[name] != after[name]}


def test_all_follows_a_hand_that_still_holds_the_line(opened):
    """The line is drawn in each frame, and what follows from it in turn: none may be left out."""
    page = opened()
    box = page.locator("[data-o=rate]").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*at(0.9, 0.6))
    page.mouse.down()
    page.wait_for_timeout(100)
    before, loss = page.evaluate(PICTURES), number(page)
    page.mouse.move(*at(0.93, 0.9))
    page.wait_for_timeout(400)
    assert changed_pictures(before, page.evaluate(PICTURES)) == {"rate", "lossPlot", "land", "curve"}
    assert number(page) != loss
    run = page.evaluate(f"{ROOT_JS}.run.loss[300]")
    assert float(number(page)) == pytest.approx(run, rel=5e-3)
    assert page.inner_text("[data-o=landRead]") == f"update 300 · loss {number(page)}"


def test_the_slider_of_the_update_moves_the_landscape_alone(opened):
    page = opened(state="s=linear&peak=0.8&T=300")
    before = page.evaluate(PICTURES)
    page.fill("[data-o=time]", "40")
    page.wait_for_timeout(150)
    assert changed_pictures(before, page.evaluate(PICTURES)) == {"land"}
    assert page.inner_text("[data-o=landRead]").startswith("update 40 ")


def test_a_finger_draws_on_the_line_and_scrolls_beside_it(opened):
    page = opened(width=375, height=600, has_touch=True, is_mobile=True)
    cdp = page.context.new_cdp_session(page)

    def swipe(points):
        page.evaluate("document.querySelector('.lrx-rate').scrollIntoView({ block: 'center' })")
        page.wait_for_timeout(100)
        box = page.locator("[data-o=rate]").bounding_box()
        for kind, at in [
            ("touchStart", points[0]),
            *[("touchMove", p) for p in points[1:]],
            ("touchEnd", None),
        ]:
            x, y = at or (0, 0)
            touch = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
            cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touch if at else []})
            page.wait_for_timeout(16)
        page.wait_for_timeout(150)

    knots = lambda: page.evaluate(f"[...{ROOT_JS}.state.p.knots]")  # noqa: E731
    flat = knots()
    swipe([(0.6, 0.1 + 0.02 * i) for i in range(5)])
    assert knots() == flat  # beside the line: the page scrolls
    swipe([(0.96, 0.53 + 0.05 * i) for i in range(8)])  # the end is pulled down, as the hint says
    assert knots()[15] < 300
    assert knots()[:14] == flat[:14]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375, 320])
@pytest.mark.parametrize("state", ["", "s=drop&drop=0.25&every=0.15&offset=0&peak=0.9&T=300"])
def test_it_is_without_fault_in_all_views_with_its_fold_open(visit, width, dark, state):
    seen = visit(state=state, width=width, dark=dark)
    seen.page.click("summary")
    assert seen.look(axe=False) == []
    assert seen.axe(also=["target-size"]) == []


def test_the_books_theme_wins_over_the_systems(opened):
    page = opened()
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.wait_for_timeout(100)
        assert page.evaluate("document.querySelector('.lrx').classList.contains('dark')") == (theme == "dark")


def test_it_runs_in_a_frame_without_rights_as_on_colab(opened):
    page = opened()
    cell = explorer.show("s=poly&power=1.7&peak=1.24&T=300")._repr_html_()
    page.evaluate(
        """text => { const f = document.createElement('iframe'); f.setAttribute('sandbox', 'allow-scripts');
        f.width = 700; f.height = 900; f.srcdoc = text; document.body.prepend(f); }""",
        f"<html theme='dark'>{cell}</html>",
    )
    page.wait_for_timeout(700)
    frame = page.frames[1]
    assert frame.inner_text("[data-o=loss]") == "0.0181"
    assert frame.evaluate("document.querySelector('.lrx.dark') !== null")
    frame.click("summary")
    frame.click("[data-do=torch]")
    page.wait_for_timeout(100)
    assert frame.inner_text("[data-do=torch]") == "Copied"


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (375, False), (320, False)])
def test_in_the_built_book_both_forms_are_there(visit, site, width, dark):
    seen = visit(url=f"{site}/book/index.html", width=width, dark=dark)
    page = seen.page
    assert number(page) == "0.0664"
    page.focus(".lrx-knots input")
    page.keyboard.press("PageDown")
    page.wait_for_timeout(700)
    page.click("[data-o=open]")
    page.wait_for_url("**/explorer.html#s=draw*")
    page.wait_for_selector(".lrx[data-ready]")
    assert page.evaluate(f"{ROOT_JS}.state.p.knots")[0] < 1000
    page.wait_for_timeout(200)
    assert seen.look(axe=False) == []
    assert seen.axe(".lrx", also=["target-size"]) == []


def test_the_built_page_opens_as_a_file(opened):
    page = opened(url=(HTML / "book/explorer.html").as_uri(), state="s=linear&peak=0.8547&T=300")
    assert number(page) == "0.0192"


def test_the_script_is_short_and_has_no_dependencies():
    script = (Path(explorer.__file__).parent / "explorer.js").read_text()
    assert len(script.splitlines()) < 600
    assert max(map(len, script.splitlines())) <= 130
    assert not any(word in script for word in ("\nimport ", "import(", "fetch(", "http", "</script"))
    json.dumps(explorer.recorded_runs(), allow_nan=False)
