"""The marks of a drawing, dots and ticks, as lines: a hundred dots are one path and not a hundred elements.

matplotlib draws a mark once and lets each place use it. A tick is a line from each place. A dot is a line of
no length with round ends, as wide as the dot; where dots can be seen through, two that overlap are darker
there, so they go into different paths.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import groupby
from math import dist

from bs4 import BeautifulSoup, Tag

TICK = re.compile(r"M0 0l(-?[\d.]+ -?[\d.]+)")
# A circle as matplotlib approximates it, from its lowest point.
DOT = re.compile(r"M0 ([\d.]+)(?:C[-\d. ]+){8}z")
FILL_ONLY = {"fill", "fill-opacity"}
FILL_AND_EDGE = {"fill", "stroke", "stroke-width"}


def write_marks(soup: BeautifulSoup, drawing: Tag, styles: dict[str, str]) -> None:
    """Write each run of equal marks as lines; ``styles`` maps a style to its class and may grow."""
    rules = {name: style for style, name in styles.items()}
    marks = {tag["id"]: tag for tag in drawing.select("defs > path[id]")}
    runs = []
    for parent in {id(tag.parent): tag.parent for tag in drawing.select("use")}.values():
        children = parent.find_all(True, recursive=False)
        ticks = [
            tag for tag in children if tag.name == "use" and _is_tick(marks.get(tag.get("href", "#")[1:]))
        ]
        seen = {id(tag) for tag in ticks}
        # The ticks of an axis stand between their labels, and never lie on one: all of them are one run.
        runs += [list(run) for _, run in groupby(sorted(ticks, key=_kind), key=_kind)]
        others = groupby((tag for tag in children if id(tag) not in seen), key=_kind)
        runs += [list(run) for (name, _), run in others if name == "use"]
    for places in runs:
        mark = marks.get(places[0].get("href", "#")[1:])
        if mark is None:
            continue
        style = _style(rules, places[0]) | _style(rules, mark)
        paths = _ticks(mark, places, style) or _dots(mark, places, style)
        for shown, d in paths:
            text = ";".join(f"{name}:{value}" for name, value in shown.items())
            path = soup.new_tag("path", attrs={"class": styles.setdefault(text, f"d{len(styles)}"), "d": d})
            if places[0].get("clip-path"):
                path["clip-path"] = places[0]["clip-path"]
            places[0].insert_before(path)
        if paths:
            for place in places:
                place.decompose()
    used = {tag["href"][1:] for tag in drawing.select("use[href]")}
    for name, mark in marks.items():
        if name not in used:
            mark.decompose()


def _kind(tag: Tag) -> tuple[str, tuple[str, ...]]:
    look = (tag.get("href", "#")[1:], " ".join(tag.get("class", [])), tag.get("clip-path", ""))
    return tag.name, look if set(tag.attrs) <= {"href", "x", "y", "class", "clip-path"} else (f"{id(tag)}",)


def _style(rules: dict[str, str], tag: Tag) -> dict[str, str]:
    text = ";".join(rules[name] for name in tag.get("class", []))
    return dict(part.split(":", 1) for part in text.split(";") if part)


def _is_tick(mark: Tag | None) -> bool:
    return mark is not None and TICK.fullmatch(mark.get("d", "")) is not None


def _ticks(mark: Tag, places: list[Tag], style: dict[str, str]) -> list[tuple[dict[str, str], str]]:
    line = TICK.fullmatch(mark.get("d", ""))
    if not line or "stroke" not in style:
        return []
    return [(style, "".join(f"M{_place(tag)}l{line[1]}" for tag in places))]


def _dots(mark: Tag, places: list[Tag], style: dict[str, str]) -> list[tuple[dict[str, str], str]]:
    circle = DOT.fullmatch(mark.get("d", ""))
    if not circle or "fill" not in style:
        return []
    width = 2 * float(circle[1])
    if set(style) <= FILL_AND_EDGE and style.get("stroke", style["fill"]) == style["fill"]:
        width += float(style.get("stroke-width", "1")) if "stroke" in style else 0
        layers = [places]
    elif set(style) <= FILL_ONLY:
        layers = _apart(places, width)
    else:
        return []
    line = {"fill": "none", "stroke": style["fill"], "stroke-width": f"{width:g}", "stroke-linecap": "round"}
    if "fill-opacity" in style:
        line["stroke-opacity"] = style["fill-opacity"]
    return [(line, "".join(f"M{_place(tag)}h0" for tag in layer)) for layer in layers]


def _apart(places: list[Tag], width: float) -> list[list[Tag]]:
    """Share dots out so that no two of one layer overlap."""
    layers: list[list[Tag]] = []
    for tag in places:
        x, y = float(tag["x"]), float(tag["y"])
        for layer in layers:
            if all(dist((x, y), (float(other["x"]), float(other["y"]))) >= width for other in layer):
                layer.append(tag)
                break
        else:
            layers.append([tag])
    return layers


def _place(tag: Tag) -> str:
    return f"{short(Decimal(tag['x']))} {short(Decimal(tag['y']))}"


def short(number: Decimal) -> str:
    """Write a number to a tenth, which no eye sees in a drawing 600 wide.

    >>> short(Decimal("-0.52")), short(Decimal("12.04")), short(Decimal("0.02"))
    ('-.5', '12', '0')
    """
    text = f"{round(number, 1):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"^(-?)0(?=\.)", r"\1", text) if text != "-0" else "0"
