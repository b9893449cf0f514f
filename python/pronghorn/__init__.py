"""The Python side of Pronghorn: Keras describes a model here, XLA compiles it and Swift trains it."""

__version__ = "0.1.0"
