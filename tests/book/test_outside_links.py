"""The weekly look at links that lead out: what is collected, and what counts as gone."""

from __future__ import annotations

import http.server
import threading

import pytest

import outside_links


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_each_address_is_asked_once(tmp_path):
    links = ("https://a.example/x#one", "https://a.example/x#two", "b.html", "mailto:x@example.org")
    (tmp_path / "a.html").write_text("".join(f'<a href="{link}">x</a>' for link in links))
    assert outside_links.outside(tmp_path) == {"https://a.example/x": "a.html"}


@pytest.mark.parametrize(
    ("status", "gone", "said"),
    [(200, False, ""), (404, True, "404"), (410, True, "410"), (403, False, "403")],
)
def test_gone_is_what_will_not_come_back(host, status, gone, said):
    found, words = outside_links.ask(f"{host}/{status}")
    assert found is gone
    assert words.startswith(said)
    assert bool(words) == bool(said)


def test_the_report_counts_what_is_gone(host, tmp_path, capsys):
    links = "".join(f'<a href="{host}/{status}">x</a>' for status in (200, 404, 403))
    (tmp_path / "a.html").write_text(links)
    assert outside_links.main(tmp_path) == 1
    out = capsys.readouterr().out
    assert f"GONE: {host}/404 (404 Not Found), on a.html" in out
    assert f"told: {host}/403" in out
    assert out.endswith("3 addresses outside the book, 1 gone\n")


def test_a_host_that_is_not_there_is_gone():
    gone, said = outside_links.ask("http://nowhere.invalid/")
    assert gone
    assert said
