"""Pictures of known size, loaded when a reader comes near them, and drawings with little around them."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from PIL import Image

from tools.light.site import Site

PIXELS = {"pt": 4 / 3, "px": 1, "": 1, "in": 96, "mm": 96 / 25.4}
# matplotlib writes this into every drawing, and in a page it holds for all of them.
JOINTS = "*{stroke-linejoin: round; stroke-linecap: butt}"
# Names within a drawing, as lrlib.plots.two_widths writes them, and where they stand.
NAME, NAMING = re.compile(r"\bf[0-9a-f]{6}-[\w.-]+"), {"id", "href", "clip-path"}
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
            for name in NAMING & tag.attrs.keys():
                tag[name] = NAME.sub(lambda found: names.setdefault(found[0], f"i{len(names)}"), tag[name])
        for tag in reversed(drawing.select("g, defs")):
            if not tag.find(True):
                tag.decompose()
            elif tag.name == "g" and not tag.attrs:
                tag.unwrap()
        for tag in [drawing, *drawing.select("g")]:
            _gather(soup, tag)
    if drawings:
        rules = "".join(f".{name}{{{style}}}" for style, name in styles.items())
        sheet: Tag = soup.new_tag("style")
        sheet.string = f"svg {JOINTS}{rules}"
        soup.head.append(sheet)


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

    >>> LINES.sub(relative, "M10.5 20L11 20.25L10.75 20z")
    'M10.5 20l.5.25-.25-.25z'
    """
    points = [tuple(map(Decimal, point.split())) for point in lines[0][1:].split("L")]
    steps = (number for a, b in pairwise(points) for number in (b[0] - a[0], b[1] - a[1]))
    start = lines[0].partition("L")[0]
    return start + "l" + re.sub(r" (?=-)|(?<=\.\d) (?=\.)", "", " ".join(map(_short, steps)))


def _short(number: Decimal) -> str:
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"^(-?)0(?=\.)", r"\1", text) if text != "-0" else "0"
