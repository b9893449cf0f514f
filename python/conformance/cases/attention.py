"""Attention: heads, scores, masks, causality, dropout."""

from __future__ import annotations

from keras import layers

from conformance.case import Case, layer_cases

PLAIN = {
    "Attention": {
        "dot": lambda: _pair(layers.Attention()),
        "concat-scale": lambda: _pair(layers.Attention(use_scale=True, score_mode="concat", dropout=0.2)),
    },
    "AdditiveAttention": {
        "scale": lambda: _pair(layers.AdditiveAttention()),
        "plain": lambda: _pair(layers.AdditiveAttention(use_scale=False, dropout=0.1)),
    },
    "MultiHeadAttention": {
        "self": lambda: _self(layers.MultiHeadAttention(2, 2)),
        "dropout-value": lambda: _self(layers.MultiHeadAttention(2, 2, value_dim=3, dropout=0.2, use_bias=False)),
        "causal": lambda: lambda x: layers.MultiHeadAttention(2, 2)(x, x, use_causal_mask=True),
        "shapes": lambda: _self(layers.MultiHeadAttention(1, 3, output_shape=5, attention_axes=(1,))),
    },
    "GroupQueryAttention": {
        "groups": lambda: _self(layers.GroupQueryAttention(2, 4, 2)),
        "one-group": lambda: _self(layers.GroupQueryAttention(2, 4, 1, dropout=0.2, use_bias=False)),
    },
}
MASKED = {
    "Attention": {"masked": lambda: _pair(layers.Attention())},
    "MultiHeadAttention": {"masked": lambda: _self(layers.MultiHeadAttention(2, 2))},
    "GroupQueryAttention": {"masked": lambda: _self(layers.GroupQueryAttention(2, 2, 1))},
    "AdditiveAttention": {"masked": lambda: _pair(layers.AdditiveAttention())},
}


def _self(attention):
    return lambda x: attention(x, x)


def _pair(attention):
    return lambda x: attention([layers.Dense(4)(x), layers.Dense(4, activation="tanh")(x)])


def cases() -> list[Case]:
    return [
        *layer_cases("attention", "sequences", PLAIN),
        *layer_cases("attention", "sequences", MASKED, masked=True),
    ]
