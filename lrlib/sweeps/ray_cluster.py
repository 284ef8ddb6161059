"""Ways to a Ray cluster: to one that is started here, or to one at an address; what its workers are given.

Ray is kept quiet, and what it starts and writes here goes when the driver ends.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

import ray
from filelock import FileLock, Timeout

from lrlib._files import reason
from lrlib.sweeps.engines import environment
from lrlib.sweeps.local import module_path
from lrlib.sweeps.study import StudyError

OBJECTS = 128 * 2**20  # bytes of shared memory for a cluster on this machine: records are small
MOST_LETTERS = 30  # of the folder of temporary files, as sockets get names of about 100
STARTS = 3  # of a cluster on this machine, if it does not come up; they share the seconds
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}


@contextmanager
def connected(address: str | None, *, cpus: int, start_seconds: float) -> Iterator[None]:
    """Be the driver of a cluster: of the one that this process is in, of that address, or of a new one."""
    if ray.is_initialized():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with ExitStack() as stack:
        stack.enter_context(_silence())
        stack.callback(ray.shutdown)
        if address is None:
            _start_here(cpus, start_seconds, stack)
        else:
            _check_address(address)
            try:
                ray.init(address, **QUIET)
            except Exception as error:
                raise StudyError(f"no Ray cluster at {address} could be used: {first(error)}") from None
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():  # Ray takes SIGTERM for itself
                signal.signal(number, handler)
        yield


def _start_here(cpus: int, seconds: float, stack: ExitStack) -> None:
    """Start a cluster on this machine, whose folder is removed when `stack` ends."""
    end = monotonic() + seconds
    for left in reversed(range(STARTS)):
        own = ExitStack()
        folder = own.enter_context(_own_folder())
        try:
            with _patience(seconds / STARTS):
                ray.init(
                    "local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    object_store_memory=OBJECTS,
                    _node_ip_address="127.0.0.1",  # nobody else is to reach it
                    _temp_dir=str(folder),
                    **QUIET,
                )
        except Exception as error:
            # Parts that came too late, or without the others, are left running.
            ray.shutdown()
            _end_all(folder)
            own.close()
            if not left or monotonic() >= end:
                raise StudyError(
                    f"Ray could not be started on this machine: {first(error)} (if it is slow, give it more "
                    f"than {seconds:g} seconds by --start-seconds)"
                ) from None
        else:
            # In front of what the caller has entered: Ray stops first.
            before = stack.pop_all()
            stack.push(own)
            stack.push(before)
            return


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Let Ray wait so long for its parts; by itself it waits 30 seconds, too few for a busy machine."""
    limits = {"RAY_gcs_server_port_wait_time_s": ceil(seconds), "RAY_worker_register_timeout_seconds": 600}
    services = cast(Any, ray)._private.services
    ask = getattr(services, "get_node", None)
    end = monotonic() + seconds

    # For a node that comes late no setting is there: it is asked for until it answers.
    def ask_again(*args: Any, **how: Any) -> Any:
        while True:
            try:
                return cast(Any, ask)(*args, **how)
            except RuntimeError:
                if monotonic() >= end:
                    raise
            sleep(0.1)

    if ask is not None:
        services.get_node = ask_again
    try:
        with environment({name: str(limit) for name, limit in limits.items() if name not in os.environ}):
            yield
    finally:
        if ask is not None:
            services.get_node = ask


def _end_all(folder: Path) -> None:
    """End the processes of a cluster that did not come up: those that name its folder, and their children."""
    import psutil  # which Ray brings

    found: list[psutil.Process] = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(str(folder) in word for word in process.cmdline()):
                found += [process, *process.children(recursive=True)]
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    with warnings.catch_warnings():  # that nobody has waited for them
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _check_address(address: str) -> None:
    """Refuse an address where nothing answers: Ray itself would try for minutes."""
    if "://" in address:
        raise StudyError(
            f"address must be auto or HOST:PORT, got {address!r}; start lrlib on a machine of the cluster"
        )
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise StudyError(f"address must be auto or HOST:PORT, as 10.0.0.1:6379, got {address!r}")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise StudyError(
            f"no Ray cluster answers at {address} ({reason(error)}); start one with ray start --head, or "
            "leave the address out"
        ) from None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Ray from sending statistics and from writing between the lines of the study."""
    wanted = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    # No setting of Ray keeps its words on a lost worker from the terminal; the study says what is lost.
    worker = cast(Any, ray)._private.worker
    printing = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        with environment(wanted):
            yield
    finally:
        if printing is not None:
            worker.print_to_stdstream = printing


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Make a folder for a cluster's sockets and logs; remove it, and those that killed drivers left."""
    root = Path(tempfile.gettempdir())
    if len(str(root)) > MOST_LETTERS and os.name == "posix":
        root = Path(os.sep, "tmp")
    for old in root.glob("lrlib-ray-*"):
        lock = FileLock(old / "lock", timeout=0)
        with contextlib.suppress(Timeout, OSError), lock:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="lrlib-ray-", dir=root))
    with FileLock(folder / "lock"):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remote(what: str, share: dict[str, float], *, here: bool, streaming: bool = False) -> Any:
    """Return a function of `ray_worker` as a remote one, whose worker finds modules as a local one does.

    Ray puts the driver's current folder in front of a worker's path.
    """
    path, folder, blind = module_path() if here else None, os.getcwd(), not share["num_gpus"]

    def prepare() -> Any:
        import os
        import sys
        from importlib import import_module

        if path is not None:
            sys.path[:] = path
        else:
            sys.path[:] = [one for one in sys.path if one not in ("", folder)] + [folder]
        if blind:  # before torch looks
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return getattr(import_module("lrlib.sweeps.ray_worker"), what)

    # A function within a function travels by value: no module is looked for by Ray's path.
    def once(*args: Any, **how: Any) -> Any:
        return prepare()(*args, **how)

    def stream(*args: Any, **how: Any) -> Iterator[Any]:
        yield from prepare()(*args, **how)

    # A retry by Ray would begin with the checkpoint as it was when the task was sent.
    options = {**share, "max_retries": 0, **({"num_returns": "streaming"} if streaming else {})}
    return cast(Any, ray).remote(**options)(stream if streaming else once)


def cause(error: Exception) -> str:
    """Return in one line what a task raised."""
    found = getattr(error, "cause", None) or error
    if isinstance(found, ModuleNotFoundError):
        return f"it has no {found.name}; install the same lrlib, with what it needs, on each machine"
    return f"{type(found).__name__}: {first(found)}"


def first(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]
