"""Recurrent layers: sequences, direction, masks, states, dropout, cells."""

from __future__ import annotations

import keras
from keras import layers

from conformance.case import Case, compiled, layer_cases

PLAIN = {
    "LSTM": {
        "sequences": lambda: layers.LSTM(3, return_sequences=True, go_backwards=True),
        "dropout": lambda: layers.LSTM(3, dropout=0.2, recurrent_dropout=0.3),
        "unrolled": lambda: layers.LSTM(2, unroll=True, unit_forget_bias=False, use_bias=False),
    },
    "GRU": {
        "backwards": lambda: layers.GRU(3, go_backwards=True),
        "reset-before": lambda: layers.GRU(3, reset_after=False, return_sequences=True),
        "dropout": lambda: layers.GRU(3, dropout=0.3, recurrent_dropout=0.2),
    },
    "SimpleRNN": {
        "plain": lambda: layers.SimpleRNN(3),
        "sequences": lambda: layers.SimpleRNN(3, return_sequences=True, activation="relu", dropout=0.2),
    },
    "Bidirectional": {
        "concatenated": lambda: layers.Bidirectional(layers.LSTM(2)),
        "summed": lambda: layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum"),
        "averaged-two": lambda: layers.Bidirectional(
            layers.SimpleRNN(2), backward_layer=layers.GRU(2, go_backwards=True), merge_mode="ave"
        ),
    },
    "RNN": {
        "cell": lambda: layers.RNN(layers.LSTMCell(3), return_sequences=True),
        "cells": lambda: layers.RNN([layers.GRUCell(3), layers.SimpleRNNCell(2)]),
        "own-cell": lambda: layers.RNN(Leaky(3)),
    },
    "LSTMCell": {
        "plain": lambda: layers.RNN(layers.LSTMCell(3)),
        "dropout": lambda: layers.RNN(layers.LSTMCell(2, dropout=0.2, recurrent_dropout=0.2, seed=4)),
    },
    "GRUCell": {
        "plain": lambda: layers.RNN(layers.GRUCell(3), go_backwards=True),
        "reset-before": lambda: layers.RNN(layers.GRUCell(3, reset_after=False, dropout=0.2)),
    },
    "SimpleRNNCell": {
        "plain": lambda: layers.RNN(layers.SimpleRNNCell(3)),
        "regularized": lambda: layers.RNN(layers.SimpleRNNCell(3, recurrent_regularizer="l2", use_bias=False)),
    },
    "StackedRNNCells": {
        "two": lambda: layers.RNN(layers.StackedRNNCells([layers.LSTMCell(2), layers.LSTMCell(3)])),
        "sequences": lambda: layers.RNN(
            layers.StackedRNNCells([layers.GRUCell(2), layers.SimpleRNNCell(2)]), return_sequences=True
        ),
    },
    "ConvLSTM1D": {
        "same": lambda: _over(layers.ConvLSTM1D(2, 2, padding="same"), (7, 4, 1)),
        "sequences": lambda: _over(layers.ConvLSTM1D(2, 2, strides=2, return_sequences=True), (7, 4, 1)),
    },
    "ConvLSTM2D": {
        "same": lambda: _over(layers.ConvLSTM2D(2, 2, padding="same", go_backwards=True), (3, 3, 3, 1), 27),
        "dropout": lambda: _over(layers.ConvLSTM2D(2, 2, dropout=0.2, return_sequences=True), (3, 3, 3, 1), 27),
    },
    "ConvLSTM3D": {
        "same": lambda: _over(layers.ConvLSTM3D(1, 2, padding="same"), (2, 2, 2, 2, 1), 16),
        "valid": lambda: _over(layers.ConvLSTM3D(2, 2, use_bias=False), (2, 2, 2, 2, 2), 32),
    },
}
STATEFUL = {
    "LSTM": {"stateful": lambda: layers.LSTM(3, stateful=True)},
    "GRU": {"stateful": lambda: layers.GRU(3, stateful=True, return_sequences=True)},
}
MASKED = {
    "LSTM": {"masked": lambda: layers.LSTM(3)},
    "GRU": {"masked": lambda: layers.GRU(3, return_sequences=True)},
    "SimpleRNN": {"masked-backwards": lambda: layers.SimpleRNN(3, go_backwards=True)},
    "Bidirectional": {"masked": lambda: layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="mul")},
    "RNN": {"masked-zeros": lambda: layers.RNN(layers.LSTMCell(3), return_sequences=True, zero_output_for_mask=True)},
}


@keras.saving.register_keras_serializable("conformance")
class Leaky(layers.Layer):
    """A recurrent cell of a user's."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.rate = self.add_weight(shape=(self.units,), initializer="ones", name="rate")

    def call(self, inputs, states):
        leak = keras.ops.sigmoid(self.rate)
        output = leak * states[0] + (1 - leak) * keras.ops.tanh(inputs @ self.kernel)
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def _over(layer, shape, units=None):
    def apply(x):
        if units:
            x = layers.Dense(units)(layers.Flatten()(x))
        return layer(layers.Reshape(shape)(x))

    return apply


def _states() -> keras.Model:
    """An encoder that passes its states to a decoder."""
    inputs = keras.Input((7, 4))
    encoded, *states = layers.LSTM(3, return_state=True)(layers.Dense(4)(inputs))
    decoded = layers.LSTM(3)(layers.RepeatVector(2)(encoded), initial_state=states)
    return compiled(inputs, layers.Dense(1)(decoded))


def cases() -> list[Case]:
    return [
        *layer_cases("recurrent", "sequences", PLAIN),
        *layer_cases("recurrent", "batches", STATEFUL),
        *layer_cases("recurrent", "sequences", MASKED, masked=True),
        Case("recurrent/LSTM-states", "sequences", _states, ("layers.LSTM",)),
    ]
