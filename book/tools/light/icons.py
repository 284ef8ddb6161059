"""Icons come from the icon font; the theme also loads a script of 1.5 MB that draws the same ones as SVG."""

from __future__ import annotations

import re
from pathlib import Path

from tools.light import fonts
from tools.light.site import Site

# The theme sizes an icon that is an SVG, where fa-lg is no larger than the others; the same for the font's.
CSS = ".fa-lg{font-size:1.3rem!important;line-height:1}"


def plain_icons(site: Site) -> None:
    """Take the script away, and let screen readers pass over icons, as the script would have done."""
    for soup in site.pages.values():
        for tag in soup.select("i[class*=fa-], span[class*=fa-]"):
            tag["aria-hidden"] = "true"
            tag.attrs.pop("title", None)
        for tag in soup.select("[src*='fontawesome.js'], [href*='fontawesome.js']"):
            tag.decompose()
    site.remove(["scripts/fontawesome.js*"])


def embed(site: Site, sheet: str) -> str:
    """Put into a style sheet the icon fonts that it names, with the icons that it still has rules for."""
    codes = {chr(int(code, 16)) for code in re.findall(r"content:\s*[\"']\\([0-9a-fA-F]{3,5})[\"']", sheet)}
    codes |= set(re.findall(r"content:\s*[\"']([\ue000-\uf8ff])[\"']", sheet))

    def put(face: re.Match) -> str:
        address = re.search(r"url\(\"?([^)\"]*fa-[\w-]+)\.(?:woff2|ttf)", face[0])
        source = _font(site.static / address[1]) if address else None
        if source is None:
            site.warn(f"an icon font that is not there: {face[0][:80]}")
            return face[0]
        here = codes & fonts.characters(source)
        if not here:
            return ""
        data = fonts.as_data(fonts.cut(source, "".join(sorted(here))))
        place = f'src:url(data:font/woff2;base64,{data}) format("woff2")'
        return re.sub(r"src:.*?(?=;[a-z]|\}$)", place, face[0])

    return re.sub(r"@font-face\{[^}]*Font Awesome[^}]*\}", put, sheet)


def _font(stem: Path) -> Path | None:
    return next(
        (file for kind in (".ttf", ".woff2") if (file := stem.with_name(stem.name + kind)).is_file()), None
    )
