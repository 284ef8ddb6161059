"""The command line, in this process and killed for real in another."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

import synthetic
from lrlib import cli, preset
from lrlib._checks import check_int
from lrlib.runs.store import read_run, write_run

RUN = [
    "train",
    "--preset",
    "digits",
    "--schedule",
    "linear",
    "--epochs",
    "3",
    "--train-images",
    "64",
    "--quiet",
]


def test_train_writes_a_record_and_show_shows_it(lrlib, tmp_path):
    code, out, _ = lrlib(*RUN, "--out", tmp_path, "--peak-lr", "0.05")
    assert code == 0
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("digits-linear-seed0-")
    run = read_run(path)
    assert (run.config.peak_lr, run.config.epochs, len(run.epochs)) == (0.05, 3, 3)
    assert run.provenance.command == " ".join(["lrlib", *RUN, "--out", tmp_path.name, "--peak-lr", "0.05"])
    assert "Before" not in out
    assert str(path) in out

    code, out, _ = lrlib("show", path)
    assert code == 0
    assert "finished after 3 epochs" in out
    assert f"{run.epochs[2].test_accuracy:.4f}" in out
    assert len([line for line in out.splitlines() if line.split()[0] in "123"]) == 3


def test_train_does_what_its_options_say(lrlib, tmp_path):
    options = "--seed 3 --precision bf16 --device cpu --threads 2 --path fast"
    code, _, err = lrlib(*RUN, "--out", tmp_path, *options.split())
    assert code == 0, err
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("digits-linear-seed3-")
    run = read_run(path)
    assert (run.config.seed, run.config.precision, run.config.device) == (3, "bf16", "cpu")
    how = run.provenance
    assert (how.precision, how.device, how.threads, how.path) == ("bf16", "cpu", 2, "fast")


def test_a_run_into_a_folder_that_is_no_unicode_gets_its_record(lrlib, tmp_path):
    """Old sticks and shares have names in Latin-1, which come as surrogates."""
    folder = tmp_path / "Jane Doe" / "pr\udcfcfung"
    code, _, err = lrlib(*RUN, "--epochs", "1", "--out", folder)
    assert code == 0, err
    (path,) = folder.iterdir()
    command = read_run(path).provenance.command
    assert command.endswith(" --epochs 1 --out 'pr?fung'")
    assert "Jane" not in command


def test_show_keeps_training_and_test_apart(lrlib, tmp_path):
    columns = dict(
        train_loss=[2.0, 1.0], train_accuracy=[0.25, 0.75], test_loss=[2.1, 1.1], test_accuracy=[0.2, 0.7]
    )
    # Four updates an epoch: linear is at 0.1 x 4/8 and at 0.1 x 1/8 in the first and the last of the second.
    run = synthetic.synthetic_run("linear", columns, train_images=64, batch_size=16)
    code, out, _ = lrlib("show", write_run(run, tmp_path / "run.json"))
    assert code == 0
    first, head, *rows = out.splitlines()
    said = "training accuracy 0.9000, test accuracy 0.7000, training cross-entropy 1.0000, test 1.1000"
    assert first.endswith(said)
    assert "last rate train loss  train acc  test loss   test acc    seconds" in head
    assert rows[1].split() == ["2", "0.05", "0.0125", "1.0000", "0.7500", "1.1000", "0.7000", "1.0"]


def test_a_record_that_is_there_is_not_run_again(lrlib, tmp_path):
    assert lrlib(*RUN, "--out", tmp_path)[0] == 0
    code, _, err = lrlib(*RUN, "--out", tmp_path)
    assert code == 1
    assert "is recorded already; see it with: lrlib show" in err


def test_a_run_that_another_process_trains_is_left_to_it(lrlib, tmp_path):
    record = tmp_path / "first" / "digits-linear-seed0.json"
    words = ["train", "--preset", "digits", "--schedule", "linear", "--quiet", "--out", record.parent]
    record.parent.mkdir()
    with FileLock(record.with_suffix(".lock")):
        code, _, err = lrlib(*words)
    assert code == 1
    assert err == f"lrlib: another process is training {record}; wait for it, or name another --out\n"
    assert not record.exists()


def test_presets_lists_everything(lrlib):
    code, out, _ = lrlib("presets")
    assert code == 0
    for word in ("digits", "laptop", "resnet50", "cosine5", "peak_lr 0.1", "pilot-laptop"):
        assert word in out


def test_show_finds_records_of_the_package(lrlib):
    code, out, _ = lrlib("show", "pilot-laptop/laptop-linear-seed0")
    assert code == 0
    assert "resnet10 on cifar10, linear, seed 0: finished after 30 epochs" in out


def test_show_of_a_study_lists_its_records(lrlib, tmp_path):
    code, out, _ = lrlib("show", "pilot-laptop")
    assert code == 0
    assert out.splitlines() == [
        "pilot-laptop holds 2 records; show one of them:",
        "  lrlib show pilot-laptop/laptop-constant-seed0.json",
        "  lrlib show pilot-laptop/laptop-linear-seed0.json",
    ]
    code, _, _ = lrlib(*out.splitlines()[1].split()[1:])
    assert code == 0
    assert lrlib("show", tmp_path)[1] == f"{tmp_path} holds 0 records; show one of them:\n\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (lambda: int("four"), "ValueError: invalid literal for int() with base 10: 'four'"),
        (lambda: Path("~nobody-here/x").expanduser(), "RuntimeError: Could not determine home directory."),
        (lambda: {}["key"], "KeyError: 'key'"),
        (lambda: Path(".").with_name("x"), "ValueError: "),
        (lambda: Path("nowhere/file").read_bytes(), "nowhere/file: No such file or directory\n"),
        (lambda: preset("labtop", recipe="linear"), "preset must be one of"),
        (lambda: check_int("epochs", "2", least=1), "epochs must be an integer >= 1, got '2' (str)\n"),
    ],
)
def test_pythons_own_words_are_told_from_lrlibs(error, sentence, lrlib, monkeypatch):
    """Only what lrlib itself raises is a sentence; the rest keeps its type, and no traceback is shown."""
    monkeypatch.setattr(cli, "app", error)
    code, _, err = lrlib("x")
    assert code == 1
    assert err.startswith(f"lrlib: {sentence}")
    assert err.count("\n") == 1
    known = not sentence.split()[0].endswith("Error:")
    assert err.endswith("(LRLIB_TRACEBACK=1 shows where)\n") != known


def test_the_traceback_is_there_for_who_asks(lrlib, monkeypatch):
    monkeypatch.setenv("LRLIB_TRACEBACK", "1")
    monkeypatch.setattr(cli, "app", lambda: {}["key"])
    with pytest.raises(KeyError):
        lrlib("x")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "--preset", "labtop", "--schedule", "linear"], "did you mean 'laptop'?"),
        (["train", "--preset", "digits", "--schedule", "lineer"], "did you mean 'linear'?"),
        (["train", "--preset", "digits", "--schedule", "linear", "--epochs", "0"], "epochs: input should be"),
        (
            ["train", "--preset", "digits", "--schedule", "linear", "--threads", "0"],
            "threads must be >= 1, got 0",
        ),
        (
            ["train", "--preset", "digits", "--schedule", "linear", "--device", "tpu"],
            "device: input should be",
        ),
        (["train", "--preset", "digits", "--schedule", "linear", "--path", "fsat"], "did you mean 'fast'?"),
        (
            ["train", "--preset", "digits", "--schedule", "linear", "--device", "mps"],
            "device: 'mps' is not on this machine",
        ),
        (["show", "nothing.json"], "nothing.json: there is no such file"),
        (["doctor", "digits", "--gpu", "--seconds", "0", "--no-race", "--out", "."], ". is a folder; name a"),
        (["data", "check", "--root", "nowhere"], "nowhere"),
    ],
)
def test_bad_words_are_one_sentence(lrlib, words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = lrlib(*words)
    assert code == 1
    assert err.startswith("lrlib: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_command_suggests_the_right_one(lrlib):
    code, _, err = lrlib("trian")
    assert code == 2
    assert "train" in err


def start(folder, log, *more):
    words = ["train", "--preset", "digits", "--schedule", "linear", "--epochs", "24", "--threads", "1"]
    words += ["--train-images", "160", "--quiet", "--out", str(folder), *more]
    with log.open("ab") as output:
        return subprocess.Popen([sys.executable, "-m", "lrlib.cli", *words], stdout=output, stderr=output)


def wait_for(condition, process, log, seconds=600):
    limit = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_killed_and_resumed_it_ends_as_if_undisturbed(tmp_path):
    """SIGKILL twice, at moments that nothing in the run chose, then to the end."""
    log, folder = tmp_path / "log", tmp_path / "cut"
    undisturbed = start(tmp_path / "whole", log)

    def checkpoint_written():
        return max((path.stat().st_mtime_ns for path in folder.glob("*.pt")), default=0)

    for delay, more in ((0.13, []), (0.37, ["--resume"])):
        before = checkpoint_written()
        process = start(folder, log, *more)
        wait_for(lambda: checkpoint_written() > before, process, log)  # noqa: B023
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not list(folder.glob("*.json"))

    assert start(folder, log).wait(timeout=600) == 1
    assert "is a run that was cut; add --resume to go on, or delete it" in log.read_text()

    assert start(folder, log, "--resume").wait(timeout=600) == 0, log.read_text()
    (record,) = folder.glob("*.json")
    assert not list(folder.glob("*.pt"))
    assert undisturbed.wait(timeout=600) == 0, log.read_text()
    (whole,) = (tmp_path / "whole").iterdir()
    resumed = read_run(record)
    assert resumed.measured() == read_run(whole).measured()
    assert resumed.provenance.parts == 3


BASE_ONLY = """
import sys

EXTRA = {"torch", "torchvision", "sklearn", "pyarrow", "PIL", "huggingface_hub", "platformdirs", "tqdm",
         "matplotlib"}


class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in EXTRA:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, NotInstalled())
sys.argv = ["lrlib", *sys.argv[1:]]
from lrlib.cli import main
main()
"""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "Learning-rate schedules"),
        (["presets"], 0, "pilot-laptop"),
        (["show", "pilot-laptop/laptop-linear-seed0"], 0, "finished after 30 epochs"),
        (["class", "assign", "3"], 0, "seed"),
        (
            ["train", "--preset", "digits", "--schedule", "linear"],
            1,
            "lrlib: this needs torch, which is not installed; install lrlib[train], which has it\n",
        ),
        (["doctor", "digits"], 1, "lrlib: this needs torch, which is not installed"),
    ],
)
def test_the_base_install_serves_what_does_not_train(words, code, said, tmp_path):
    """Without what the extra "train" brings, as someone has it who only reads records or merges a class's."""
    done = subprocess.run(
        [sys.executable, "-c", BASE_ONLY, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def log_of(tmp_path, rates, text="{t},{rate!r}", head="step,lr"):
    file = tmp_path / "rates.csv"
    lines = [head, *(text.format(t=t, rate=rate) for t, rate in enumerate(rates))]
    file.write_text("\n".join(line for line in lines if line) + "\n", encoding="utf-8-sig")
    return file


LINEAR = [0.1 * (60 - t) / 60 for t in range(60)]


def test_audit_agrees(lrlib, tmp_path):
    code, out, err = lrlib(
        "audit", log_of(tmp_path, LINEAR), *["--plan", "linear", "--peak", "0.1", "--updates", "60"]
    )
    assert (code, err) == (0, "")
    assert out == "The 60 applied rates agree with the plan.\n"


@pytest.mark.parametrize(
    ("text", "head"),
    [("{t};{rate!r};", "step;Learning_Rate;note"), ("{rate!r}\t{t}", "lr\tstep"), ("{rate!r}", "")],
    ids=["semicolons", "tabs", "one-a-line"],
)
def test_audit_names_the_fault_and_ends_with_1(lrlib, tmp_path, text, head):
    slow = [LINEAR[t // 10] for t in range(60)]
    file = log_of(tmp_path, slow, text, head)
    code, out, _ = lrlib(*f"audit {file} --plan linear --peak 0.1 --updates 60 --steps-per-epoch 10".split())
    assert code == 1
    assert "stepped_per_epoch: the scheduler moves once every 10 updates" in out


def test_audit_knows_of_warmup_processes_and_a_start(lrlib, tmp_path):
    plan = [t / 12 for t in range(12)] + [(60 - t) / 48 for t in range(12, 60)] + [0.0] * 60
    words = ["--plan", "linear", "--peak", "1", "--updates", "60", "--warmup", "12"]
    file = log_of(tmp_path, plan[20:60])
    assert lrlib("audit", file, *words, "--start", "20")[0] == 0
    file = log_of(tmp_path, plan[0:120:2])
    code, out, _ = lrlib("audit", file, *words, "--processes", "2")
    assert (code, "2 times too fast" in out, "2 processes" in " ".join(out.split())) == (1, True, True)


@pytest.mark.parametrize(
    ("content", "words", "sentence"),
    [
        ("", "", "holds no rates"),
        ("step,loss\n0,1\n", "", "say which column of rates.csv has the rates; it has step, loss"),
        ("step,lr\n0,1\n", "--column rate", "has no column 'rate'; it has step, lr"),
        ("step,lr\n0,1\n1,high\n", "", "line 3 of rates.csv: the rate must be a finite number, got 'high'"),
        ("step,lr\n0,nan\n", "", "line 2 of rates.csv: the rate must be a finite number, got 'nan'"),
        ("0,1\n1,0.5\n", "", "has 2 columns and no names; name them in a first line"),
        ("1\n0.5\n", "--column lr", "has no names of columns, so there is no 'lr'"),
        ("1\n", "--plan lineer", "got 'lineer'; did you mean 'linear'?"),
        ("1\n", "--plan time", "give --steps-per-epoch too"),
        ("1\n", "--warmup 60", "warmup must be < updates = 60, got 60"),
        ("\xff", "", "is not in UTF-8 (see byte 1); save it again with the encoding UTF-8"),
    ],
)
def test_audit_refuses_in_a_sentence(lrlib, tmp_path, monkeypatch, content, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rates.csv").write_bytes(content.encode("latin-1"))
    given = ["audit", "rates.csv", "--plan", "linear", "--peak", "0.1", "--updates", "60"]
    code, out, err = lrlib(*given, *words.split())
    assert (code, out) == (1, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("head", ["", "sep=;\n"])
def test_audit_reads_a_log_as_spreadsheets_save_it(lrlib, tmp_path, encoding, head):
    lines = [f"{t};{rate!r}".replace(".", ",") for t, rate in enumerate(LINEAR)]
    file = tmp_path / "rates.csv"
    file.write_bytes((head + "\r\n".join(["step;lr", *lines, ";", ""])).encode(encoding))
    code, out, err = lrlib("audit", file, *["--plan", "linear", "--peak", "0.1", "--updates", "60"])
    assert (code, err) == (0, ""), out


def test_audit_of_no_file_is_a_sentence(lrlib, tmp_path):
    words = ["--plan", "linear", "--peak", "0.1", "--updates", "60"]
    file = tmp_path / "none.csv"
    assert lrlib("audit", file, *words)[2] == f"lrlib: {file}: there is no such file\n"
    assert lrlib("audit", tmp_path, *words)[2] == f"lrlib: {tmp_path} cannot be read (Is a directory)\n"


def test_audit_of_a_log_that_rounds(lrlib, tmp_path):
    words = ["--plan", "linear", "--peak", "0.1", "--updates", "60"]
    file = log_of(tmp_path, LINEAR, text="{t},{rate:.4f}")
    assert lrlib("audit", file, *words)[0] == 1
    assert lrlib("audit", file, *words, "--tolerance", "1e-4")[0] == 0


def test_audit_leaves_out_lines_without_a_rate(lrlib, tmp_path):
    rates = [rate for one in LINEAR for rate in (one, "")]
    file = log_of(tmp_path, rates, text="{t},{rate}")
    assert lrlib(*f"audit {file} --plan linear --peak 0.1 --updates 60".split())[0] == 0


def test_preview_shows_a_schedule_and_writes_it(lrlib, tmp_path):
    file = tmp_path / "plan.csv"
    code, out, err = lrlib(*f"preview linear --updates 60 --peak 0.1 --rows 3 --out {file}".split())
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert out.splitlines()[0] == "LinearDecay(total_steps=60), peak 0.1"
    assert [line[:2] for line in lines[1:4]] == [["0", "0.1"], ["30", "0.05"], ["59", "0.001667"]]
    assert [len(line[2]) for line in lines[1:4]] == [48, 24, 1]
    # What it writes, audit reads.
    assert lrlib(*f"audit {file} --plan linear --peak 0.1 --updates 60".split())[0] == 0
    code, out, _ = lrlib(*["preview", "triangle", "--updates", "1", "--rows", "5"])
    assert (code, len(out.splitlines())) == (0, 2)
