"""The conformance sweep: everything that Keras exports, trained through the plugin by Swift and by real `Model.fit`.

`python -m conformance.sweep` runs it; `docs/Conformance.md` is what it finds.
"""

import os

# The sweep agrees with Keras's JAX backend; a process of the `fit` engine has set its own before.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
