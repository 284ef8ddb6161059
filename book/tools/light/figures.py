"""Pictures of known size, loaded when a reader comes near them, and drawings with little around them."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from PIL import Image

from tools.light.marks import short, write_marks
from tools.light.site import Site

PIXELS = {"pt": 4 / 3, "px": 1, "": 1, "in": 96, "mm": 96 / 25.4}
# matplotlib writes this into every drawing, and in a page it holds for all of them.
JOINTS = "*{stroke-linejoin: round; stroke-linecap: butt}"
# Names within a drawing, as lrlib.plots.two_widths writes them, and where they stand.
NAME, NAMING = re.compile(r"\bf[0-9a-f]{6}-[\w.-]+"), {"id", "href", "clip-path"}
USED = re.compile(r"#([\w.-]+)")
NUMBER = r"(-?(?:\d+\.?\d*|\.\d+))"
STRAIGHT = re.compile(f"M{NUMBER} {NUMBER}l{NUMBER} ?{NUMBER}")
LINES = re.compile(r"M-?[\d.]+ -?[\d.]+(?:L-?[\d.]+ -?[\d.]+)+")


def fit_figures(site: Site) -> None:
    """Give each picture its size, so that nothing jumps, and let those below the first section come later."""
    for path, soup in site.pages.items():
        for image in soup.select("main img"):
            file = site.file(path, image.get("src", ""))
            if not file.is_file():
                continue
            if not (image.get("width") or image.get("height")):
                image["width"], image["height"] = map(str, size(file))
            if image.find_previous("h2") and image.find_parent("article"):
                image["loading"] = "lazy"
            image["decoding"] = "async"
        sheets = set()
        for style in soup.select("main style"):  # each figure of a page brings the same one
            if style.get_text() in sheets:
                style.decompose()
            else:
                sheets.add(style.get_text())
        lighten_drawings(soup)


def size(file: Path) -> tuple[int, int]:
    """Return width and height in CSS pixels."""
    if file.suffix != ".svg":
        with Image.open(file) as image:
            return image.size
    head = re.search(r"<svg[^>]*>", file.read_text(encoding="utf-8"))[0]
    sides = re.findall(r"\s(?:width|height)=\"([\d.]+)(pt|px|in|mm|)\"", head)
    if len(sides) == 2:
        (width, unit), (height, other) = sides
        return round(float(width) * PIXELS[unit]), round(float(height) * PIXELS[other])
    width, height = re.search(r"viewBox=\"[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)\"", head).groups()
    return round(float(width)), round(float(height))


def lighten_drawings(soup: BeautifulSoup) -> None:
    """Write the drawings of a page with one class for each style, short names, and nothing that is not seen.

    A chapter's ten drawings repeat about forty styles two thousand times.
    """
    drawings = soup.select("svg:has(path)")
    styles: dict[str, str] = {}
    names: dict[str, str] = {}
    for drawing in drawings:
        for name in ("xmlns", "xmlns:xlink"):  # a page of HTML knows what an svg is
            drawing.attrs.pop(name, None)
        for tag in drawing.select("defs > style"):
            if tag.get_text().strip() == JOINTS:
                tag.decompose()
        for tag in drawing.select("path[style='fill: none']"):
            if not tag.find_parent(["defs", "clippath"]):
                tag.decompose()
        for text in drawing.find_all(string=str.isspace):
            text.extract()
        for tag in drawing.find_all(True):
            if "style" in tag.attrs and not re.search(
                r"(?<!-)opacity", tag["style"]
            ):  # no property of groups
                style = re.sub(r"\s*([:;])\s*", r"\1", tag.attrs.pop("style")).strip(";")
                tag["class"] = [*tag.get("class", []), styles.setdefault(style, f"d{len(styles)}")]
            if "d" in tag.attrs:
                tag["d"] = LINES.sub(relative, tag["d"])
            if "xlink:href" in tag.attrs:
                tag["href"] = tag.attrs.pop("xlink:href")
            for side in {"x", "y"} & tag.attrs.keys():
                tag[side] = short(Decimal(tag[side]))
            for name in NAMING & tag.attrs.keys():
                tag[name] = NAME.sub(lambda found: names.setdefault(found[0], f"i{len(names)}"), tag[name])
        _unclip(drawing)
        used = {word for tag in drawing.find_all(True) for word in USED.findall(" ".join(_values(tag)))}
        for tag in drawing.select("[id]"):
            if tag["id"] not in used:
                del tag["id"]
        _unwrap(drawing)
        write_marks(soup, drawing, styles)
        _unwrap(drawing)
        for tag in [drawing, *drawing.select("g")]:
            _gather(soup, tag)
    if drawings:
        rules = "".join(f".{name}{{{style}}}" for style, name in styles.items())
        sheet: Tag = soup.new_tag("style")
        # On the drawing, for its parts to inherit: on each part, it would outdo what their group says.
        sheet.string = f"svg{JOINTS.removeprefix('*')}{rules}"
        soup.head.append(sheet)


def _values(tag: Tag) -> list[str]:
    """Return what may name another element."""
    return [value for name, value in tag.attrs.items() if name != "id" and isinstance(value, str)]


def _unclip(drawing: Tag) -> None:
    """Let grid lines stand without the clip of their panel: they end at its edges and cross none of them."""
    panels = {}
    for tag in drawing.select("clippath > rect"):
        x, y, width, height = (float(tag[side]) for side in ("x", "y", "width", "height"))
        panels[tag.parent.get("id")] = ((x, x + width), (y, y + height))
    for tag in drawing.select("path[clip-path]"):
        line = STRAIGHT.fullmatch(tag.get("d", ""))
        panel = panels.get(tag["clip-path"][5:-1])
        if line and panel:
            x, y, dx, dy = map(float, line.groups())
            across = 1 if dy == 0 else 0
            inside = [
                low + margin <= value <= high - margin
                for axis, (low, high) in enumerate(panel)
                for margin in (1.5 if axis == across else -0.1,)
                for value in ((x, x + dx), (y, y + dy))[axis]
            ]
            if dx * dy == 0 and all(inside):
                del tag["clip-path"]


def _unwrap(drawing: Tag) -> None:
    """Take away groups that hold nothing, or say nothing of what they hold."""
    for tag in reversed(drawing.select("g, defs")):
        if not tag.find(True):
            tag.decompose()
        elif tag.name == "g" and not tag.attrs:
            tag.unwrap()


def _gather(soup: BeautifulSoup, parent: Tag) -> None:
    """Put neighbours of one style and one clip into a group that has both."""

    def look(tag: Tag) -> tuple[str, str]:
        return " ".join(tag.get("class", [])), tag.get("clip-path", "")

    for (style, clip), run in groupby(parent.find_all(True, recursive=False), key=look):
        tags = list(run)
        if len(tags) < 3 or not style or "g" in {tag.name for tag in tags}:
            continue
        group = soup.new_tag("g", attrs={"class": style} | ({"clip-path": clip} if clip else {}))
        tags[0].insert_before(group)
        for tag in tags:
            tag.attrs = {
                name: value for name, value in tag.attrs.items() if name not in ("class", "clip-path")
            }
            group.append(tag)


def relative(lines: re.Match) -> str:
    """Write a line of absolute points as steps from one to the next, which have fewer digits.

    >>> LINES.sub(relative, "M10.5 20L11 20.24L10.71 20z")
    'M10.5 20l.5.2-.3-.2z'
    """
    # Rounded before they are subtracted: no error adds up along a line.
    points = [tuple(round(Decimal(n), 1) for n in point.split()) for point in lines[0][1:].split("L")]
    steps = (number for a, b in pairwise(points) for number in (b[0] - a[0], b[1] - a[1]))
    start = "M" + " ".join(map(short, points[0]))
    return start + "l" + re.sub(r" (?=-)|(?<=\.\d) (?=\.)", "", " ".join(map(short, steps)))
