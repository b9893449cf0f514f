"""A run as one HTML page: ``python -m pronghorn.report``.

One JSON object comes on standard input: ``output`` (the file), ``run`` (``name``, ``state``, ``tool``, ``created``,
``seconds``, ``experiment``), ``metric`` (what trials are compared by, if there is any), ``directions`` (``lower`` or
``higher`` by metric), ``devices`` (``device``, ``busy``, ``wall``), ``units`` (``unit``, ``device``, ``status``,
``trials``, ``lanes``, ``started``, ``ended``), ``trials``, as ``pronghorn results --json`` prints them, and ``epochs``:
for trials whose metrics do not all have a value for each epoch, the epochs of each metric's values, by the trial's
number.

The page holds all that it needs, Plotly's script (from the package `plotly`) included, and loads nothing.
"""
