"""The `fit` engine: real `Model.fit` under any of Keras's backends, for what cannot be lowered.

`python -m pronghorn.fit_runner` is its process; it speaks the runner's protocol (docs/Contracts.md, section 3). Nothing
here imports Keras before the process has been pinned to its cores and its device.
"""
