"""The parts of tools/light on small inputs; test_browser.py judges the pages that come out."""

from __future__ import annotations

import base64
import re
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup

from tools.light import card, css, figures, fonts, formulas, head
from tools.light.site import make_light

PAGE = """<html data-content_root="./" lang="en"><head><meta charset="utf-8"><title>T</title>
<script>document.documentElement.dataset.mode = localStorage.getItem("mode") || "";</script>
<link rel="stylesheet" href="_static/a.css?v=1"><script src="_static/options.js"></script>
<script>{inline}</script><script src="_static/togglebutton.js"></script></head>
<body><main><article><section><h1>Head</h1><p>{text}</p></section></article></main></body></html>"""
KNOWN = "let toggleHintShow = 'Click to show';"


def build(folder, text="word " * 60, inline=KNOWN, sheet=".x{color:red}p{color:blue}", base=""):
    """Make a site of one page light; return the warnings and the page."""
    (folder / "_static").mkdir()
    (folder / "_static/a.css").write_text(sheet)
    (folder / "_static/options.js").write_text("const OPTIONS = {};\n//# sourceMappingURL=a.map")
    (folder / "_static/togglebutton.js").write_text("let togglesEverything")
    (folder / "a.html").write_text(PAGE.format(inline=inline, text=text))
    warnings = make_light(folder, base=base)
    return warnings, (folder / "a.html").read_text()


def test_a_page_gets_one_sheet_one_script_and_a_description(tmp_path):
    warnings, page = build(tmp_path)
    assert not warnings
    assert re.findall(r'(?:src|href)="([^"?]+)', page) == ["_static/book-all.css", "_static/book-all.js"]
    assert re.search(r'<meta content="word [^"]{100,150} …" name="description"', page)
    script = (tmp_path / "_static/book-all.js").read_text()
    assert "OPTIONS" in script
    assert "togglesEverything" not in script
    assert "sourceMappingURL" not in script
    assert (tmp_path / "_static/book-all.css").read_text() == "p{color:blue}"
    assert "There is no page at this address" in (tmp_path / "404.html").read_text()


def test_a_second_time_is_an_error(tmp_path):
    build(tmp_path)
    with pytest.raises(FileExistsError, match="light already"):
        make_light(tmp_path)


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        pytest.param({"inline": "window.somethingNew = 1"}, "inline script that is not known", id="script"),
        pytest.param({"text": r'<span class="math">\(\nonsense x\)</span>'}, r"\\nonsense", id="formula"),
        pytest.param({"text": r'<span class="math">\(☃\)</span>'}, "no ☃", id="character"),
        pytest.param({"sheet": "@import url(gone.css);p{color:red}"}, "@import of gone.css", id="import"),
        pytest.param({"text": '<script type="module">1</script>'}, "not marked with data-keep", id="module"),
        pytest.param({"text": '<script src="https://example.org/x.js"></script>'}, "elsewhere", id="outside"),
        pytest.param({"text": '<i data-bs-toggle="modal"></i>'}, "more than menus", id="bootstrap"),
    ],
)
def test_what_is_not_known_is_a_warning(tmp_path, given, warning):
    warnings, _ = build(tmp_path, **given)
    assert any(re.search(warning, text) for text in warnings), warnings


@pytest.mark.parametrize("kind", ["", ' type="module"'], ids=["script", "module"])
def test_a_page_keeps_a_script_of_its_own_and_the_rules_for_it(tmp_path, kind):
    warnings, page = build(
        tmp_path,
        text=f'<script{kind} data-keep>p.className = "x"</script>',
        sheet=".x{color:red}.y{color:blue}",
    )
    assert not warnings
    assert 'p.className = "x"' in page
    assert (tmp_path / "_static/book-all.css").read_text() == ".x{color:red}"


def test_the_font_has_what_formulas_draw_without_a_character(tmp_path):
    """A root: its sign is no text of the formula."""
    warnings, _ = build(tmp_path, text=r'<span class="math">\(\sqrt{x}\)</span>')
    assert not warnings
    sheet = (tmp_path / "_static/book-math.css").read_text()
    font = base64.b64decode(re.search(r"base64,([^)]+)\)", sheet)[1])
    (tmp_path / "font.woff2").write_bytes(font)
    assert {"√", "𝑥"} <= fonts.characters(tmp_path / "font.woff2")


def test_with_an_address_there_are_canonical_links_pictures_and_a_map(tmp_path):
    _, page = build(tmp_path, base="https://example.org/book/")
    assert '<link href="https://example.org/book/a.html" rel="canonical"/>' in page
    assert '<meta content="https://example.org/book/_static/card-index.png" property="og:image"/>' in page
    assert (tmp_path / "_static/card-index.png").stat().st_size < 150_000
    assert "<loc>https://example.org/book/a.html</loc>" in (tmp_path / "sitemap.xml").read_text()
    assert 'href="/book/book/index.html"' in (tmp_path / "404.html").read_text()


def test_without_an_address_there_are_none(tmp_path):
    _, page = build(tmp_path)
    assert "canonical" not in page
    assert "og:image" not in page
    assert not (tmp_path / "sitemap.xml").exists()


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ("title: x", ""),
        ("repository:\n  url: https://github.com/Ada/steps", "https://ada.github.io/steps"),
        ("repository:\n  url: https://github.com/ada/ada.github.io", "https://ada.github.io"),
        ("html:\n  baseurl: https://example.org/b/", "https://example.org/b"),
    ],
)
def test_the_address_follows_the_repository(tmp_path, settings, address):
    (tmp_path / "_config.yml").write_text(settings)
    assert head.configured_address(tmp_path / "_config.yml") == address


def test_each_schedule_has_its_chapter_on_a_card():
    assert {name for own in card.ABOUT.values() for name in own} == set(card.SURVEY)


def test_a_description_skips_the_card_and_captions():
    soup = BeautifulSoup(
        "<title>T</title><article><section>"
        f"<p>5 minutes to read · {'and so on ' * 9}</p><p class='book-caption'>Figure 1.1. {'long ' * 20}</p>"
        "<p>The rate <math><mi>η</mi></math> falls in a straight line to zero, and no chart is quieter.</p>",
        "html.parser",
    )
    assert head.description(soup) == "The rate η falls in a straight line to zero, and no chart is quieter."


# --- Formulas ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"t/W", '<mo lspace="0em" rspace="0em">/</mo>'),
        (r"-\ln p", '<mi>ln</mi><mspace width="0.1667em"></mspace>'),
        (r"\max y - \min y", '<mi>min</mi><mspace width="0.1667em"></mspace>'),
        (r"\lVert w \rVert^2", 'stretchy="false"'),
        (r"\text{peak}", "peak"),
        (r"a < b", "&lt;"),
    ],
)
def test_what_latex2mathml_sets_otherwise_is_repaired(tex, part):
    assert part in formulas.to_mathml(tex, display=False)


def test_cases_with_a_length_after_the_line():
    tex = (
        r"\begin{split}f(t) = \begin{cases} t/W & t < W \\[2pt] (T-t)/(T-W) & t \ge W \end{cases}\end{split}"
    )
    out = formulas.to_mathml(tex, display=True)
    assert "2pt" not in re.sub(r'alttext="[^"]*"', "", out)
    assert out.count("<mtr>") == 2
    assert out.count("text-align:left") == 4


@pytest.mark.parametrize("tex", [r"\notacommand x", r"\frac{1}{", r"\left( x"])
def test_a_formula_that_cannot_be_set_is_an_error(tex):
    with pytest.raises(formulas.FormulaError):
        formulas.to_mathml(tex, display=False)


def test_the_font_has_its_characters_and_its_licence():
    assert fonts.characters(formulas.FONT) >= set(fonts.MATH) - {" "}
    names = {name.nameID: str(name) for name in fonts.TTFont(formulas.FONT)["name"].names}
    assert "SIL Open Font License" in names[13]
    assert "STIX Fonts Project Authors" in formulas.FONT.with_name("OFL.txt").read_text()


# --- Style sheets -----------------------------------------------------------------------------------------


def seen(words, elements=(), dynamic=()):
    elements = elements or {(word, word, frozenset(words)) for word in words}
    return css.Seen(set(words), set(elements), set(dynamic))


def test_purge_keeps_what_a_page_or_a_script_names():
    sheet = (
        ".a{x:1}.b .c{x:2}.d:not(.gone){x:3}@media print{.e,.a{x:4}}.f{content:'}'}:root{--u:1;--v:2}"
        ".a{y:var(--v)}"
    )
    out = css.small(css.unused(css.small(css.purge(sheet, seen({"a", "b", "d", "f", "root"}))), ""))
    assert out == ".a{x:1}.d:not(.gone){x:3}@media print{.a{x:4}}.f{content:'}'}:root{--v:2}.a{y:var(--v)}"


def test_a_data_address_in_a_property_that_goes_takes_nothing_along():
    sheet = ".a{--icon:url(\"data:image/svg+xml;utf8,<svg style='a;b'>\");color:red}"
    assert css.small(css.unused(sheet, "")) == ".a{color:red}"


def test_what_a_selector_asks_of_one_element_has_to_be_on_one():
    elements = {("p", "", frozenset({"a"})), ("div", "", frozenset({"b"}))}
    sheet = ".a.b{x:1}div.b p.a{x:2}p.b{x:3}.a.show{x:4}"
    known = seen({"a", "b", "p", "div", "show"}, elements, {"show"})
    assert css.purge(sheet, known) == "div.b p.a{x:2}.a.show{x:4}"


# --- Drawings ---------------------------------------------------------------------------------------------


def test_a_drawing_keeps_what_is_seen():
    soup = BeautifulSoup(
        '<head></head><svg viewBox="0 0 9 9"><g> <path d="M0 0L9 9" style="fill: none"/> </g>'
        '<g id="fabc123-axes"></g><defs><path id="fabc123-m1" d="M0 0L0 3.5"/></defs>'
        '<g clip-path="url(#fabc123-p1)">'
        + '<use xlink:href="#fabc123-m1" x="1" y="2" style="stroke: red; fill: none"/>' * 3
        + '</g><path d="M1 1L2 1.5" style="opacity: 0.5"/></svg>',
        "html.parser",
    )
    figures.lighten_drawings(soup)
    assert str(soup.svg) == (
        '<svg viewbox="0 0 9 9">'
        f'<g clip-path="url(#i2)"><path class="d0" d="{"M1 2l0 3.5" * 3}"></path></g>'
        '<path d="M1 1l1 .5" style="opacity: 0.5"></path></svg>'
    )
    assert ".d0{stroke:red;fill:none}" in soup.head.style.string


def test_steps_add_up_to_the_points():
    points = [(Decimal(x) / 100, Decimal(x * x % 977) / 100) for x in range(-300, 300, 7)]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    start, _, rest = figures.LINES.sub(figures.relative, line).partition("l")
    numbers = list(map(Decimal, re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)))
    x, y = map(Decimal, start[1:].split())
    for (dx, dy), end in zip(zip(numbers[::2], numbers[1::2], strict=True), points[1:], strict=True):
        x, y = x + dx, y + dy
        assert max(abs(x - end[0]), abs(y - end[1])) <= Decimal("0.05")  # at the end of the line, too


@pytest.mark.parametrize(
    ("line", "clipped"),
    [
        ("M10 30L90 30", False),
        ("M50 10L50 60", False),
        ("M10 10L90 10", True),  # on the edge, which cuts it along its middle
        ("M10 30L91 30", True),
        ("M10 30L90 31", True),
    ],
)
def test_a_grid_line_needs_no_clip(line, clipped):
    panel = '<clipPath id="p"><rect x="10" y="10" width="80" height="50"/></clipPath>'
    page = f'<head></head><svg><defs>{panel}</defs><path clip-path="url(#p)" style="a: b" d="{line}"/></svg>'
    soup = BeautifulSoup(page, "html.parser")
    figures.lighten_drawings(soup)
    assert bool(soup.select("path[clip-path]")) == clipped


@pytest.mark.parametrize(
    ("style", "layers", "rule"),
    [
        ("fill: red", [3], "fill:none;stroke:red;stroke-width:3;stroke-linecap:round"),
        ("fill: red; stroke: red", [3], "fill:none;stroke:red;stroke-width:4;stroke-linecap:round"),
        ("fill: red; fill-opacity: 0.5", [2, 1], "stroke-opacity:0.5"),  # where two overlap it is darker
        ("fill: red; stroke: blue", [], ""),
    ],
)
def test_dots_become_lines_where_they_look_the_same(style, layers, rule):
    circle = "M0 1.5" + "C0.4 1.5 0.7 1.3 1 1" * 8 + "z"
    uses = "".join(f'<use xlink:href="#m" x="{x}" y="5" style="{style}"/>' for x in (1, 3, 9))
    page = f'<head></head><svg><defs><path id="m" d="{circle}"/></defs><g id="g">{uses}</g></svg>'
    soup = BeautifulSoup(page, "html.parser")
    figures.lighten_drawings(soup)
    assert [path["d"].count("h0") for path in soup.select("svg > path")] == layers
    assert bool(soup.select("use")) == (not layers)
    assert rule in soup.head.style.string


def test_sizes_are_those_of_the_file(tmp_path):
    (tmp_path / "a.svg").write_text('<svg width="72pt" height="36pt" viewBox="0 0 72 36"></svg>')
    (tmp_path / "b.svg").write_text('<svg viewBox="0 0 72 36"></svg>')
    assert figures.size(tmp_path / "a.svg") == (96, 48)
    assert figures.size(tmp_path / "b.svg") == (72, 36)


def test_headers_of_tables_have_a_name_or_are_cells(tmp_path):
    table = "<table><tr><th><p></p></th><th>{}</th><th>a</th></tr></table>"
    _, page = build(tmp_path, text=table.format('<span class="math"><math><mi>x</mi></math></span>'))
    cells = BeautifulSoup(page, "html.parser").tr.find_all(["td", "th"])
    assert [(cell.name, cell.get_text()) for cell in cells] == [("td", ""), ("th", "xx"), ("th", "a")]
    assert cells[1].select_one(".visually-hidden").get_text() == "x"
