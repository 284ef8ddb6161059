"""Tables in HTML, read as a reader does: for the tests of tables."""

from bs4 import BeautifulSoup


def words(tag):
    return [" ".join(cell.get_text(" ").split()) for cell in tag.find_all(["th", "td"])]


def grids(html):
    """Each table as caption and rows of cell texts."""
    found = BeautifulSoup(html, "html.parser").find_all("table")
    return [
        (
            table.caption.get_text(" ", strip=True) if table.caption else "",
            [*map(words, table.find_all("tr"))],
        )
        for table in found
    ]
