"""What is seen of a page before it is opened: by search engines, behind a link, after a mistyped address."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup

from tools.light import card
from tools.light.site import Site

HERE = Path(__file__).parent
LONGEST = 155  # characters of a description that search engines show
NOT_LISTED = ("search.html", "genindex.html")
CARD = " to read · "  # in the first line of every chapter: how long it takes


def configured_address(config: Path) -> str:
    """Return where the site will be published, "" if the settings do not say: the Pages of the repository."""
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    named = (settings.get("html") or {}).get("baseurl")
    if named:
        return named.rstrip("/")
    repository = urlsplit((settings.get("repository") or {}).get("url", ""))
    if repository.netloc != "github.com":
        return ""
    owner, name = repository.path.strip("/").split("/")
    home = f"https://{owner.lower()}.github.io"
    return home if name.lower() == f"{owner.lower()}.github.io" else f"{home}/{name}"


def write_heads(site: Site) -> None:
    """Write title, description, picture and address of every page, the site map, and the 404 page."""
    pictures = card.draw_all(site.static) if site.base else {}
    for path, soup in site.pages.items():
        for extra in soup.select("meta[name=viewport]")[1:]:
            extra.decompose()
        text = description(soup)
        _meta(soup, "name", "description", text)
        _meta(soup, "property", "og:type", "article" if soup.select_one("article section") else "website")
        _meta(soup, "property", "og:title", heading(soup))
        _meta(soup, "property", "og:description", text)
        if site.base:
            address = f"{site.base}/{path.relative_to(site.out).as_posix()}"
            picture = pictures.get(path.stem, pictures["index"])
            _meta(soup, "property", "og:url", address)
            _meta(soup, "property", "og:image", f"{site.base}/_static/{picture.file}")
            _meta(soup, "property", "og:image:alt", picture.alt)
            _meta(soup, "name", "twitter:card", "summary_large_image")
            if not soup.select_one("link[rel=canonical]"):
                soup.head.append(soup.new_tag("link", rel="canonical", href=address))
    if site.base:
        _write_map(site)
    _write_404(site)


def heading(soup: BeautifulSoup) -> str:
    """Return the heading of a page, its title if it has none."""
    found = soup.select_one("article h1, main h1") or soup.title
    return " ".join(found.get_text().split()).rstrip("#")


def description(soup: BeautifulSoup) -> str:
    """Return the first sentences of a page that say what it is about, cut at a word."""
    for paragraph in soup.select("article .book-promise p, article section > p"):
        text = " ".join(paragraph.get_text().split())
        if len(text) < 60 or CARD in text or "book-caption" in paragraph.get("class", []):
            continue
        return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    return heading(soup)


def _meta(soup: BeautifulSoup, kind: str, name: str, content: str) -> None:
    tag = soup.select_one(f"meta[{kind}='{name}']")
    if tag is None:
        tag = soup.new_tag("meta", attrs={kind: name})
        soup.title.insert_after(tag)
    tag["content"] = content


def _write_map(site: Site) -> None:
    pages = [path.relative_to(site.out).as_posix() for path in site.pages if path.name not in NOT_LISTED]
    entries = "".join(f"<url><loc>{html.escape(f'{site.base}/{page}')}</loc></url>\n" for page in pages)
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    (site.out / "sitemap.xml").write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', encoding="utf-8")


def _write_404(site: Site) -> None:
    # A host shows it at any depth, so its links begin at the top of the site.
    top = urlsplit(site.base).path.rstrip("/") + "/"
    page = (HERE / "404.html").read_text(encoding="utf-8").replace("TOP/", top)
    (site.out / "404.html").write_text(page, encoding="utf-8")
