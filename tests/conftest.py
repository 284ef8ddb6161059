"""What all tests share: the way to CIFAR-10, and no network.

A test that needs the real CIFAR-10 asks for the fixture ``cifar10_root`` or has the mark ``cifar10``. Without
``LRLIB_DATA`` it is skipped; with it, a skip is a failure, so that no run passes by not looking at it.

A test with the mark ``rosetta("timm", ...)`` needs these packages of the extra `rosetta`. Where one is
missing it is skipped; with ``LRLIB_ROSETTA=required``, as `make test` sets it, it fails.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure. On CI the same examples each time; elsewhere new ones, which find more.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

collect_ignore_glob = ["browser/*.py"]  # `make test-browser` runs these, with Playwright

NO_DATA = "needs CIFAR-10: set LRLIB_DATA to the folder that holds it"

FRAMEWORKS = {"keras": (), "optax": ("jax",)}  # modules of lrlib.adapters whose examples need more than torch


def missing(*packages: str) -> str:
    """Return what to say of those of these packages that are not installed; nothing if all are."""
    lacking = [name for name in packages if importlib.util.find_spec(name) is None]
    return f"needs {' and '.join(lacking)}: pip install 'lrlib[rosetta]'" if lacking else ""


def _is_local(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) else address
    return host is None or str(host) in {"", "localhost", "::1"} or str(host).startswith("127.")


def _refuse_network() -> None:
    """Let sockets reach this machine only, for the whole session, doctests included."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def local_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address):
            raise OSError(f"tests do not touch the network: connect to {address!r}")
        connect(self, address)

    def local_getaddrinfo(host: object, *args: object, **kwargs: object) -> list:
        if not _is_local(host):
            raise socket.gaierror(socket.EAI_NONAME, f"tests do not touch the network: look up {host!r}")
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = local_connect
    socket.getaddrinfo = local_getaddrinfo


def pytest_configure(config: pytest.Config) -> None:
    _refuse_network()
    os.environ.setdefault("KERAS_BACKEND", "torch")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if "cifar10_root" in getattr(item, "fixturenames", ()):
            item.add_marker("cifar10")
        # Doctests: other folders' hooks do not reach them.
        framework = next((name for name in FRAMEWORKS if f"lrlib/adapters/{name}.py" in item.nodeid), None)
        lacking = framework and missing(framework, *FRAMEWORKS[framework])
        if lacking and os.environ.get("LRLIB_ROSETTA") != "required":
            item.add_marker(pytest.mark.skip(reason=lacking))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cifar10") and not os.environ.get("LRLIB_DATA"):
        pytest.skip(NO_DATA)
    for mark in item.iter_markers("rosetta"):
        lacking = missing(*mark.args)
        if lacking:
            (pytest.fail if os.environ.get("LRLIB_ROSETTA") == "required" else pytest.skip)(lacking)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a CIFAR-10 test into a failure where the data is there; note what ran for .ci/run."""
    report = yield
    if item.get_closest_marker("cifar10"):
        skipped = report.skipped and not hasattr(report, "wasxfail")
        if skipped or report.when == "call":
            item.user_properties.append(("cifar10", "skipped" if skipped else "ran"))
        if skipped and os.environ.get("LRLIB_DATA"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            report.outcome = "failed"
            report.longrepr = (
                f"LRLIB_DATA is set, so a test marked cifar10 may not skip. Its reason was: {reason}"
            )
    return report


@pytest.fixture(scope="session")
def cifar10_root() -> Path:
    """The folder with the real CIFAR-10."""
    root = os.environ.get("LRLIB_DATA")
    if not root:
        pytest.skip(NO_DATA)
    return Path(root)


@pytest.fixture
def lrlib(capsys, monkeypatch):
    """The command line in this process: words -> exit status, what it printed, what it complained of."""
    from lrlib import cli

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lrlib", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call
