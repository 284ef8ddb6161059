"""The source arm against Keras: the same network, built as Keras would, and its own loss and optimizer.

Keras 3 computes on torch here, in double precision, so that rounding hides nothing: the tolerance is 1e-9.
The network is written from its description, with a name for each layer that says which of ours it stands for.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from lrlib import preset
from lrlib.training import networks
from lrlib.training.metrics import Meter
from lrlib.training.networks import source_resnet
from lrlib.training.optimizers import optimizer_for

CLOSE = dict(rtol=1e-9, atol=1e-9)
CLASSES = 10
PICTURES = 6
RATES = (0.1, 0.1, 0.025)  # the third update is the first after a drop


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """Keras on torch, in double precision, with its settings in a folder of this test alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        import keras  # no importorskip: where the extra source-check is missing, this fails
        from keras.src.backend.common import dtypes

        assert keras.backend.backend() == "torch"
        # On any backend but TensorFlow, batch norm and losses would go through 32 bits even so.
        patch.setitem(dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
        before, policy = keras.config.floatx(), keras.config.dtype_policy()
        keras.config.set_floatx("float64")
        # Layers take this policy; it follows floatx only until somebody in this process has asked for it.
        keras.config.set_dtype_policy("float64")
        yield keras
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)


def keras_network(keras, blocks):
    """The source's network with Keras's own layers, initialisers and regularisers; probabilities come out."""
    layers, l2 = keras.layers, keras.regularizers.L2

    def norm(x, name):
        return layers.BatchNormalization(epsilon=2e-5, momentum=0.9, name=name)(x)

    def active(x, name):
        return layers.ReLU()(norm(x, f"{name}-0"))

    def convolved(x, filters, size, name, stride=1, penalty=1e-4):
        options = dict(strides=stride, padding="same", use_bias=False, kernel_regularizer=l2(penalty))
        return layers.Conv2D(filters, size, name=name, **options)(x)

    pictures = keras.Input((32, 32, 3))
    x = convolved(norm(pictures, "norm"), 64, 3, "stem", penalty=5e-4)
    for number in range(3 * blocks):
        stage, place = divmod(number, blocks)
        stride = 2 if stage > 0 and place == 0 else 1
        width, name = (64, 128, 256)[stage], f"blocks-{number}"
        a = active(x, f"{name}-activate")
        y = convolved(a, width // 4, 1, f"{name}-branch-0")
        y = active(y, f"{name}-branch-1")
        # Ours has a step for the padding in front of a convolution with stride 2.
        y = convolved(y, width // 4, 3, f"{name}-branch-2" + ("-1" if stride == 2 else ""), stride=stride)
        y = convolved(active(y, f"{name}-branch-3"), width, 1, f"{name}-branch-4")
        shortcut = convolved(a, width, 1, f"{name}-projection", stride=stride) if place == 0 else x
        x = layers.add([y, shortcut])
    x = layers.Flatten()(layers.AveragePooling2D((8, 8))(active(x, "last")))
    logits = layers.Dense(CLASSES, kernel_regularizer=l2(5e-4), name="dense")(x)
    return keras.Model(pictures, [logits, layers.Softmax()(logits)])


def pairs(theirs, ours):
    """Each variable of Keras with our tensor and the order of axes that makes theirs ours."""
    tensors = {**dict(ours.named_parameters()), **dict(ours.named_buffers())}
    names = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}
    names |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for layer in theirs.layers:
        for variable in layer.weights:
            tensor = tensors.pop(f"{layer.name.replace('-', '.')}.{names[variable.name]}")
            axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[len(variable.shape)]
            yield variable, tensor, axes
    assert all(name.endswith("num_batches_tracked") for name in tensors), "ours has what Keras has not"


def twins(keras, blocks, seed):
    """The two networks with the same weights: our start, with biases and statistics that matter."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs, ours = keras_network(keras, blocks), source_resnet(3, CLASSES, blocks=blocks).double()
        with torch.no_grad():
            for variable, tensor, axes in pairs(theirs, ours):
                if tensor.ndim == 1:  # not 0 and 1, as they start, lest a swap go unseen
                    tensor += torch.rand_like(tensor) / 4
                variable.assign(tensor.permute(torch.tensor(axes).argsort().tolist()))
    return theirs, ours


def batch(seed):
    """Pictures as the arm sees them (pixel / 255), and labels."""
    source = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (PICTURES, 3, 32, 32), generator=source)
    return pixels.double() / 255, torch.randint(0, CLASSES, (PICTURES,), generator=source)


def channels_last(images):
    return images.permute(0, 2, 3, 1).contiguous()


@pytest.fixture(scope="module")
def whole(keras):
    """The whole network of both, and the two sides of one step of gradient on one batch."""
    theirs, ours = twins(keras, blocks=9, seed=0)
    images, labels = batch(seed=1)
    ours.eval()
    with torch.no_grad():
        inference = ours(images), theirs(channels_last(images), training=False)[0]
    norms = [layer for layer in ours.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    # Of each running statistic: as it was, and how many values a channel has in the batch.
    before, values = {}, {}

    def note(layer, inputs):
        for statistic in (layer.running_mean, layer.running_var):
            before[statistic], values[statistic] = statistic.clone(), inputs[0][:, 0].numel()

    hooks = [layer.register_forward_pre_hook(note) for layer in norms]
    ours.train()
    logits = ours(images)
    for hook in hooks:
        hook.remove()
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    their_logits, probabilities = theirs(channels_last(images), training=True)
    their_loss = keras.losses.SparseCategoricalCrossentropy()(labels, probabilities)
    penalty = sum(theirs.losses)
    (their_loss + penalty).backward()
    return dict(
        theirs=theirs,
        ours=ours,
        inference=inference,
        training=(logits.detach(), their_logits.detach()),
        cross_entropy=(loss.detach(), their_loss.detach()),
        penalty=penalty.item(),
        optimizer=optimizer_for(preset("source", recipe="drop"), ours),
        labels=labels,
        before=before,
        values=values,
    )


def test_both_have_873_872_trainable_parameters(whole):
    assert sum(v.value.numel() for v in whole["theirs"].trainable_variables) == 873_872
    assert sum(p.numel() for p in whole["ours"].parameters()) == 873_872
    # The comparison is of the network that runs are made with, layer by layer.
    built = networks.build("source_resnet", in_channels=3, classes=CLASSES, seed=0).state_dict()
    assert {name: t.shape for name, t in built.items()} == {
        name: t.shape for name, t in whole["ours"].state_dict().items()
    }


@pytest.mark.parametrize("mode", ["inference", "training"])
def test_logits(whole, mode):
    ours, theirs = whole[mode]
    torch.testing.assert_close(ours, theirs, **CLOSE)
    assert ours.std() > 0.1  # they say something


def test_cross_entropy(whole):
    torch.testing.assert_close(*whole["cross_entropy"], **CLOSE)


def test_penalty_is_what_the_meter_records(whole):
    meter = Meter(torch.device("cpu"))
    meter.sums = {name: total.double() for name, total in meter.sums.items()}
    meter.add(whole["optimizer"], whole["training"][0], whole["cross_entropy"][0], whole["labels"])
    assert meter.means()["penalty"] == pytest.approx(whole["penalty"], rel=1e-9)
    assert meter.means()["train_loss"] == pytest.approx(whole["cross_entropy"][1].item(), rel=1e-9)


def test_all_gradients(whole):
    decay = {p: group["weight_decay"] for group in whole["optimizer"].param_groups for p in group["params"]}
    compared = 0
    for variable, tensor, axes in pairs(whole["theirs"], whole["ours"]):
        if variable.trainable:
            # Keras's gradient is that of cross-entropy and penalty; our optimizer adds the penalty's.
            ours = tensor.grad + decay[tensor] * tensor.detach()
            torch.testing.assert_close(ours, variable.value.grad.permute(axes), msg=variable.path, **CLOSE)
            compared += tensor.numel()
    assert compared == 873_872


def test_moving_statistics_after_one_batch(whole):
    """Means move as Keras's do. Of the variances, torch moves by n / (n - 1) times what Keras 3 moves by."""
    compared = 0
    for variable, tensor, _ in pairs(whole["theirs"], whole["ours"]):
        if variable.name not in ("moving_mean", "moving_variance"):
            continue
        before, n = whole["before"][tensor], whole["values"][tensor]
        factor = n / (n - 1) if variable.name == "moving_variance" else 1
        torch.testing.assert_close(
            tensor - 0.9 * before, factor * (variable.value - 0.9 * before), msg=variable.path, **CLOSE
        )
        compared += 1
    # One batch norm on the pictures, three in each of 27 blocks, one at the end; two statistics each.
    assert compared == 2 * (1 + 3 * 27 + 1)


def test_three_updates_across_a_drop_of_the_rate(keras):
    """Keras's own training step against ours; torch's form must part from them at the drop, not before."""
    theirs, ours = twins(keras, blocks=2, seed=2)
    torchs = source_resnet(3, CLASSES, blocks=2).double()
    torchs.load_state_dict(ours.state_dict())
    config = preset("source", recipe="drop")
    trained = keras.Model(theirs.inputs, theirs.outputs[1])
    trained.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    optimizer, other = (
        optimizer_for(config, ours),
        optimizer_for(config.changed(momentum_form="torch"), torchs),
    )
    for update, rate in enumerate(RATES):
        images, labels = batch(seed=10 + update)
        penalty = sum(
            group["weight_decay"] / 2 * (w.detach() ** 2).sum()
            for group in optimizer.param_groups
            for w in group["params"]
        )
        losses = [step(ours, optimizer, images, labels, rate), step(torchs, other, images, labels, rate)]
        trained.optimizer.learning_rate = rate
        reported = trained.train_on_batch(channels_last(images), labels)
        # What Keras reports as the loss of a batch is our training loss and our penalty together.
        assert losses[0] + penalty.item() == pytest.approx(float(reported), rel=1e-9)
        twin, apart = dict(torchs.named_parameters()), 0.0
        names = {p: name for name, p in ours.named_parameters()}
        for variable, tensor, axes in pairs(theirs, ours):
            if variable.trainable:
                expected = variable.value.detach().permute(axes)
                torch.testing.assert_close(tensor.detach(), expected, msg=variable.path, **CLOSE)
                apart = max(apart, (twin[names[tensor]] - expected).abs().max().item())
        assert apart > 1e-3 if update == 2 else apart < 1e-9


def step(net, optimizer, images, labels, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = F.cross_entropy(net.train()(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
