"""Networks: sizes worked by hand, and starts that depend on their arguments alone."""

from typing import get_args

import pytest
import torch

from lrlib.runs.config import OWN_PENALTY, TAKES, RunConfig
from lrlib.training import networks

# Channels, pixels a side.
SHAPES = {"resnet8": (1, 8), "resnet10": (3, 32), "resnet50": (3, 32), "source_resnet": (3, 32)}


def parameters(net):
    return sum(weights.numel() for weights in net.parameters())


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# A convolution i-o has 9 i o weights, its batch norm 2 o; a residual of width w has two of them w-w.
@pytest.mark.parametrize(
    ("name", "in_channels", "classes", "expected"),
    [
        # conv 1-8: 72 + 16 = 88; residual 8: 2 (576 + 16) = 1184; conv 8-16: 1152 + 32 = 1184;
        # residual 16: 2 (2304 + 32) = 4672; conv 16-32: 4608 + 64 = 4672; linear: 320 + 10 = 330.
        # 88 + 1184 + 1184 + 4672 + 4672 + 330 = 12130
        ("resnet8", 1, 10, 12_130),
        # conv 3-32: 864 + 64 = 928; residual 32: 2 (9216 + 64) = 18560; conv 32-64: 18432 + 128 = 18560;
        # residual 64: 2 (36864 + 128) = 73984; conv 64-128: 73728 + 256 = 73984;
        # residual 128: 2 (147456 + 256) = 295424; linear: 1280 + 10 = 1290.
        # 928 + 18560 + 18560 + 73984 + 73984 + 295424 + 1290 = 482730
        ("resnet10", 3, 10, 482_730),
        # One channel less: 9 x 32 = 288 weights fewer; one class less: 128 + 1 = 129 fewer.
        ("resnet10", 2, 9, 482_730 - 288 - 129),
        # torchvision's documentation: 25,557,032 with 1,000 classes; 990 classes less, 2048 + 1 each.
        ("resnet50", 3, 10, 25_557_032 - 990 * 2_049),
        # A block i-w-w-o (w = o / 4) has norms 2 i + 2 w + 2 w and kernels i w + 9 w w + w o; the first of a
        # stage has i o more. Stage 1: 9 (192 + 1024 + 2304 + 1024) + 4096 = 9 x 4544 + 4096 = 44992.
        # Stage 2: first 256 + 2048 + 9216 + 4096 + 8192 = 23808; 8 (384 + 4096 + 9216 + 4096) = 142336.
        # Stage 3: first 512 + 8192 + 36864 + 16384 + 32768 = 94720; 8 (768 + 16384 + 36864 + 16384) = 563200.
        # Around them: norm 6, stem 1728, norm 512, linear 2560 + 10 = 2570.
        # 6 + 1728 + 44992 + 23808 + 142336 + 94720 + 563200 + 512 + 2570 = 873872
        ("source_resnet", 3, 10, 873_872),
    ],
)
def test_parameters(name, in_channels, classes, expected):
    assert parameters(networks.build(name, in_channels=in_channels, classes=classes, seed=0)) == expected


@pytest.mark.parametrize("name", SHAPES)
def test_logits_for_each_picture(name):
    channels, side = SHAPES[name]
    net = networks.build(name, in_channels=channels, classes=7, seed=0).eval()
    with torch.no_grad():
        assert net(torch.rand(2, channels, side, side)).shape == (2, 7)


# In front of each residual, and of the head, at the size of the pilot net: 32 -> 16 -> 8 -> 4.
@pytest.mark.parametrize(("name", "sides"), [("resnet8", [8, 4]), ("resnet10", [16, 8, 4])])
def test_where_the_pictures_shrink(name, sides):
    channels, side = SHAPES[name]
    net, seen = networks.build(name, in_channels=channels, classes=10, seed=0), []
    for layer in net:
        if isinstance(layer, networks.Residual):
            layer.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-1]))
    net(torch.rand(2, channels, side, side))
    assert seen == sides


def test_residual_adds_what_went_in():
    block = networks.Residual(2).eval()
    torch.nn.init.zeros_(block.branch[1][0].weight)  # the branch gives relu(norm(0)) = 0
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("name", SHAPES)
def test_start_depends_on_the_arguments_alone(name):
    def build(seed):
        return networks.build(name, in_channels=SHAPES[name][0], classes=10, seed=seed)

    torch.manual_seed(1)
    first = build(3)
    torch.manual_seed(2)
    torch.rand(5)
    assert same(first, build(3))
    assert not same(first, build(4))


def test_global_random_state_is_untouched():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    networks.build("resnet8", in_channels=1, classes=10, seed=5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "resnet9"},
            "network must be one of resnet8, resnet10, resnet50, source_resnet, got 'resnet9'; "
            "did you mean 'resnet8'?",
        ),
        ({"name": None}, "network must be one of resnet8, resnet10, resnet50, source_resnet, got None"),
        ({"in_channels": 0}, "in_channels must be >= 1, got 0"),
        ({"classes": 0}, "classes must be >= 1, got 0"),
        ({"name": "resnet50"}, "in_channels must be 3 for resnet50, got 1; use resnet8 or resnet10"),
    ],
)
def test_refused(changes, message):
    arguments = {"name": "resnet8", "in_channels": 1, "classes": 10, "seed": 0} | changes
    with pytest.raises(ValueError, match="must be") as error:
        networks.build(arguments.pop("name"), **arguments)
    assert str(error.value) == message


def test_a_config_knows_the_same_networks_and_what_they_take():
    """A config is checked without torch, so it has facts of its own about the networks."""
    assert get_args(RunConfig.model_fields["network"].annotation) == tuple(networks.NETWORKS) == tuple(TAKES)
    channels = {"digits": 1, "cifar10": 3}
    for name, spec in networks.NETWORKS.items():
        takes = [dataset for dataset, n in channels.items() if spec.in_channels in (None, n)]
        assert list(TAKES[name]) == takes
        assert (spec.penalty_groups is not None) == (name in OWN_PENALTY)
