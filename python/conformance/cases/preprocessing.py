"""Layers that prepare data: numbers, audio, images at random."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from conformance.case import Case, around, compiled, layer_cases

RANGE = (0, 1)
VECTORS = {
    "Normalization": {
        "given": lambda: layers.Normalization(mean=[0.1] * 6, variance=[2.0] * 6),
        "adapted": lambda: _adapted(layers.Normalization(axis=-1)),
        "inverted": lambda: layers.Normalization(mean=0.3, variance=1.5, invert=True),
    },
    "Discretization": {
        "boundaries": lambda: layers.Discretization([-0.5, 0.0, 0.5], output_mode="multi_hot"),
        "adapted": lambda: _adapted(layers.Discretization(num_bins=3, output_mode="one_hot")),
        "counts": lambda: layers.Discretization([-1.0, 1.0], output_mode="count"),
    },
}
INTEGERS = {
    "CategoryEncoding": {
        "multi-hot": lambda: layers.CategoryEncoding(12, output_mode="multi_hot"),
        "count": lambda: layers.CategoryEncoding(12, output_mode="count"),
        "one-hot": lambda: lambda x: layers.CategoryEncoding(12, output_mode="one_hot")(x[:, :1]),
    },
    "Hashing": {
        "plain": lambda: lambda x: layers.Embedding(4, 2)(layers.Hashing(4)(x)),
        "salt-multi-hot": lambda: layers.Hashing(5, output_mode="multi_hot", salt=7),
    },
    "HashedCrossing": {
        "one-hot": lambda: lambda x: layers.HashedCrossing(6, output_mode="one_hot")((x[:, 0], x[:, 1])),
        "int": lambda: lambda x: layers.Embedding(6, 2)(layers.HashedCrossing(6)((x[:, :1], x[:, 1:2]))),
    },
    "IntegerLookup": {
        "vocabulary": lambda: lambda x: layers.Embedding(8, 2)(layers.IntegerLookup(vocabulary=[1, 2, 3, 5])(x)),
        "multi-hot": lambda: layers.IntegerLookup(vocabulary=[1, 2, 3], output_mode="multi_hot", num_oov_indices=2),
    },
}
AUDIO = {
    "MelSpectrogram": {
        "short": lambda: _decibels(
            layers.MelSpectrogram(fft_length=16, sequence_stride=8, sequence_length=16, num_mel_bins=4)
        ),
        "options": lambda: _decibels(
            layers.MelSpectrogram(
                fft_length=16, sequence_stride=4, num_mel_bins=6, sampling_rate=8000, max_freq=3000, mag_exp=1.0
            )
        ),
    },
    "STFTSpectrogram": {
        "log": lambda: _wave(layers.STFTSpectrogram(frame_length=16, frame_step=8, fft_length=16), 1),
        "trainable": lambda: _wave(
            layers.STFTSpectrogram(mode="real", frame_length=8, frame_step=4, fft_length=8, trainable=True), 1
        ),
    },
}
IMAGES = {
    "AutoContrast": {
        "plain": lambda: layers.AutoContrast(value_range=RANGE),
        "bytes": lambda: _bytes(layers.AutoContrast()),
    },
    "AugMix": {
        "plain": lambda: layers.AugMix(value_range=RANGE, num_chains=1, chain_depth=1, seed=1),
        "deeper": lambda: layers.AugMix(value_range=RANGE, num_chains=2, chain_depth=2),
    },
    "ContrastLimitedAdaptiveHistogramEqualization": {
        "plain": lambda: layers.ContrastLimitedAdaptiveHistogramEqualization(value_range=RANGE, tile_grid_size=(2, 2)),
        "limit": lambda: _bytes(
            layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=2.0, tile_grid_size=(4, 2))
        ),
    },
    "Equalization": {
        "plain": lambda: layers.Equalization(value_range=RANGE),
        "bins": lambda: layers.Equalization(value_range=RANGE, bins=32),
    },
    "Pipeline": {
        "two": lambda: layers.Pipeline([layers.Rescaling(2.0), layers.RandomFlip()]),
        "three": lambda: layers.Pipeline(
            [layers.RandomBrightness(0.2, value_range=RANGE), layers.Resizing(6, 6), layers.Rescaling(0.5)]
        ),
    },
    "RandAugment": {
        "one": lambda: layers.RandAugment(value_range=RANGE, num_ops=1, factor=0.3),
        "two": lambda: layers.RandAugment(value_range=RANGE, num_ops=2, factor=0.6, seed=5),
    },
    "RandomBrightness": {
        "plain": lambda: layers.RandomBrightness(0.3, value_range=RANGE),
        "seed": lambda: layers.RandomBrightness((-0.2, 0.4), value_range=RANGE, seed=3),
    },
    "RandomColorDegeneration": {
        "plain": lambda: layers.RandomColorDegeneration(0.5, value_range=RANGE),
        "seed": lambda: layers.RandomColorDegeneration((0.2, 0.9), value_range=RANGE, seed=3),
    },
    "RandomColorJitter": {
        "all": lambda: layers.RandomColorJitter(
            value_range=RANGE,
            brightness_factor=0.2,
            contrast_factor=0.2,
            saturation_factor=(0.4, 0.6),
            hue_factor=(0.0, 0.2),
        ),
        "contrast": lambda: layers.RandomColorJitter(value_range=RANGE, contrast_factor=0.3, seed=3),
    },
    "RandomContrast": {
        "plain": lambda: layers.RandomContrast(0.3, value_range=RANGE),
        "seed": lambda: layers.RandomContrast((0.1, 0.4), value_range=RANGE, seed=3),
    },
    "RandomCrop": {
        "same": lambda: layers.RandomCrop(8, 8),
        "smaller": lambda: layers.RandomCrop(6, 5),
    },
    "RandomElasticTransform": {
        "plain": lambda: layers.RandomElasticTransform(factor=0.5, scale=1.0),
        "nearest": lambda: layers.RandomElasticTransform(factor=1.0, interpolation="nearest", seed=3),
    },
    "RandomErasing": {
        "plain": lambda: layers.RandomErasing(factor=1.0, value_range=RANGE),
        "filled": lambda: layers.RandomErasing(factor=0.8, fill_value=0.5, value_range=RANGE, seed=3),
    },
    "RandomFlip": {
        "both": lambda: layers.RandomFlip(),
        "horizontal": lambda: layers.RandomFlip("horizontal", seed=3),
    },
    "RandomGaussianBlur": {
        "plain": lambda: layers.RandomGaussianBlur(kernel_size=3, sigma=1.0, value_range=RANGE),
        "seed": lambda: layers.RandomGaussianBlur(
            factor=0.6, kernel_size=(3, 5), sigma=(0.5, 1.5), value_range=RANGE, seed=3
        ),
    },
    "RandomGrayscale": {
        "half": lambda: layers.RandomGrayscale(0.5),
        "seed": lambda: layers.RandomGrayscale(0.8, seed=3),
    },
    "RandomHue": {
        "plain": lambda: layers.RandomHue(0.3, value_range=RANGE),
        "seed": lambda: layers.RandomHue((0.1, 0.4), value_range=RANGE, seed=3),
    },
    "RandomInvert": {
        "half": lambda: layers.RandomInvert(0.5, value_range=RANGE),
        "seed": lambda: layers.RandomInvert(0.8, value_range=RANGE, seed=3),
    },
    "RandomPerspective": {
        "plain": lambda: layers.RandomPerspective(factor=1.0, scale=0.3),
        "nearest": lambda: layers.RandomPerspective(factor=0.8, scale=0.5, interpolation="nearest", seed=3),
    },
    "RandomPosterization": {
        "four": lambda: layers.RandomPosterization(4, value_range=RANGE),
        "two": lambda: layers.RandomPosterization((2, 6), value_range=RANGE, seed=3),
    },
    "RandomRotation": {
        "reflect": lambda: layers.RandomRotation(0.2),
        "constant": lambda: layers.RandomRotation((-0.1, 0.3), fill_mode="constant", interpolation="nearest", seed=3),
    },
    "RandomSaturation": {
        "plain": lambda: layers.RandomSaturation(0.4, value_range=RANGE),
        "seed": lambda: layers.RandomSaturation((0.2, 0.7), value_range=RANGE, seed=3),
    },
    "RandomSharpness": {
        "plain": lambda: layers.RandomSharpness(0.4, value_range=RANGE),
        "seed": lambda: layers.RandomSharpness((0.2, 0.7), value_range=RANGE, seed=3),
    },
    "RandomShear": {
        "plain": lambda: layers.RandomShear(x_factor=0.2, y_factor=0.3),
        "nearest": lambda: layers.RandomShear(x_factor=0.4, fill_mode="constant", interpolation="nearest", seed=3),
    },
    "RandomTranslation": {
        "reflect": lambda: layers.RandomTranslation(0.2, 0.3),
        "wrap": lambda: layers.RandomTranslation((-0.3, 0.1), 0.1, fill_mode="wrap", interpolation="nearest", seed=3),
    },
    "RandomZoom": {
        "height": lambda: layers.RandomZoom(0.3),
        "both": lambda: layers.RandomZoom((-0.2, 0.3), (-0.1, 0.2), fill_mode="nearest", seed=3),
    },
    "Solarization": {
        "plain": lambda: layers.Solarization(value_range=RANGE),
        "threshold": lambda: layers.Solarization((0.1, 0.3), (0.2, 0.6), value_range=RANGE, seed=3),
    },
}
DIFFERENTIABLE = {
    "RandomFlip": {"behind-dense": lambda: layers.RandomFlip()},
    "RandomRotation": {"behind-dense": lambda: layers.RandomRotation(0.1)},
}
LABELLED = {
    "CutMix": {"plain": lambda: layers.CutMix(), "seed": lambda: layers.CutMix(factor=(0.5, 1.0), seed=3)},
    "MixUp": {"plain": lambda: layers.MixUp(), "seed": lambda: layers.MixUp(alpha=0.5, seed=3)},
}


def _adapted(layer):
    layer.adapt(np.random.default_rng(5).standard_normal((40, 6)).astype("float32"))
    return layer


def _wave(layer, *channels):
    return lambda x: layer(layers.Reshape((64, *channels))(layers.Dense(64, activation="tanh")(x)))


def _decibels(layer):
    return lambda x: _wave(layer)(x) / 50


def _bytes(layer):
    return lambda x: layer(x * 255) / 255


@keras.saving.register_keras_serializable("conformance")
class Mixed(keras.Model):
    """Mixes images and labels within a training step, as a user of `MixUp` would."""

    def __init__(self, mix, **options):
        super().__init__(**options)
        self.mix = mix
        self.flatten, self.dense = layers.Flatten(), layers.Dense(3, activation="softmax")

    def build(self, shape):
        self.dense.build((None, 192))

    def call(self, x):
        return self.dense(self.flatten(x))

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        with keras.StatelessScope([*zip(self.non_trainable_variables, non_trainable, strict=True)]) as scope:
            mixed = self.mix({"images": data[0], "labels": data[1]}, training=True)
        non_trainable = [scope.get_current_value(v) for v in self.non_trainable_variables]
        state = (trainable, non_trainable, optimizer, metrics)
        return super().train_step(state, (mixed["images"], mixed["labels"]))

    def get_config(self):
        return {"name": self.name, "mix": keras.saving.serialize_keras_object(self.mix)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("mix")), **config)


def _labelled(mix) -> keras.Model:
    model = Mixed(mix)
    model.build((None, 8, 8, 3))
    model.compile(keras.optimizers.SGD(0.05), "categorical_crossentropy", metrics=["accuracy"])
    return model


def _boxes(**options):
    def build() -> keras.Model:
        inputs = keras.Input((8, 8, 3))
        boxes = layers.Reshape((4, 4))(layers.Dense(16)(layers.Flatten()(inputs)))
        labels = keras.ops.zeros_like(boxes[:, :, 0])
        given = {"bounding_boxes": {"boxes": boxes, "labels": labels}}
        kept = layers.MaxNumBoundingBoxes(**options)(given)["bounding_boxes"]["boxes"]
        return compiled(inputs, layers.Dense(1)(layers.Flatten()(kept)))

    return build


def _text(**options):
    """Numbers made into text within the model, and the text looked up."""

    def build() -> keras.Model:
        import tensorflow as tf

        inputs = keras.Input((5,), dtype="int32")
        words = layers.Lambda(tf.strings.as_string, dtype="string", output_shape=(5,))(inputs)
        if "vocabulary" in options:
            found = layers.StringLookup(**options)(words)
        else:
            joined = layers.Lambda(lambda w: tf.strings.reduce_join(w, -1, separator=" "), output_shape=())(words)
            layer = layers.TextVectorization(vocabulary=["1", "2", "3", "5", "8"], **options)
            found = layer(joined)
        x = layers.Flatten()(layers.Embedding(10, 2)(found))
        return compiled(inputs, layers.Dense(1)(x))

    return build


def _jax_layer(stateful: bool):
    def build() -> keras.Model:
        import jax.numpy as jnp

        if stateful:
            make = layers.JaxLayer(_scaled_stateful, _start_stateful)
        else:
            make = layers.JaxLayer(_scaled, params={"w": jnp.ones((5, 3))})
        return around(make, "vectors")

    return build


def _scaled(params, inputs):
    return inputs @ params["w"]


def _scaled_stateful(params, state, inputs, training):
    return inputs * params, state + 1


def _start_stateful(rng, inputs):
    import jax

    return jax.random.normal(rng, inputs.shape[1:]), jax.numpy.zeros(())


def _saved_model(**options):
    def build() -> keras.Model:
        import tempfile

        import tensorflow as tf

        folder = tempfile.mkdtemp()
        module = tf.Module()
        module.w = tf.Variable(tf.ones((5, 3)))
        module.call = tf.function(lambda x: x @ module.w, [tf.TensorSpec((None, 5), tf.float32)])
        tf.saved_model.save(module, folder, signatures=module.call)
        layer = layers.TFSMLayer(folder, call_endpoint="serving_default", **options)
        return around(lambda x: layer(x)["output_0"], "vectors")

    return build


def cases() -> list[Case]:
    family = "preprocessing"
    own = [
        Case(f"{family}/{layer}-{label}", "labelled_images", lambda make=make: _labelled(make()), (f"layers.{layer}",))
        for layer, entries in LABELLED.items()
        for label, make in entries.items()
    ]
    for layer, label, signature, build in (
        ("MaxNumBoundingBoxes", "fewer", "images", _boxes(max_number=2)),
        ("MaxNumBoundingBoxes", "more", "images", _boxes(max_number=6, fill_value=-2)),
        ("StringLookup", "vocabulary", "integers", _text(vocabulary=["1", "2", "3"])),
        ("StringLookup", "no-oov-mask", "integers", _text(vocabulary=["1", "2", "3"], mask_token="0")),
        ("TextVectorization", "int", "integers", _text(output_sequence_length=6)),
        ("TextVectorization", "ngrams", "integers", _text(output_sequence_length=8, ngrams=2)),
        ("JaxLayer", "stateless", "vectors", _jax_layer(False)),
        ("JaxLayer", "stateful", "vectors", _jax_layer(True)),
        ("TFSMLayer", "frozen", "vectors", _saved_model()),
        ("TFSMLayer", "trainable", "vectors", _saved_model(trainable=True)),
    ):
        own.append(Case(f"{family}/{layer}-{label}", signature, build, (f"layers.{layer}",)))
    return [
        *layer_cases(family, "vectors", VECTORS, first=True),
        *layer_cases(family, "integers", INTEGERS, first=True),
        *layer_cases(family, "vectors", AUDIO),
        *layer_cases(family, "images", IMAGES, first=True),
        *layer_cases(family, "images", DIFFERENTIABLE),
        *own,
    ]
