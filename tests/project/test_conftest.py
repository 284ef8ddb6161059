"""The rules of conftest.py bite: no silent skip of CIFAR-10 or of a framework, no network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
SUITE = """
    import pytest

    def test_by_fixture(cifar10_root):
        assert cifar10_root.name == "here"

    @pytest.mark.cifar10
    def test_by_mark():
        {body}

    @pytest.mark.skip(reason="has nothing to do with the data")
    def test_other():
        pass

    @pytest.mark.cifar10
    @pytest.mark.xfail(reason="known", strict=True)
    def test_known_failure():
        assert False
"""


def outcome(folder: Path, body: str, data: str | None, *options: str, **variables: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(textwrap.dedent(SUITE).format(body=body))
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  cifar10: data\n  rosetta: packages\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LRLIB_", "PYTEST_"))}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # loading them takes most of the time
    if data is not None:
        env["LRLIB_DATA"] = data
    env |= variables
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip().splitlines()[-1] + "\n" + done.stdout


@pytest.mark.parametrize("data", [None, ""])
def test_without_data_the_tests_are_skipped(tmp_path, data):
    status, text = outcome(tmp_path, "pass", data)
    assert status == 0
    assert text.startswith("4 skipped"), text


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "xdist"])
def test_with_data_a_skip_is_a_failure(tmp_path, options):
    status, text = outcome(tmp_path, "pytest.skip('no time')", "here", *options)
    assert status == 1
    assert text.startswith("1 failed, 1 passed, 1 skipped, 1 xfailed"), text
    assert "may not skip. Its reason was: Skipped: no time" in text


def test_with_data_and_no_skip_all_is_well(tmp_path):
    status, text = outcome(tmp_path, "pass", "here")
    assert status == 0
    assert text.startswith("2 passed, 1 skipped, 1 xfailed"), text


def test_what_ran_is_in_the_report(tmp_path):
    outcome(tmp_path, "pytest.skip('no time')", "here", "--junitxml", "report.xml")
    report = (tmp_path / "report.xml").read_text()
    assert report.count('name="cifar10" value="ran"') == 2
    assert report.count('name="cifar10" value="skipped"') == 1


def test_a_missing_framework_is_a_skip_that_says_so_or_a_failure(tmp_path, monkeypatch):
    needs_none = 'def test_it():\n    pass\n\n\n@pytest.mark.rosetta("json")\ndef test_there():\n    pass\n'
    source = f'import pytest\n\n\n@pytest.mark.rosetta("json", "no_such_framework")\n{needs_none}'
    monkeypatch.setitem(globals(), "SUITE", source)
    status, text = outcome(tmp_path, "", None, "-rs")
    assert status == 0
    assert text.startswith("1 passed, 1 skipped"), text
    assert "needs no_such_framework: pip install 'lrlib[rosetta]'" in text
    required = {"LRLIB_ROSETTA": "required"}
    status, text = outcome(tmp_path, "", None, **required)
    assert status == 1
    assert text.startswith("1 passed, 1 error"), text


def test_other_machines_are_out_of_reach():
    with pytest.raises(OSError, match="do not touch the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(socket.gaierror, match="do not touch the network"):
        socket.getaddrinfo("example.org", 443)


def test_this_machine_is_in_reach():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
