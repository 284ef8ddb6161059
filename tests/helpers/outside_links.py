"""Ask every address outside the book whether it still answers: `make outside-links`.

    python tests/helpers/outside_links.py _build/html

An address that is gone (404, 410, or a host that is not there) is an error. One that answers otherwise, or
too slowly, is only told: many hosts turn programs away whose pages any reader sees.
"""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

from bs4 import BeautifulSoup

GONE = {404, 410}
SECONDS = 30
HEADERS = {"User-Agent": "Mozilla/5.0 (link check of a book, once a week)"}


def outside(folder: Path) -> dict[str, str]:
    """Return the addresses that the pages of a folder link to, and a page that does."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.html")):
        for link in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select("a[href]"):
            address = urldefrag(link["href"]).url
            if urlsplit(address).scheme in ("http", "https"):
                found.setdefault(address, path.relative_to(folder).as_posix())
    return found


def ask(address: str) -> tuple[bool, str]:
    """Return whether an address is gone, and what it said; "" is a good answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=HEADERS), timeout=SECONDS):
            return False, ""
    except urllib.error.HTTPError as error:
        return error.code in GONE, f"{error.code} {error.reason}"
    except urllib.error.URLError as error:
        no_host = isinstance(error.reason, socket.gaierror) and error.reason.errno == socket.EAI_NONAME
        return no_host, str(error.reason)
    except (TimeoutError, OSError, ValueError) as error:
        return False, repr(error)


def main(folder: Path) -> int:
    """Ask all; return how many are gone."""
    found = outside(folder)
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(found, pool.map(ask, found), strict=True))
    for address, (gone, said) in answers.items():
        if said:
            print(f"{'GONE' if gone else 'told'}: {address} ({said}), on {found[address]}")
    gone = sum(gone for gone, _ in answers.values())
    print(f"{len(found)} addresses outside the book, {gone} gone")
    return gone


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]))))
