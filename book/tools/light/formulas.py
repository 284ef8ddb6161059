"""TeX to MathML while the book is built: no script on the page, and one small font with a MATH table.

latex2mathml does the work; `repair` puts right what it (3.81) and browsers do differently from TeX. A formula
that cannot be set is an error: never a formula that is silently wrong.
"""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

from bs4 import BeautifulSoup
from latex2mathml.converter import convert

from tools.light import fonts
from tools.light.site import Site

FONT = Path(__file__).with_name("stix-two-math.woff2")
NS = "{http://www.w3.org/1998/Math/MathML}"
THIN = "0.1667em"
# What is left of TeX in the result: a command, a brace, the length after a line break.
LEFTOVER = re.compile(r"\\[A-Za-z]+|[{}]|\[-?[0-9.]+(?:pt|em|ex|mu)\]")
# The font is part of its sheet, which only pages with formulas link: no request and no change of font.
CSS = (
    "/* STIX Two Math, a subset: SIL Open Font License 1.1, stix-two-math-OFL.txt */"
    "@font-face{font-family:'Book Math';src:url(data:font/woff2;base64,FONT) format('woff2');"
    "font-display:block}"
    "math{font-family:'Book Math','STIX Two Math','Cambria Math','Latin Modern Math',math;font-size:1.12em}"
    "math[display=block]{flex:1;margin:1em 0}"
    # The theme lays the row from the right, for numbers of equations: what was too wide hid its beginning.
    "div.math:has(math){flex-direction:row;overflow-x:auto;overflow-y:hidden}"
)


class FormulaError(ValueError):
    """A formula that would not be set as TeX sets it."""


def set_formulas(site: Site) -> None:
    """Set every formula of the pages as MathML, and take MathJax away."""
    shown: set[str] = set()
    for path, soup in site.pages.items():
        for tag in soup.select(".math"):
            tex = tag.get_text().strip()
            if tex[:2] in (r"\(", r"\["):
                try:
                    markup = to_mathml(tex[2:-2].strip(), display=tex[1] == "[")
                except FormulaError as error:
                    site.warn(f"formula {error}", path)
                    continue
                tag.clear()
                tag.append(BeautifulSoup(markup, "html.parser"))
            shown |= characters(str(tag))
        for script in soup.select("script[src*=mathjax]"):
            script.decompose()
    shutil.rmtree(site.static / "mathjax", ignore_errors=True)
    missing = shown - fonts.characters(FONT)
    if missing:
        site.warn(
            f"the math font has no {' '.join(sorted(missing))}: add them to MATH in tools/light/fonts.py"
        )
    if shown:
        data = fonts.as_data(fonts.cut(FONT, "".join(sorted(shown | {" "}))))
        shutil.copy(FONT.with_name("OFL.txt"), site.static / "stix-two-math-OFL.txt")
        sheet = site.publish("book-math.css", CSS.replace("FONT", data).encode())
        for path, soup in site.pages.items():
            if soup.select_one("math"):
                soup.head.append(soup.new_tag("link", rel="stylesheet", href=site.address(path, sheet)))


def to_mathml(tex: str, *, display: bool) -> str:
    r"""Set one formula, with its TeX beside it for copying.

    >>> to_mathml(r"\eta_0", display=False)
    '<math alttext="\\eta_0"><mrow><msub><mi>η</mi><mn>0</mn></msub></mrow></math>'
    """
    ET.register_namespace("", NS[1:-1])
    try:
        mathml = convert(_prepared(tex), display="block" if display else "inline")
        root = ET.fromstring(mathml)  # noqa: S314  made here, of the book's own formulas
    except Exception as error:  # the parser raises errors of many kinds
        raise FormulaError(f"{tex!r}: {error!r}") from error
    for element in root.iter():
        brace = _name(element) == "mo" and element.text in ("{", "}")
        if not brace and LEFTOVER.search(element.text or ""):
            raise FormulaError(f"{tex!r}: not understood: {element.text!r}")
    repair(root, tex)
    root.set("alttext", tex)
    if not display:
        root.attrib.pop("display", None)
    text = ET.tostring(root, encoding="unicode", short_empty_elements=False)
    return re.sub(r"\s+xmlns=\"[^\"]*\"", "", text)


def repair(root: ET.Element, tex: str) -> None:
    """Put spaces, fences and columns as TeX does."""
    grows = r"\left" in tex or r"\big" in tex.lower()
    for parent in root.iter():
        for index, child in enumerate(list(parent)):
            text = (child.text or "").strip()
            word = len(text) > 1 and text.isascii() and text.isalpha()
            if _name(child) == "mo":
                if word and text != "mod":
                    child.tag = f"{NS}mi"  # \min, \max: names, with the spaces of \ln
                elif text in ("/", "∣"):  # browsers give them the spaces of a binary operator
                    child.set("lspace", "0em")
                    child.set("rspace", "0em")
                elif text in ("…", "⋯"):
                    child.set("lspace", THIN)
                    child.set("rspace", THIN)
                elif text in ("∥", "‖", "|") and not grows:  # \lVert w \rVert keeps its height beside a sum
                    child.set("stretchy", "false")
            if _name(child) == "mi" and word:
                _space_after(parent, child)
            if _name(child) == "mtable":
                before = list(parent)[index - 1] if index else None
                _align(child, cases=before is not None and _name(before) == "mo" and before.text == "{")


def _space_after(parent: ET.Element, function: ET.Element) -> None:
    r"""Put the thin space of ``\ln p`` between a function's name and an operand that is no bracket."""
    at = list(parent).index(function)
    operand = parent[at + 1] if at + 1 < len(parent) else None
    if operand is not None and (_name(operand) not in ("mo", "mspace") or operand.text == "√"):
        parent.insert(at + 1, ET.Element(f"{NS}mspace", width=THIN))


def _align(table: ET.Element, *, cases: bool) -> None:
    """Align columns by CSS: browsers know no ``columnalign``."""
    sides = table.attrib.pop("columnalign", "").split()
    for row in table:
        for column, cell in enumerate(row):
            side = sides[column % len(sides)] if sides else "left" if cases else ""
            if side in ("left", "right"):
                other = "left" if side == "right" else "right"
                cell.set("style", f"text-align:-webkit-{side};text-align:{side};padding-{other}:.6em")


def _prepared(tex: str) -> str:
    """Take away what latex2mathml cannot read: Sphinx's `split`, the length after a line break."""

    def unwrap(found: re.Match) -> str:
        # An & in `cases` inside does not belong to `split`.
        outside = re.sub(r"\\begin\{(\w+)\}.*?\\end\{\1\}", "", found[1], flags=re.S)
        return found[0] if "&" in outside else found[1]

    tex = re.sub(r"\\begin\{split\}(.*?)\\end\{split\}", unwrap, tex, flags=re.S)
    return re.sub(r"\\\\\s*\[[^\]]*\]", r"\\\\", tex).strip()


def _name(element: ET.Element) -> str:
    return element.tag.removeprefix(NS)


def characters(markup: str) -> set[str]:
    """Return the characters that a piece of MathML shows: a lone letter in <mi> is shown in italics.

    >>> sorted(characters("<mi>h</mi><mo>=</mo><mn>2</mn>"))
    ['2', '=', 'h', 'ℎ']
    >>> sorted(characters("<msqrt><mn>2</mn></msqrt>"))
    ['2', '√']
    """
    shown = {"√"} if re.search("<(msqrt|mroot)", markup) else set()  # drawn, and in no text
    for name, text in re.findall(r"<(m[a-z]+)[^>]*>([^<]+)<", markup):
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        shown |= set(text)
        if name == "mi" and len(text) == 1:
            shown.add(italic(text))
    return {char for char in shown if not char.isspace()}


# Mathematical italics (Unicode, "Mathematical Alphanumeric Symbols"): first letter, last, place of the first.
ITALIC = [("a", "z", 0x1D44E), ("A", "Z", 0x1D434), ("α", "ω", 0x1D6FC), ("Α", "Ω", 0x1D6E2)]
ALONE = {"h": "ℎ", "ϵ": "𝜖", "∂": "𝜕", "ϑ": "𝜗", "ϕ": "𝜙", "ϱ": "𝜚", "ϖ": "𝜛"}


def italic(char: str) -> str:
    """Return the italic that browsers choose for a lone letter in <mi>.

    >>> italic("x"), italic("η"), italic("∞")
    ('𝑥', '𝜂', '∞')
    """
    for first, last, place in ITALIC:
        if first <= char <= last and char not in ALONE:
            return chr(place + ord(char) - ord(first))
    return ALONE.get(char, char)
