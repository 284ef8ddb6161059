"""The loop: what it applies, what it records, and that it can be cut anywhere."""

import hashlib
import io
import math
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError

import pytest
import torch
import torch.nn.functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import lrlib
from lrlib import load_runs, preset, to_torch
from lrlib.runs.store import read_run, write_run
from lrlib.schedules import RECIPES
from lrlib.training import checkpoint, dataset, loop, machine, metrics, networks
from lrlib.training import run as training
from lrlib.training.checkpoint import CheckpointError
from lrlib.training.machine import Target, native_precision, provenance, resolve
from lrlib.training.metrics import Meter, fingerprint
from lrlib.training.progress import ProgressBar
from lrlib.training.randomness import permutation
from lrlib.training.run import train

HOME = "/" + "home"  # the folder of all users; no file of the project names one of a machine


def small(**changes):
    """Three epochs of four updates (96 images, batches of 26: the last has 18)."""
    fields = dict(recipe="linear", epochs=3, train_images=96, test_images=50, batch_size=26)
    return preset("digits", **{**fields, **changes})


def run(config, **options):
    return train(config, progress=False, **options)


@pytest.mark.parametrize("recipe", ["linear", "triangle", "drop"])
def test_the_rate_in_the_record_is_the_rate_that_moved_the_weights(recipe):
    config = small(recipe=recipe, momentum=0.0, weight_decay=0.0)
    inferred, before = [], {}

    def pre(optimizer, *_):
        before["w"] = torch.cat([p.detach().flatten() for p in optimizer.param_groups[0]["params"]]).double()

    def post(optimizer, *_):
        after = torch.cat([p.detach().flatten() for p in optimizer.param_groups[0]["params"]]).double()
        grad = torch.cat([p.grad.flatten() for p in optimizer.param_groups[0]["params"]]).double()
        inferred.append((-(after - before["w"]) @ grad / (grad @ grad)).item())

    hooks = [register_optimizer_step_pre_hook(pre), register_optimizer_step_post_hook(post)]
    try:
        result = run(config)
    finally:
        for hook in hooks:
            hook.remove()
    schedule = config.schedule()
    assert inferred == pytest.approx([0.1 * schedule(t) for t in range(12)], rel=1e-4, abs=1e-8)
    assert result.column("first_lr") == [0.1 * schedule(t) for t in (0, 4, 8)]
    assert result.column("last_lr") == [0.1 * schedule(t) for t in (3, 7, 11)]


@pytest.mark.parametrize(("form", "path"), [("torch", "plain"), ("torch", "fast"), ("keras", "plain")])
def test_the_momentum_of_1cycle_is_the_one_that_moved_the_weights(form, path, tmp_path):
    """From weights, gradients and buffers before and after each update, and read back from the record."""
    config = small(recipe="1cycle", momentum_form=form, weight_decay=0.0)
    inferred, before = [], {}

    def row(tensors):
        return torch.cat([tensor.detach().flatten() for tensor in tensors]).double()

    def buffers(optimizer):
        name = "momentum_buffer" if form == "torch" else "velocity"
        weights = optimizer.param_groups[0]["params"]
        # Before the first update there is no buffer, or one of zeros.
        return row([optimizer.state[w].get(name, torch.zeros_like(w)) for w in weights])

    def pre(optimizer, *_):
        before.update(buffer=buffers(optimizer), lr=optimizer.param_groups[0]["lr"])

    def post(optimizer, *_):
        grad = row([w.grad for w in optimizer.param_groups[0]["params"]])
        step = grad if form == "torch" else -before["lr"] * grad
        old = before["buffer"]
        inferred.append(((buffers(optimizer) - step) @ old / (old @ old)).item())

    hooks = [register_optimizer_step_pre_hook(pre), register_optimizer_step_post_hook(post)]
    try:
        result = run(config, path=path)
    finally:
        for hook in hooks:
            hook.remove()
    momentum = config.momentum_schedule()
    assert inferred[1:] == pytest.approx([momentum(t) for t in range(1, 12)], rel=1e-4)
    assert min(inferred[1:]) < 0.86 < 0.93 < max(inferred[1:])
    assert result.column("first_momentum") == [momentum(t) for t in (0, 4, 8)]
    assert result.column("last_momentum") == [momentum(t) for t in (3, 7, 11)]
    assert read_run(write_run(result, tmp_path / "run.json")) == result


def test_a_fold_is_trained_on_four_fifths_and_tested_on_the_rest(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(
        loop, "evaluate", lambda *args, wanted=metrics.evaluate: seen.append(len(args[1])) or wanted(*args)
    )
    result = run(small(test_images=None, fold=2, epochs=1))
    assert [epoch.updates for epoch in result.epochs] == [3]  # 77 of 96 images in batches of 26
    assert seen == [19, 77]
    assert read_run(write_run(result, tmp_path / "run.json")) == result


def test_a_record_has_a_momentum_only_where_it_moves():
    still, moved = run(small(epochs=1)), run(small(epochs=1, recipe="1cycle"))
    assert still.column("first_momentum") == still.column("last_momentum") == [None]
    new = {"first_momentum", "last_momentum"}
    assert set(moved.measured()["epochs"][0]) - set(still.measured()["epochs"][0]) == new
    assert not new & set(still.epochs[0].model_dump())


def test_the_task_decides_what_the_labels_are():
    """Even or odd, asked by the config, is training on other labels with a network of two outputs."""
    odd = run(small(task="parity"))
    other = run(small(), data=dataset.parity(dataset.load("digits")))
    assert odd.epochs[-1].train_loss < math.log(2) / 2  # it learns: guessing has log 2
    left_out = {"seconds"}
    assert [e.model_dump(exclude=left_out) for e in odd.epochs] == [
        e.model_dump(exclude=left_out) for e in other.epochs
    ]
    # The smallest network's last layer, with 32 inputs, has 8 outputs less, each with its bias.
    assert run(small(epochs=1)).parameters - odd.parameters == 8 * 33


def textbook(config):
    """The same run as a tutorial would write it: slow, plain, with torch's own LambdaLR."""
    digits = dataset.load("digits")

    def pictures(images):
        return (images.float() / 255 - torch.tensor(digits.mean).view(-1, 1, 1)) / torch.tensor(
            digits.std
        ).view(-1, 1, 1)

    x, y = pictures(digits.train_images[: config.train_images]), digits.train_labels[: config.train_images]
    test_x, test_y = (
        pictures(digits.test_images[: config.test_images]),
        digits.test_labels[: config.test_images],
    )
    net = networks.build(config.network, in_channels=1, classes=10, seed=config.seed)
    optimizer = torch.optim.SGD(
        net.parameters(), lr=config.peak_lr, momentum=config.momentum, weight_decay=config.weight_decay
    )
    scheduler = to_torch(optimizer, config.schedule())
    rows = []
    for epoch in range(config.epochs):
        net.train()
        losses = correct = penalty = squares = 0.0
        for chosen in permutation(len(y), seed=config.seed, epoch=epoch).split(config.batch_size):
            logits = net(x[chosen])
            loss = F.cross_entropy(logits, y[chosen])
            optimizer.zero_grad()
            loss.backward()
            for p in net.parameters():
                squares += (p.grad**2).sum().item()
                penalty += len(chosen) * config.weight_decay / 2 * (p**2).sum().item()
            losses += loss.item() * len(chosen)
            correct += (logits.argmax(1) == y[chosen]).sum().item()
            optimizer.step()
            scheduler.step()
        net.eval()
        with torch.no_grad():
            logits = net(test_x)
        rows.append(
            {
                "train_loss": losses / len(y),
                "train_accuracy": correct / len(y),
                "penalty": penalty / len(y),
                "grad_norm_sq": squares / math.ceil(len(y) / config.batch_size),
                "test_loss": F.cross_entropy(logits, test_y).item(),
                "test_accuracy": (logits.argmax(1) == test_y).double().mean().item(),
            }
        )
    with torch.no_grad():
        logits = net(x)
    return rows, F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).double().mean().item()


def test_the_loop_measures_what_a_textbook_loop_measures(monkeypatch):
    monkeypatch.setattr(metrics, "EVALUATED", 40)  # in parts; the textbook evaluates all at once
    config = small(recipe="cosine", weight_decay=0.01, peak_lr=0.02)
    ours = run(config)
    rows, final_loss, final_accuracy = textbook(config)
    for epoch, row in zip(ours.epochs, rows, strict=True):
        for name, expected in row.items():
            assert getattr(epoch, name) == pytest.approx(expected, rel=2e-3, abs=1e-6), (epoch.epoch, name)
    assert ours.final.train_loss == pytest.approx(final_loss, rel=2e-3)
    assert ours.final.train_accuracy == pytest.approx(final_accuracy)


def test_one_seed_means_one_start_and_the_same_batches_for_every_schedule():
    runs = [run(small(recipe=recipe, batch_size=20)) for recipe in RECIPES]
    assert len({r.start for r in runs}) == 1
    assert len({tuple(r.column("batches")) for r in runs}) == 1
    assert len({r.column("train_loss")[1] for r in runs}) > 1
    assert len(set(runs[0].column("batches"))) == 3
    other = run(small(seed=1, batch_size=20))
    assert other.start != runs[0].start
    assert other.column("batches")[0] != runs[0].column("batches")[0]


def test_augmentation_changes_what_the_updates_see_and_is_in_the_hash():
    plain, augmented = (run(small(augmentation=kind, epochs=1)) for kind in ("none", "flip_shift"))
    assert plain.start == augmented.start
    assert plain.column("batches") != augmented.column("batches")
    assert plain.column("train_loss") != augmented.column("train_loss")


def test_the_same_config_gives_the_same_run():
    assert run(small()).measured() == run(small()).measured()


class Cut(Exception):
    pass


@pytest.mark.parametrize("update", [5, 8, 11])  # the 2nd of epoch 2, the first and the last of epoch 3
def test_a_cut_run_goes_on_bit_for_bit(update, tmp_path, monkeypatch):
    config = small(augmentation="flip_shift")
    whole = run(config)
    add, count = Meter.add, iter(range(100))

    def cut(self, *args, **kwargs):
        if next(count) == update:
            raise Cut
        add(self, *args, **kwargs)

    file = tmp_path / "run.pt"
    with monkeypatch.context() as patch:
        patch.setattr(Meter, "add", cut)
        with pytest.raises(Cut):
            run(config, checkpoint=file)
    resumed = run(config, checkpoint=file, resume=True)
    assert resumed.measured() == whole.measured()
    assert resumed.provenance.parts == 2


def saved(file, config, **changes):
    """Return what a checkpoint holds, and save it again with these changes."""
    target = resolve(config)
    state = checkpoint.load_state(file, config, target)
    checkpoint.save_state(file, config, target, {**state, **changes})
    return state


def test_a_cut_run_of_1cycle_goes_on_with_its_momentum(tmp_path):
    config, file = small(recipe="1cycle"), tmp_path / "state"
    whole = run(config)
    target = resolve(config)
    first = training.training(config, target, checkpoint=file, stop=lambda: True)
    with target.own_settings():
        assert [result for _, result in training.take_turns([first])] == [None]
    assert run(config, checkpoint=file, resume=True).measured() == whole.measured()


def test_seconds_of_all_parts_count(tmp_path):
    config, file = small(), tmp_path / "run.pt"
    run(config, checkpoint=file)
    (part,) = saved(file, config)["earlier"]
    saved(file, config, earlier=[{**part, "seconds": 1000.0}])
    assert 1000 < run(config, checkpoint=file, resume=True).provenance.seconds < 1100


def test_a_record_keeps_where_each_part_of_the_run_was_computed(tmp_path, monkeypatch):
    """Begun on one machine at one commit, cut twice there, and ended on another machine at another commit."""
    config, file = small(epochs=4), tmp_path / "run.pt"
    target = resolve(config)
    monkeypatch.setattr(machine, "hardware", lambda device: "first processor")
    monkeypatch.setattr(machine, "commit", lambda: "a" * 40)
    for resume in (False, True):
        part = training.training(
            config, target, checkpoint=file, resume=resume, command=["lrlib", "x"], stop=lambda: True
        )
        with target.own_settings():
            assert [result for _, result in training.take_turns([part])] == [None]
    monkeypatch.setattr(machine, "hardware", lambda device: "second processor")
    monkeypatch.setattr(machine, "commit", lambda: "b" * 40)
    last = run(config, checkpoint=file, resume=True, command=["lrlib", "x", "--resume"])
    p = last.provenance
    assert (p.hardware, p.commit, p.command, p.parts) == ("second processor", "b" * 40, "lrlib x --resume", 3)
    (before,) = p.earlier
    assert (before.hardware, before.commit, before.command) == ("first processor", "a" * 40, "lrlib x")
    assert before.parts == 2
    assert before.seconds < p.seconds
    assert read_run(write_run(last, tmp_path / "run.json")) == last


def test_a_run_in_one_go_has_no_earlier_parts_in_its_record():
    whole = run(small(epochs=1))
    assert whole.provenance.earlier == ()
    assert "earlier" not in whole.model_dump_json()


def test_the_scaler_of_fp16_goes_on_where_it_was(tmp_path, monkeypatch):
    config, file, loaded = small(precision="fp16"), tmp_path / "run.pt", []
    run(config, checkpoint=file)
    monkeypatch.setattr(torch.amp.GradScaler, "load_state_dict", lambda self, state: loaded.append(state))
    run(config, checkpoint=file, resume=True)
    assert loaded == [saved(file, config)["scaler"]]


def test_an_evaluation_is_the_mean_over_pictures_however_they_are_cut(monkeypatch):
    whole = run(small(epochs=1)).epochs[0]
    monkeypatch.setattr(metrics, "EVALUATED", 40)  # 50 pictures: 40 and 10
    cut = run(small(epochs=1)).epochs[0]
    assert cut.test_loss == pytest.approx(whole.test_loss, rel=1e-6)
    assert cut.test_accuracy == whole.test_accuracy


def test_an_update_that_fp16_leaves_out_has_no_gradient():
    weights = torch.nn.Parameter(torch.zeros(2))
    optimizer, meter = torch.optim.SGD([weights], lr=0.1), Meter(torch.device("cpu"))
    for gradient in ([3.0, 4.0], [math.inf, 0.0]):
        weights.grad = torch.tensor(gradient)
        meter.add(optimizer, torch.zeros(1, 2), torch.tensor(1.0), torch.zeros(1, dtype=torch.int64))
    assert (meter.means()["grad_norm_sq"], meter.means()["updates"]) == (25.0, 2)  # 9 + 16, of the one usable


def test_a_test_loss_that_is_not_finite_ends_the_run_too(monkeypatch):
    monkeypatch.setattr(loop, "evaluate", lambda *_: (math.inf, 0.1))
    result = run(small())
    assert (result.status, len(result.epochs)) == ("diverged", 1)


def test_threads_and_path_are_those_asked_for():
    asked = run(small(epochs=1), threads=2, path="fast").provenance
    assert (asked.threads, asked.path) == (2, "fast")
    own = run(small(epochs=1)).provenance
    assert (own.threads, own.path) == (1, "plain")


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_goes_the_same_way(precision, tmp_path):
    config = small(precision=precision, epochs=6)
    half, whole = run(config, checkpoint=tmp_path / "half.pt"), run(small(epochs=6))
    assert half.provenance.precision == precision
    assert (half.start, half.column("batches")) == (whole.start, whole.column("batches"))
    assert half.status == "finished"
    # Rounding differs, learning does not: both leave chance (2.30 nats) far behind.
    assert half.column("train_loss") != whole.column("train_loss")
    assert max(half.column("train_loss")[-1], whole.column("train_loss")[-1]) < 1.0
    resumed = run(config, checkpoint=tmp_path / "half.pt", resume=True)  # its last epoch
    assert (resumed.epochs[:5], resumed.status) == (half.epochs[:5], "finished")
    assert resumed.column("batches") == half.column("batches")
    assert resumed.epochs[5].train_loss == pytest.approx(half.epochs[5].train_loss, rel=1e-2)


def test_a_diverged_run_is_a_result(tmp_path):
    result = run(small(peak_lr=1e6, recipe="constant", epochs=9))
    assert result.status == "diverged"
    assert result.final is None
    assert len(result.epochs) < 9
    assert not math.isfinite(result.epochs[-1].train_loss * result.epochs[-1].test_loss)
    path = write_run(result, tmp_path / "diverged.json")
    assert read_run(path).status == "diverged"


def test_digits_are_learnt():
    result = run(preset("digits", recipe="linear", epochs=3))
    assert result.epochs[-1].test_accuracy > 0.9
    assert result.final.train_loss < 0.2
    assert result.parameters == sum(
        p.numel() for p in networks.build("resnet8", in_channels=1, classes=10, seed=0).parameters()
    )


def test_global_random_state_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(small(augmentation="flip_shift", epochs=1))
    assert torch.equal(torch.rand(3), expected)


def checkpoint_of(config, path):
    run(config, checkpoint=path)
    assert path.exists()
    return path


def test_a_checkpoint_of_another_run_is_refused_by_name(tmp_path):
    path = checkpoint_of(small(), tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match=r"belongs to another run, with seed = 0 and not 1"):
        run(small(seed=1), checkpoint=path, resume=True)
    with pytest.raises(CheckpointError, match="recipe = LinearRecipe"):
        run(small(recipe="cosine"), checkpoint=path, resume=True)


def signed(content):
    """A checkpoint whose digest fits, as somebody who means harm would make it."""
    return b"lrlib checkpoint 2 " + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda b: b[: len(b) // 2], "damaged (its digest does not fit)"),
        (lambda b: b[:5000] + bytes([b[5000] ^ 1]) + b[5001:], "damaged (its digest does not fit)"),
        (lambda b: b + b"x", "damaged (its digest does not fit)"),
        (
            lambda b: b.replace(b"checkpoint 2", b"checkpoint 3", 1),
            "not a checkpoint that this lrlib can read",
        ),
        (lambda b: b"", "not a checkpoint that this lrlib can read"),
        (lambda b: b"not a checkpoint", "not a checkpoint that this lrlib can read"),
        (lambda b: signed(b"\x80\x04N."), "not a checkpoint of lrlib"),
        (lambda b: signed(b"PK\x03\x04"), "not a checkpoint of lrlib"),
    ],
    ids=["half", "a bit", "too long", "later", "empty", "text", "pickle of None", "zip"],
)
def test_a_damaged_checkpoint_is_one_sentence(damage, words, tmp_path):
    path = checkpoint_of(small(), tmp_path / "run.pt")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError) as caught:
        run(small(), checkpoint=path, resume=True)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "delete it to start again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_anywhere_in_a_checkpoint_is_refused(tmp_path):
    """In our line, in the zip's tables, in pickled text and in weights; torch.load alone finds only some."""
    path = checkpoint_of(small(), tmp_path / "run.pt")
    content, target = path.read_bytes(), resolve(small())
    places = {*range(0, 120, 7), *range(0, len(content), 997), *range(len(content) - 60, len(content), 7)}
    for place in places:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(CheckpointError, match="delete it to start again"):
            checkpoint.load_state(path, small(), target)
    for length in places:
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="delete it to start again"):
            checkpoint.load_state(path, small(), target)
    path.write_bytes(content)
    assert len(checkpoint.load_state(path, small(), target)["epochs"]) == 2


def test_a_malicious_checkpoint_is_not_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    content = io.BytesIO()
    torch.save({"config": Bomb()}, content)
    (tmp_path / "run.pt").write_bytes(signed(content.getvalue()))
    with pytest.raises(CheckpointError, match="not a checkpoint of lrlib"):
        run(small(), checkpoint=tmp_path / "run.pt", resume=True)
    assert not (tmp_path / "owned").exists()


def test_resume_without_a_file():
    with pytest.raises(ValueError, match="resume needs the file of a checkpoint"):
        run(small(), resume=True)
    with pytest.raises(CheckpointError, match="there is no checkpoint to resume from"):
        run(small(), checkpoint="nowhere.pt", resume=True)


def test_data_of_another_set_are_refused():
    config = preset("laptop", recipe="linear", epochs=1, train_images=64)
    with pytest.raises(ValueError, match="data must be 64 images of cifar10, got"):
        run(config, data=dataset.load("digits"))


def test_a_device_that_is_not_there():
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(ValueError, match=f"device: '{missing}' is not on this machine"):
        run(small(device=missing))


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "fp16"), ((8, 0), "bf16"), ((9, 0), "bf16")], ids=str
)
def test_auto_precision_on_a_gpu_follows_its_compute_capability(capability, expected, monkeypatch):
    # A T4 (7.5) claims bf16 support and emulates it.
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
    assert native_precision("cuda") == expected


def test_auto_precision_on_a_cpu_follows_its_flags(monkeypatch):
    auto = small(precision="auto")
    monkeypatch.setattr("lrlib.training.machine.cpu_flags", lambda: {"avx2", "avx512f"})
    assert resolve(auto).precision == "fp32"
    monkeypatch.setattr("lrlib.training.machine.cpu_flags", lambda: {"avx512_bf16"})
    assert resolve(auto).precision == "bf16"
    assert resolve(small(precision="fp32")).precision == "fp32"


def test_the_smallest_network_takes_one_thread_and_gives_the_others_back():
    before, seen = torch.get_num_threads(), set()
    torch.set_num_threads(2)
    hook = register_optimizer_step_pre_hook(lambda *_: seen.add(torch.get_num_threads()))
    try:
        result = run(small(epochs=1))
        assert seen == {1} == {result.provenance.threads}
        assert torch.get_num_threads() == 2
        laptop = preset("laptop", recipe="linear")
        assert resolve(laptop).threads == 2
    finally:
        hook.remove()
        torch.set_num_threads(before)


def test_the_bar_says_epoch_rate_loss_accuracy_and_time_left(capfd, monkeypatch):
    monkeypatch.delenv("LRLIB_PROGRESS", raising=False)
    train(small())
    shown = capfd.readouterr().err
    for words in ("linear epoch 3/3", "100%", "left", "rate 0.0", "loss ", "test accuracy "):
        assert words in shown


@pytest.mark.parametrize("off", ["off", "OFF", "0", "no", " False"])
def test_the_bar_is_silent_where_the_environment_says_so(off, capfd, monkeypatch):
    monkeypatch.setenv("LRLIB_PROGRESS", off)
    with ProgressBar(small(), shown=None, step=0) as bar:
        bar.update(0.1)
    out, err = capfd.readouterr()
    assert out == err == ""


def test_the_bar_is_left_out_where_there_is_no_stderr(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with ProgressBar(small(), shown=True, step=0) as bar:
        bar.update(0.1)
    assert not bar.shown


def test_provenance_says_where_and_how_without_names_or_paths(tmp_path):
    result = run(small(), command=["lrlib", "train", "--out", f"{tmp_path}/here"])
    p = result.provenance
    assert p.command == "lrlib train --out here"
    assert (p.device, p.precision, p.threads) == ("cpu", "fp32", 1)
    assert p.versions["torch"] == torch.__version__
    text = p.model_dump_json()
    assert str(tmp_path) not in text
    import getpass
    import socket

    assert socket.gethostname() not in text
    assert getpass.getuser() not in text.split()


@pytest.mark.parametrize(("there", "name"), [(True, "laptop"), (False, "digits")])
def test_a_live_cell_trains_on_all_of_cifar10_where_there_is_a_gpu(there, name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert training.live_preset() == name


@pytest.mark.cifar10
def test_two_updates_on_the_real_cifar10(cifar10_root):
    config = preset("laptop", recipe="linear", epochs=2, train_images=256, test_images=200)
    result = run(config, data=dataset.load("cifar10", root=cifar10_root))
    assert [epoch.updates for epoch in result.epochs] == [2, 2]
    assert result.parameters == 482_730
    assert all(math.isfinite(loss) for loss in result.column("test_loss"))


@pytest.mark.cifar10
def test_the_shipped_pilot_starts_as_it_says(cifar10_root):
    """Start and batches follow from the seed: here and now they are those of the recorded run."""
    recorded = load_runs("pilot-laptop")[0]
    seed = recorded.config.seed
    start = networks.build("resnet10", in_channels=3, classes=10, seed=seed)
    assert fingerprint(start.state_dict().values()) == recorded.start
    for epoch in (0, 29):
        assert fingerprint([permutation(50_000, seed=seed, epoch=epoch)]) == recorded.epochs[epoch].batches
    # One image in the place that its digest gives it: batches are the same whatever file they came from.
    first = dataset.load("cifar10", root=cifar10_root)
    pixels = first.train_images[:2].permute(0, 2, 3, 1).contiguous().numpy()
    digests = [
        hashlib.sha256(bytes([int(label)]) + image.tobytes()).digest()
        for label, image in zip(first.train_labels[:2], pixels, strict=True)
    ]
    assert digests == sorted(digests)


def test_a_checkpoint_goes_on_in_its_own_precision(tmp_path, monkeypatch):
    """With "auto", another machine would go on in another precision, and the record would name that alone."""
    config, file = small(precision="auto"), tmp_path / "run.pt"
    monkeypatch.setattr("lrlib.training.machine.native_precision", lambda device: "fp32")
    run(config, checkpoint=file)
    for other in ("bf16", "fp16"):
        monkeypatch.setattr("lrlib.training.machine.native_precision", lambda device, other=other: other)
        sentence = f"begun on cpu in fp32, and would go on on cpu in {other}; go on as it began, or delete it"
        with pytest.raises(CheckpointError, match=sentence):
            run(config, checkpoint=file, resume=True)
    monkeypatch.setattr("lrlib.training.machine.native_precision", lambda device: "fp32")
    assert run(config, checkpoint=file, resume=True).provenance.parts == 2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (["--out=" + HOME + "/me/runs"], "--out=runs"),
        (["--out", "a\\b"], "--out b"),
        (["C:\\Users\\me\\lrlib.exe", "show", "x/y.json"], "lrlib.exe show y.json"),
        (["--out", "/"], "--out ."),
        (["--seed", "3"], "--seed 3"),
        # One argument is one word, whatever it is called: no name of a person or an institution is left over.
        (["--out", HOME + "/Jane Doe/runs"], "--out runs"),
        (["--out", "/x/OneDrive - Example University/runs"], "--out runs"),
        (["--out=C:\\Users\\Jane Doe\\my runs"], "'--out=my runs'"),
        (["--out", HOME + "/jane"], "--out '~'"),
        (["--out", "C:\\Users\\Jane Doe\\"], "--out '~'"),
        (["--out", "~jane"], "--out '~'"),
        (["--beside", HOME + "/Jane Doe/laptop.toml:16"], "--beside laptop.toml:16"),
        (["-/x/Jane Doe/r"], "r"),
        (["study", "it's"], """study 'it'"'"'s'"""),
        # A folder named in Latin-1 comes as surrogates where the terminal has UTF-8.
        (["--out", "/x/pr\udcfcfung"], "--out 'pr?fung'"),
        ("a function's name", "a function's name"),
        ("lrlib train --out " + HOME + "/Jane Doe/runs", "runs"),
    ],
)
def test_a_command_is_kept_as_arguments_without_the_folders_in_them(typed, kept):
    target = resolve(small())
    given = provenance(target, command=typed, started=datetime.now(UTC), commit=None)
    assert given.command == kept
    assert not {"/", "\\"} & set(given.command)
    assert given.model_dump_json()


def test_what_no_record_can_hold_is_refused_before_the_first_update(monkeypatch):
    monkeypatch.setattr(machine, "command_line", lambda command: "lrlib " + HOME + "/me")
    monkeypatch.setattr(Meter, "add", None)  # an update would call it
    with pytest.raises(ValueError, match="this run could not be recorded: its provenance holds what looks"):
        run(small())


def test_a_record_of_a_gpu_names_card_driver_and_libraries(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100 80GB HBM3/PCIe")
    monkeypatch.setattr(machine, "nvidia_smi", {"driver_version": "580.159.04"}.get)
    target = Target(torch.device("cuda"), "bf16", 1, "graph", together=5, deterministic=True)
    given = provenance(target, command="lrlib x", started=datetime.now(UTC), commit="a" * 40)
    assert given.hardware == "NVIDIA H100 80GB HBM3-PCIe"  # a record refuses what looks like a path
    assert (given.device, given.path, given.together, given.deterministic) == ("cuda", "graph", 5, True)
    assert given.versions["driver"] == "580.159.04"
    assert given.versions["cuda"] == torch.version.cuda
    assert {"cudnn", "triton", "torch", "numpy", "lrlib"} <= set(given.versions)
    assert "unknown" not in given.versions.values()
    monkeypatch.setattr(machine, "nvidia_smi", lambda query: None)
    assert machine.cuda_versions()["driver"] == "unknown"


@pytest.mark.parametrize(
    ("path", "deterministic", "expected"),
    [
        ("plain", False, (False, False, False, "highest")),
        ("graph", False, (True, True, False, "high")),
        ("graph", True, (True, False, True, "high")),
        ("fast", False, (True, True, False, "high")),
    ],
)
def test_what_a_gpu_may_do_faster_and_that_all_is_as_before(path, deterministic, expected):
    """TF32 and convolutions chosen by the clock are for all paths but the plain one."""

    def switches():
        cudnn = torch.backends.cudnn
        precision = torch.get_float32_matmul_precision()
        return cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic, precision

    before, threads = switches(), torch.get_num_threads()
    with Target(torch.device("cuda"), "bf16", 1, path, deterministic=deterministic).own_settings():
        assert switches() == expected
    assert (switches(), torch.get_num_threads()) == (before, threads)
    with Target(torch.device("cpu"), "fp32", 1, path, deterministic=deterministic).own_settings():
        assert switches() == before  # on a CPU they mean nothing


def test_a_tree_that_is_not_installed_knows_its_version(monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(machine, "version", missing)
    assert machine.installed("lrlib") == lrlib.__version__
    assert machine.installed("numpy") == "unknown"


def test_turns_are_taken_in_order_and_a_slot_is_refilled_at_once():
    seen = []

    def steps(name, n):
        for _ in range(n):
            seen.append(name)
            yield
        return name.upper()

    jobs = [steps("a", 3), steps("b", 1), steps("c", 2)]
    assert list(training.take_turns(jobs, together=2)) == [(1, "B"), (0, "A"), (2, "C")]
    # Rounds: a b, a (b ends), a c, (a ends) c, (c ends).
    assert "".join(seen) == "abaacc"


def test_a_list_beside_has_slots_of_its_own():
    seen = []

    def steps(name, n):
        for _ in range(n):
            seen.append(name)
            yield
        return name

    large, small = [steps("A", 5), steps("B", 1)], [steps("c", 1), steps("d", 2), steps("e", 1)]
    assert list(training.take_turns(large, together=1, beside=[(small, 2)])) == [
        (0, "c"),  # of the second list, as the numbers that follow
        (1, "d"),
        (2, "e"),
        (0, "A"),
        (1, "B"),
    ]
    # Rounds: A c d, A (c ends) d, A e (d ends), A (e ends), A, (A ends) B, (B ends); never B beside A.
    assert "".join(seen) == "AcdAdAeAAB"
