"""All scripts of the pages as one deferred file, without those that have nothing to do."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from tools.light.site import Site

HERE = Path(__file__).parent
FIRST, LATE = (
    re.sub(r"^//.*\n", "", (HERE / name).read_text(), flags=re.M) for name in ("first.js", "late.js")
)

# A script and what it works on: where no page has that, it goes. Others stay.
WORKS_ON = {
    "togglebutton.js": ".toggle, .admonition.dropdown",
    "design-tabs.js": ".sd-tab-set",
    "sphinx-thebe.js": ".thebe, .thebe-launch-button",
    "clipboard.min.js": "div.highlight pre",
    "copybutton.js": "div.highlight pre",
}
# Only on the page with results, as this book does not search while one types.
SEARCH = ("searchtools.js", "language_data.js", "searchindex.js")
# Fetched when a reader does something: the buttons that copy code, and what opens menus, as long as nothing
# on the pages asks more of that than this.
LATER = ("clipboard.min.js", "copybutton.js", "bootstrap.js")
LATER_SERVES = {"dropdown", "tooltip"}
# Inline scripts, and what stands for them in the joined file.
INLINE = [
    (r"let toggle(Hint\w+|OpenOnPrint) = '[^']*';", ""),
    (r"var togglebuttonSelector = '[^']*';", ""),
    (r"window\.MathJax = .*", ""),
    (r"(const|var) thebe_.*|kernelName = '[\w-]*'", ""),
    (
        r"DOCUMENTATION_OPTIONS\.pagename = '[^']*';",
        "DOCUMENTATION_OPTIONS.pagename = document.documentElement.dataset.pagename;",
    ),
    (
        r"DOCUMENTATION_OPTIONS\.search_as_you_type = false;",
        "DOCUMENTATION_OPTIONS.search_as_you_type = false;",
    ),
]
# Stays where it is: it puts the keyboard into the field of the search page.
FOCUS = "// Activate the search field on page load"
THEME = re.compile(r"document\.documentElement\.dataset\.(mode|theme) = localStorage")


def join_scripts(site: Site) -> None:
    """Put what the pages' scripts do into one file, and leave on the pages what has to stay there."""
    idle = {name for name, selector in WORKS_ON.items() if not site.any(selector)}
    order: list[Path | str] = []
    for path, soup in site.pages.items():
        results = soup.select_one("#search-results") is not None
        after = 0
        for tag in soup.find_all("script"):
            found = _take(site, path, soup, tag, results=results)
            if found is None or (isinstance(found, Path) and found.name in idle):
                continue
            if found not in order:  # in the order of this page, between what others have already named
                order.insert(after or len(order), found)
            after = order.index(found) + 1
        for tag in soup.select("link[rel=preload][as=script]"):
            tag.decompose()
    parts, later = [], [item for item in order if isinstance(item, Path) and item.name in LATER]
    asked = {tag["data-bs-toggle"] for soup in site.pages.values() for tag in soup.select("[data-bs-toggle]")}
    if asked - LATER_SERVES:
        site.warn(f"{LATER[-1]} serves more than menus and tooltips: {sorted(asked - LATER_SERVES)}")
    if later:
        names = []
        for file in later:
            file.write_text(_text(file), encoding="utf-8")
            version = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
            names.append(f"{file.relative_to(site.static).as_posix()}?v={version}")
        parts.append(LATE.replace("NAMES", repr(names)))
        order = [item for item in order if item not in later]
    parts += [item if isinstance(item, str) else f"/* {item.name} */\n{_text(item)}" for item in order]
    joined = "\n;\n".join(parts) + "\n"
    site.script += joined + "".join(_text(file) for file in later)
    address = site.publish("book-all.js", joined.encode())
    for path, soup in site.pages.items():
        script = soup.new_tag("script", defer="", src=site.address(path, address))
        first = soup.select_one(",".join(f"script[src*='{name}']" for name in SEARCH))
        if first:
            first.insert_before(script)
            site.script += "".join(
                _text(site.file(path, tag["src"])) for tag in soup.select("script[src*=searchtools]")
            )
        else:
            soup.head.append(script)
    joined_files = [item for item in order if isinstance(item, Path)]
    for file in {*joined_files, *(site.static / name for name in idle), *site.static.rglob("*.map")}:
        file.unlink(missing_ok=True)


def _take(site: Site, path: Path, soup: BeautifulSoup, tag: Tag, *, results: bool) -> Path | str | None:
    """Take a script from its page; return the file or the text that joins the others, None for neither."""
    source, text = tag.get("src"), (tag.string or "").strip()
    if tag.has_attr("data-keep"):
        site.script += _text(site.file(path, source)) if source else text
        return None
    if tag.get("type") == "text/x-thebe-config":  # settings of a script that no page has
        tag.decompose()
        return None
    if tag.get("type") == "module":  # needs no joining, but its words are in no rule's reckoning
        site.warn(f"a module that is not marked with data-keep: {source or text[:60]!r}", path)
        return None
    if tag.get("type", "text/javascript") != "text/javascript":  # data
        return None
    if source is None:
        if THEME.search(text):
            tag.string, tag.attrs = FIRST, {}
            return None
        if text.startswith(FOCUS):
            return None
        known = next((new for pattern, new in INLINE if re.fullmatch(pattern, text, re.S)), None)
        if known is None:
            site.warn(f"an inline script that is not known: {text[:60]!r}", path)
            return None
        name = re.match(r"DOCUMENTATION_OPTIONS\.pagename = '([^']*)'", text)
        if name:
            soup.html["data-pagename"] = name[1]
        tag.decompose()
        return known or None
    if re.match(r"[a-z]+:|//", source):
        site.warn(f"a script from elsewhere: {source}", path)
        return None
    file = site.file(path, source)
    if file.name in SEARCH and results:
        tag["defer"] = ""
        return None
    tag.decompose()
    return None if file.name in SEARCH else file


def _text(file: Path) -> str:
    return re.sub(r"//# sourceMappingURL=\S+", "", file.read_text(encoding="utf-8")).strip()
