"""How many images each data set has, where a config can read it without torch."""

TRAIN_IMAGES = {"cifar10": 50_000, "digits": 1_000}
TEST_IMAGES = {"cifar10": 10_000, "digits": 797}
