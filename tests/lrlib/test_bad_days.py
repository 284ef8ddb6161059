"""Full disk, read-only folder, a network that breaks off: one clear sentence, nothing lost, no half file.

(Kills are in test_kills.py, damaged records in test_record.py, damaged checkpoints in test_run.py, damaged
data in test_cifar10.py.)
"""

import errno
import http.server
import os
import sys
import threading
from pathlib import Path

import pytest

from lrlib import cli, preset
from lrlib._files import WriteError, write_atomically
from lrlib.runs.record import RecordError
from lrlib.runs.store import load_runs, write_run
from lrlib.training import cifar10
from lrlib.training.dataset import DataError, load
from lrlib.training.run import train

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def full_disk(monkeypatch):
    """Call it, and temporary files land on /dev/full, where the kernel has no space left for any byte."""
    with_name = Path.with_name

    def on_the_full_disk(path, name):
        beside = with_name(path, name)
        if name.endswith(".tmp") and not beside.is_symlink():
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.symlink_to("/dev/full")
        return beside

    return lambda: monkeypatch.setattr(Path, "with_name", on_the_full_disk)


def one_sentence(error):
    assert "\n" not in str(error)
    return str(error)


@needs_dev_full
def test_a_full_disk_loses_no_checkpoint(tmp_path, full_disk):
    config = preset("digits", recipe="linear", epochs=3, train_images=50)
    file = tmp_path / "run.pt"
    train(config, checkpoint=file, progress=False)
    before = file.read_bytes()
    full_disk()
    with pytest.raises(WriteError) as caught:
        train(config, checkpoint=file, resume=False, progress=False)
    text = one_sentence(caught.value)
    assert text.startswith(f"{file} could not be written (No space left on device)")
    assert "free space or choose another folder" in text
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


@needs_dev_full
def test_a_full_disk_leaves_no_half_record(tmp_path, full_disk):
    full_disk()
    with pytest.raises(WriteError, match="No space left on device"):
        write_run(load_runs("pilot-laptop")[0], tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []


@needs_dev_full
def test_a_full_disk_on_the_command_line(tmp_path, full_disk, monkeypatch, capsys):
    full_disk()
    words = ["train", "--preset", "digits", "--schedule", "linear", "--epochs", "2", "--train-images", "50"]
    monkeypatch.setattr(sys, "argv", ["lrlib", *words, "--quiet", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    _, err = capsys.readouterr()
    assert err.startswith("lrlib: ")
    assert "could not be written (No space left on device)" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def in_a_fork(act):
    """Do something in a fork, without root's rights; return the errno or 0, and how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            act()
            message = "0 nothing was refused"
        except BaseException as error:
            message = f"{getattr(error.__cause__, 'errno', -1)} {error}"
        os.write(writing, message.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        number, _, text = pipe.read().decode().partition(" ")
    os.waitpid(child, 0)
    return int(number), text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.parametrize("replace", [True, False])
def test_a_read_only_folder(tmp_path, replace):
    for folder in (tmp_path, *tmp_path.parents):  # let the fork look in
        if folder.owner() == Path(tmp_path).owner() and folder != Path("/tmp").resolve():
            folder.chmod(folder.stat().st_mode | 0o055)
        if folder.name.startswith("pytest-of"):
            break
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "old.json").write_text("as it was")
    locked.chmod(0o555)
    target = locked / ("old.json" if replace else "new.json")
    number, text = in_a_fork(lambda: write_atomically(target, lambda f: f.write(b"x"), replace=replace))
    locked.chmod(0o755)
    assert number == errno.EACCES, text
    assert text.startswith(f"{target} could not be written (Permission denied)")
    assert [path.name for path in locked.iterdir()] == ["old.json"]
    assert (locked / "old.json").read_text() == "as it was"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match="could not be written"):
        write_run(load_runs("pilot-laptop")[0], tmp_path / "file" / "run.json")
    assert (tmp_path / "file").read_text() == "x"


def test_two_writers_at_once_and_the_first_wins(tmp_path):
    run = load_runs("pilot-laptop")[0]
    children = []
    for number in (1, 2):
        child = os.fork()
        if child == 0:
            try:
                write_run(run.model_copy(update={"start": str(number) * 16}), tmp_path / "record.json")
                os._exit(0)
            except RecordError:
                os._exit(3)
            except BaseException:
                os._exit(4)
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


class BreaksOff(http.server.BaseHTTPRequestHandler):
    """Promises a large file, sends a part of it, and hangs up."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def head(self):
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", '"' + "a" * 40 + '"')
        self.send_header("X-Repo-Commit", "b" * 40)
        self.send_header("Connection", "close")
        self.end_headers()

    do_HEAD = head

    def do_GET(self):
        self.head()
        self.wfile.write(b"PAR1" + bytes(5000))
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def broken_server():
    asked: list[str] = []
    handler = type("Handler", (BreaksOff,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_download_that_breaks_off_leaves_nothing_that_looks_whole(broken_server, tmp_path, monkeypatch):
    address, asked = broken_server
    monkeypatch.setenv("LRLIB_CACHE", str(tmp_path))
    monkeypatch.delenv("LRLIB_DATA", raising=False)
    serve_from(address, monkeypatch)
    with pytest.raises(DataError) as caught:
        load("cifar10")
    text = one_sentence(caught.value)
    assert "cannot be downloaded" in text
    assert "plain_text/train-00000-of-00001.parquet" in text
    assert any(line.startswith("GET ") for line in asked), "nothing was downloaded, so nothing broke off"
    whole = [*cifar10.PARQUET, *cifar10.BATCHES]
    assert not [name for name in whole if (tmp_path / "cifar10" / name).exists()]
    # The next try asks again, and does not take the piece for the whole.
    before = len(asked)
    with pytest.raises(DataError, match="cannot be downloaded"):
        load("cifar10")
    assert len(asked) > before


def serve_from(address, monkeypatch):
    from huggingface_hub import constants
    from torchvision import datasets

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}/cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar10, "_reach", lambda _: None)
