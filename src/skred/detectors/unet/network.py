"""The U-Net (Ronneberger, Fischer & Brox 2015) in pure Keras 3, and its losses.

Every layer has a name of its own, so that saved weights have the same bytes each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

PRIOR = 0.01  # probability that an untrained network gives: landslides are rare, so training starts near the truth


def build(channels: int, *, depth: int, base_filters: int, dropout: float, precision: str) -> keras.Model:
    """A U-Net for inputs (N, H, W, `channels`), H and W multiples of 2**depth, giving (N, H, W, 1) in 0..1.

    `depth` is the number of halvings; the first level has `base_filters` filters, each next one twice as many.
    """

    def convolve(x: Any, filters: int, name: str) -> Any:
        for i in (1, 2):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                dtype=precision,
                name=f"{name}_conv{i}",
            )(x)
            x = layers.BatchNormalization(momentum=0.9, dtype=precision, name=f"{name}_norm{i}")(x)
            x = layers.Activation("relu", dtype=precision, name=f"{name}_relu{i}")(x)
        return x

    inputs = keras.Input((None, None, channels), name="channels")
    x, skips = inputs, []
    for level in range(depth):
        x = convolve(x, base_filters * 2**level, f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(2, dtype=precision, name=f"pool{level}")(x)
    x = convolve(x, base_filters * 2**depth, "bottom")
    if dropout:
        x = layers.SpatialDropout2D(dropout, dtype=precision, name="dropout")(x)
    for level in reversed(range(depth)):
        filters = base_filters * 2**level
        # Conv2DTranspose, because the gradient of UpSampling2D has been nondeterministic on GPUs
        x = layers.Conv2DTranspose(filters, 2, strides=2, dtype=precision, name=f"grow{level}")(x)
        x = layers.Concatenate(dtype=precision, name=f"join{level}")([skips[level], x])
        x = convolve(x, filters, f"up{level}")
    bias = keras.initializers.Constant(math.log(PRIOR / (1 - PRIOR)))
    outputs = layers.Conv2D(1, 1, activation="sigmoid", bias_initializer=bias, dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="unet")


def masked_loss(kind: str) -> Callable[[Any, Any], Any]:
    """A loss of (target, probability): target (N, H, W, 2) holds the label and whether it is known.

    ``bce``: binary cross-entropy. ``bce_dice``: plus 1 - soft Dice of the batch (Milletari et al. 2016).
    ``focal``: Lin et al. 2017 with gamma 2, without alpha. Unknown pixels count nowhere.
    """

    def loss(target: Any, probability: Any) -> Any:
        label, known = target[..., 0], target[..., 1]
        p = ops.clip(probability[..., 0], 1e-6, 1 - 1e-6)
        number = ops.maximum(ops.sum(known), 1.0)
        entropy = -(label * ops.log(p) + (1 - label) * ops.log(1 - p))
        if kind == "focal":
            miss = ops.abs(label - p)
            return ops.sum(entropy * ops.square(miss) * known) / number
        mean = ops.sum(entropy * known) / number
        if kind == "bce":
            return mean
        overlap = ops.sum(label * p * known)
        total = ops.sum(label * known) + ops.sum(p * known)
        return mean + 1 - (2 * overlap + 1) / (total + 1)

    return loss
