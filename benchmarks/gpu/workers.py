"""The processes of a race: each sleeps until it is asked, answers in lines of JSON, and may fail alone."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
UPDATES = {"resnet50": 100, "source_resnet": 50, "resnet10": 200}  # of a block on a GPU


class Worker:
    """A process of contenders. It sleeps until it is asked, and dies with whatever it started."""

    def __init__(self, words: list[str]) -> None:
        self.errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, stderr=self.errors, text=True, start_new_session=True
        )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.is_ready = False

    def _read(self) -> None:
        with self.process.stdout as out:
            for line in out:
                self.lines.put(line)
        self.lines.put(None)

    def answer(self, until: float) -> dict:
        """Return the next message; {"late": True} if there is none at time.monotonic() `until`.

        A process that has ended says {"failed": reason}, as often as it is asked.
        """
        try:
            line = self.lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return {"late": True}
        if line is None:
            self.lines.put(None)
            return {"failed": self._last_words()}
        try:
            return json.loads(line)
        except ValueError:  # it was ended in the middle of a word
            return {"failed": f"said {line[:80]!r}"}

    def _last_words(self) -> str:
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "said no more"
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        return f"ended with {code}: {lines[-1][:200] if lines else 'nothing said'}"

    def ready(self, until: float) -> dict:
        """Wait until it has read what it needs; return {} then, else what `answer` says."""
        message = {} if self.is_ready else self.answer(until)
        self.is_ready |= message.pop("ready", False)
        return message

    def ask(self, contender: str, *, seconds: float, limit: float) -> dict:
        """Let a contender run blocks for `seconds` after its warm-up, within `limit` seconds in all.

        Returns {"blocks": [[seconds, updates], ...]} and what else it tells, or {"failed": reason}.
        """
        begun, blocks = time.monotonic(), []
        message = self.ready(begun + limit)
        if not message:
            with suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps({"contender": contender, "seconds": seconds}) + "\n")
                self.process.stdin.flush()
            while not ({"done", "failed", "late"} & message.keys()):
                message = self.answer(begun + limit)
                if "block" in message:
                    blocks.append(message["block"])
        if "done" in message:
            return {"blocks": blocks, **message["done"]}
        why = message.get("failed") or f"no end within {limit:.3g} s"
        return {"blocks": blocks, "note": why} if blocks else {"failed": why}

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own group: with the workers of a DataLoader
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.reader.join(timeout=5)
        for file in (self.process.stdin, self.errors):
            with suppress(BrokenPipeError):
                file.close()


class Workers:
    """All processes of a race: a family of contenders on one network has one, and a new one if it failed."""

    def __init__(self, device: str, updates: int | None, *, noise: bool) -> None:
        self.device, self.updates, self.pictures = device, updates, "noise" if noise else "cifar10"
        self.there: dict[tuple[str, str], Worker] = {}

    def get(self, network: str, contender: str) -> Worker:
        key = network, family(contender)
        if key not in self.there:
            updates = self.updates or UPDATES[network]
            words = [key[1], network, self.device, str(updates), self.pictures]
            self.there[key] = Worker([sys.executable, str(HERE / "gpu_contenders.py"), *words])
        return self.there[key]

    def start(self, entries: Iterable[tuple[str, str]], *, most: int, until: float) -> None:
        """Start the first `most` processes at once and wait until they have imported and read everything.

        Nobody is timed meanwhile, and the race does not wait for each in turn.
        """
        for network, contender in entries:
            if len(self.there) < most:
                self.get(network, contender)
        for worker in self.there.values():
            worker.ready(until)

    def ask(self, network: str, contender: str, *, seconds: float, limit: float, last: bool) -> dict:
        """As `Worker.ask`; a process that failed, or has no more to do (`last`), is ended."""
        found = self.get(network, contender).ask(contender, seconds=seconds, limit=limit)
        if last or "failed" in found or "note" in found:
            self.there.pop((network, family(contender))).end()
        return found

    def end(self) -> None:
        while self.there:
            self.there.popitem()[1].end()


def family(contender: str) -> str:
    """Return the name of the process that a contender shares: rows that use the same captured updates."""
    shared = contender in ("limit", "kernels") or contender.removeprefix("lrlib_graph_").isdigit()
    return "lrlib_graph" if shared else contender
