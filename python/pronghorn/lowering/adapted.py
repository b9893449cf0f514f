"""Has Keras's `Normalization` read its adapted weights where it is called.

Keras computes the layer's mean and variance once, when its weights are loaded or adapted, and keeps them as constants
beside the weights. Traced so, a program would hold one model's numbers, and models of one architecture that were
adapted to different data could not share it.
"""

from __future__ import annotations


def read_adapted_weights() -> None:
    """Replaces the layer's call, for the whole process; it computes what it did before."""
    from keras.layers import Normalization

    call = Normalization.call
    if getattr(call, "reads_weights", False):
        return

    def call_reading_weights(self, inputs):
        if self.input_mean is not None or not self.built:
            return call(self, inputs)
        kept = self.mean, self.variance
        try:
            # What `finalize_state` computes while tracing depends on the trace: it must not outlive it.
            self.finalize_state()
            return call(self, inputs)
        finally:
            self.mean, self.variance = kept

    call_reading_weights.reads_weights = True
    Normalization.call = call_reading_weights
