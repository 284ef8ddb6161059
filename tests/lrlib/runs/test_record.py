"""Records: written once, read with suspicion."""

import json
import math
import os
from pathlib import Path

import pytest

import synthetic
from lrlib.runs import store
from lrlib.runs.record import RecordError, Run, digest
from lrlib.runs.store import RECORDED, load_runs, read_run, studies, write_run
from lrlib.sweeps.study import read_study
from lrlib.training import networks
from lrlib.training.metrics import fingerprint
from lrlib.training.randomness import draw_augmentation, permutation

HOME = "/" + "home"  # the folder of all users; no file of the project names one of a machine

# Study -> name of a record -> the config that the study's file plans for it.
PLANS = {
    path.stem: {run.name: run.config for run in read_study(path).runs}
    for path in (Path(__file__).parents[3] / "studies").glob("*.toml")
}


def synthetic_run(**changes):
    """A made-up run of two epochs, 4 updates an epoch, 8 in all; some fields of it may be changed."""
    run = synthetic.synthetic_run(
        "linear",
        dict(
            train_loss=[2.0, 1.0], train_accuracy=[0.25, 0.75], test_loss=[2.1, 1.1], test_accuracy=[0.2, 0.7]
        ),
        train_images=64,
        batch_size=16,
        provenance=dict(seconds=90.0, commit="a" * 40, versions={"torch": "9.9"}, hardware="A Processor"),
    )
    return Run(**{**dict(run), **changes})


def edited(run, **changes):
    """The run with its first epoch changed."""
    first = run.epochs[0].model_copy(update=changes)
    return run.model_copy(update={"epochs": (first, *run.epochs[1:])})


def test_a_record_comes_back_as_it_was(tmp_path):
    run = synthetic_run()
    path = write_run(run, tmp_path / "new" / "run.json")
    assert read_run(path) == run
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]


def test_a_diverged_run_keeps_what_was_not_finite(tmp_path):
    run = synthetic_run(status="diverged", final=None)
    nan = float("nan")
    run = edited(run, train_loss=nan, test_loss=math.inf, test_accuracy=0.1)
    run = run.model_copy(update={"epochs": run.epochs[:1]})
    path = write_run(run, tmp_path / "run.json")
    assert json.loads(path.read_text())["epochs"][0]["train_loss"] is None
    again = read_run(path)
    assert math.isnan(again.column("train_loss")[0])
    assert again.column("test_accuracy") == [0.1]


def test_a_record_is_never_overwritten(tmp_path):
    path = write_run(synthetic_run(), tmp_path / "run.json")
    before = path.read_bytes()
    with pytest.raises(RecordError, match="a record is there already"):
        write_run(synthetic_run(), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (edited(synthetic_run(), last_lr=0.06), "last_lr of epoch 0 is 0.06, and the schedule says 0.0625"),
        (edited(synthetic_run(), last_lr=0.0625 * (1 + 1e-6)), "and the schedule says 0.0625"),
        (edited(synthetic_run(), updates=5), "epoch 0 has 5 updates, not 4"),
        (edited(synthetic_run(), test_accuracy=1.2), "test_accuracy of epoch 0 is 1.2"),
        (edited(synthetic_run(), epoch=1), "not numbered"),
        (synthetic_run(epochs=synthetic_run().epochs[:1]), "it says finished, with 1 of 2 epochs"),
        (synthetic_run(final=None), "it says finished"),
        (edited(synthetic_run(), train_loss=math.nan), "finished, with a loss in epoch 0 that is not finite"),
        (edited(synthetic_run(), test_loss=math.nan), "finished, with a loss in epoch 0 that is not finite"),
        (synthetic_run(status="diverged"), "it says diverged, and goes on after a loss"),
        (synthetic_run(status="diverged", final=None), "it says diverged, and goes on after a loss"),
        (synthetic_run(status="diverged", final=None, epochs=()), "is not finite, or has none"),
        (
            synthetic.synthetic_run(
                columns={"train_loss": [2.0, 1.0, math.nan]}, status="diverged", epochs=2
            ),
            "it has 3 epochs, and its config 2",
        ),
        (
            synthetic_run(
                provenance=synthetic_run().provenance.model_copy(
                    update={"command": "lrlib " + HOME + "/me/x"}
                )
            ),
            "looks like a path",
        ),
        (
            synthetic_run(
                provenance=synthetic_run().provenance.model_copy(update={"command": "lrlib pr\udcfc"})
            ),
            "what is no Unicode text",
        ),
        (
            synthetic_run(
                provenance=synthetic_run().provenance.after(
                    synthetic_run().provenance.model_copy(update={"command": "lrlib " + HOME + "/me/x"})
                )
            ),
            "looks like a path",
        ),
    ],
)
def test_a_record_that_disagrees_with_itself_is_not_written(run, words, tmp_path):
    with pytest.raises(RecordError, match="not written") as caught:
        write_run(run, tmp_path / "run.json")
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_momentum_that_is_not_the_recipes_is_found(tmp_path):
    with pytest.raises(RecordError, match=r"first_momentum of epoch 0 is 0\.9, and the recipe says None"):
        write_run(edited(synthetic_run(), first_momentum=0.9), tmp_path / "run.json")
    config = synthetic_run().config.changed(recipe="1cycle")
    rate, momentum = config.schedule(), config.momentum_schedule()
    places = [(4 * epoch, 4 * epoch + 3) for epoch in (0, 1)]
    epochs = [
        epoch.model_copy(
            update={
                "first_lr": config.peak_lr * rate(a),
                "last_lr": config.peak_lr * rate(b),
                "first_momentum": momentum(a),
                "last_momentum": momentum(b),
            }
        )
        for epoch, (a, b) in zip(synthetic_run().epochs, places, strict=True)
    ]
    run = synthetic_run(config=config, epochs=tuple(epochs))
    assert read_run(write_run(run, tmp_path / "good.json")) == run
    for wrong in (0.9, None):
        with pytest.raises(
            RecordError, match=f"last_momentum of epoch 0 is {wrong}, and the recipe says 0.8"
        ):
            write_run(edited(run, last_momentum=wrong), tmp_path / "bad.json")


def test_records_of_before_are_written_as_they_were():
    """The momentum came later: a record without it keeps its keys, and with them its digest."""
    path = next(path for path in sorted((RECORDED / "survey-digits").glob("*.json")))
    data = json.loads(path.read_text())
    again = json.loads(read_run(path).model_dump_json())
    assert again["epochs"][0].keys() == data["epochs"][0].keys()


def resigned(data):
    return json.dumps({**data, "digest": digest(data)})


def tampered(text, change):
    data = json.loads(text)
    change(data)
    return resigned(data)


DAMAGE = [
    (lambda text: text[: len(text) // 2], "not whole JSON"),
    (lambda text: "", "not whole JSON"),
    (lambda text: "<html>404</html>", "not whole JSON"),
    (lambda text: "[1, 2]", "not a record of lrlib"),
    (lambda text: '{"a": 1}', "has no schema_version"),
    (lambda text: text.replace('"train_loss": 2.0', '"train_loss": 1.0'), "digest does not fit"),
    (lambda text: text.replace('"seed": 0', '"seed": 1'), "digest does not fit"),
    (lambda text: tampered(text, lambda d: d.update(schema_version=2)), "upgrade lrlib"),
    (lambda text: tampered(text, lambda d: d.update(surprise=1)), "surprise: extra inputs"),
    (lambda text: tampered(text, lambda d: d["config"].update(epochs="2")), "epochs: a number is needed"),
    (lambda text: tampered(text, lambda d: d["config"].update(peak_lr=0.2)), "and the schedule says 0.2"),
    (lambda text: tampered(text, lambda d: d["epochs"].pop()), "it says finished, with 1 of 2"),
    (
        lambda text: tampered(text, lambda d: d["epochs"][1].pop("updates")),
        "epochs.1.updates: field required",
    ),
    (lambda text: tampered(text, lambda d: d["epochs"].reverse()), "not numbered"),
    (lambda text: tampered(text, lambda d: d["provenance"].update(precision="fp4")), "provenance.precision"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGE, ids=[words for _, words in DAMAGE])
def test_a_damaged_record_is_one_sentence_that_names_the_file(damage, words, tmp_path):
    path = write_run(synthetic_run(), tmp_path / "run.json")
    path.write_text(damage(path.read_text()))
    with pytest.raises(RecordError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    # JSON and pydantic name a place in the file; they do it on the same line.
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (DAMAGE[0][0], "unreadable"),
        (lambda text: "[" * 100_000, "unreadable"),
        (DAMAGE[3][0], "foreign"),
        (lambda text: '{"schema_version": 1}', "foreign"),
        (DAMAGE[5][0], "edited"),
        (lambda text: text.replace('"train_loss": 2.0', '"train_loss": NaN'), "edited"),
        (DAMAGE[7][0], "schema"),
        (DAMAGE[8][0], "wrong"),
        (DAMAGE[11][0], "wrong"),
    ],
)
def test_an_error_says_of_which_kind_it_is(damage, kind, tmp_path):
    path = write_run(synthetic_run(), tmp_path / "run.json")
    path.write_text(damage(path.read_text()))
    with pytest.raises(RecordError) as caught:
        read_run(path)
    assert caught.value.kind == kind


def test_an_editors_mark_in_front_is_no_damage(tmp_path):
    path = write_run(synthetic_run(), tmp_path / "run.json")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_run(path) == synthetic_run()


def test_a_flipped_bit_is_noticed_wherever_it_is(tmp_path):
    path = write_run(synthetic_run(), tmp_path / "run.json")
    whole = path.read_bytes()
    digits = [i for i, byte in enumerate(whole) if chr(byte).isalnum()]
    for place in digits[:: max(1, len(digits) // 60)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(RecordError):
            read_run(path)


def test_a_file_larger_than_any_record_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_BYTES", 1000)
    path = write_run(synthetic_run(), tmp_path / "run.json")
    with pytest.raises(RecordError, match=r"run\.json: has more than 0 MB, which no record has"):
        read_run(path)


def test_not_text_and_not_there(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecordError, match="is not in UTF-8"):
        read_run(tmp_path / "bytes.json")
    with pytest.raises(RecordError, match="there is no such file"):
        read_run(tmp_path / "none.json")
    with pytest.raises(RecordError, match="cannot be read"):
        read_run(tmp_path)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_run(synthetic_run(), tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []


def test_columns_and_provenance_line():
    run = synthetic_run()
    assert run.column("train_loss") == [2.0, 1.0]
    with pytest.raises(ValueError, match="did you mean 'test_loss'"):
        run.column("tst_loss")
    line = run.provenance_line()
    for part in (
        "2 January 2026",
        "A Processor",
        "1 thread",
        "fp32",
        "torch 9.9",
        "in 90 seconds",
        "aaaaaaaaaa",
        "resnet8 on digits, linear, seed 0",
    ):
        assert part in line
    odd = synthetic_run(config=run.config.changed(task="parity"))
    assert "resnet8 on digits (even or odd), linear, seed 0" in odd.provenance_line()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(119.0, "in 119 seconds;"), (120.0, "in 2 minutes;"), (5400.0, "in 90 minutes;")],
)
def test_a_run_of_two_minutes_and_more_is_timed_in_minutes(seconds, words):
    provenance = synthetic_run().provenance.model_copy(update={"seconds": seconds})
    assert words in synthetic_run(provenance=provenance).provenance_line()


def test_shipped_records_are_whole_clean_and_named_by_their_config():
    assert "pilot-laptop" in studies()
    for study in studies():
        for path, run in zip(sorted((RECORDED / study).glob("*.json")), load_runs(study), strict=True):
            assert run.provenance.commit is not None
            assert not run.provenance.commit.endswith("+changes"), path
            assert "unknown" not in run.provenance.versions.values()
            if study in PLANS:
                assert PLANS[study][path.stem] == run.config
            else:
                assert path.stem.endswith(f"{run.label}-seed{run.config.seed}")
                assert run.config.train_images is run.config.test_images is None


def test_runs_of_one_seed_share_start_and_batches():
    """The promise that makes differences between schedules paired, kept in every shipped study."""
    for study in studies():
        by_seed = {}
        for run in load_runs(study):
            seen = (run.start, tuple(run.column("batches")))
            # Another network or task starts elsewhere, and fewer pictures make other batches.
            config = run.config
            group = (config.seed, config.network, config.task, config.train_images)
            first = by_seed.setdefault(group, seen)
            assert seen[0] == first[0]
            assert all(a == b for a, b in zip(seen[1], first[1], strict=False))


def test_start_and_batches_follow_from_the_config_alone():
    """On whatever a run was recorded, generators on the CPU keyed by its seed made both: here, again."""
    starts = {}
    for study in studies():
        for run in load_runs(study):
            config = run.config
            digits = config.dataset == "digits"
            key = (config.network, 1 if digits else 3, 2 if config.task == "parity" else 10, config.seed)
            if key not in starts:
                net = networks.build(key[0], in_channels=key[1], classes=key[2], seed=key[3])
                starts[key] = fingerprint(net.state_dict().values())
            assert run.start == starts[key], (study, run.label)
            for epoch in {0, len(run.epochs) - 1}:
                drawn = dict(seed=config.seed, epoch=epoch)
                order = permutation(config.images, **drawn)
                draws = draw_augmentation(config.augmentation, config.images, **drawn)
                assert run.epochs[epoch].batches == fingerprint([order, *draws]), (study, run.label, epoch)


def test_older_records_had_no_company_and_no_promise_to_repeat():
    run = load_runs("pilot-laptop")[0]
    assert (run.provenance.together, run.provenance.deterministic) == (1, False)
    assert '"together"' not in (RECORDED / "pilot-laptop" / "laptop-linear-seed0.json").read_text()


@pytest.mark.parametrize(
    ("together", "words"),
    [(1, "in 90 seconds;"), (2, "in 90 seconds beside 1 other;"), (8, "in 90 seconds beside 7 others;")],
)
def test_seconds_in_company_are_told_apart(together, words):
    how = dict(together=together, device="cuda", path="graph", hardware="A GPU", precision="bf16")
    line = synthetic_run(provenance=synthetic_run().provenance.model_copy(update=how)).provenance_line()
    assert words in line
    assert "on A GPU (path graph, bf16)" in line


def test_a_study_on_a_gpu_is_recorded_on_one_device_by_one_path():
    for study in studies():
        ways = {(run.provenance.device, run.provenance.path) for run in load_runs(study)}
        if "cuda" in {device for device, _ in ways}:
            assert len(ways) == 1, (study, ways)


def test_an_unknown_study_is_suggested():
    with pytest.raises(RecordError, match="did you mean 'pilot-laptop'"):
        load_runs("pilot-labtop")
