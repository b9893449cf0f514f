"""What the report draws, of a bounded size however many trials there are."""

from __future__ import annotations

import json
import math

# The most of each that is drawn; what is left out is said on the page.
CURVES = 12
POINTS = 200
LINES = 2000
BARS = 1500
METRICS = 12
MESSAGES = 100
MESSAGE = 600


def data(job: dict) -> dict:
    """All that the page's script is given."""
    trials = job["trials"]
    metrics = _metrics(job)
    return {
        "run": {**job["run"], "counts": _counts(trials)},
        "metric": job.get("metric"),
        "directions": job["directions"],
        "curves": [_curves(name, job) for name in metrics[:METRICS]],
        "metricsLeftOut": metrics[METRICS:],
        "table": _table(trials, metrics),
        "parallel": _parallel(job, metrics),
        "devices": job["devices"],
        "gantt": _gantt(job["units"]),
        "failures": _failures(trials),
    }


def _metrics(job: dict) -> list[str]:
    """Every metric, the one that trials are compared by first, each of validation beside its like."""
    names = {name for trial in job["trials"] for name in trial["history"]}
    compared = job.get("metric")
    main = (compared or "").removeprefix("val_")

    def rank(name: str):
        bare = name.removeprefix("val_")
        return (name != compared, bare != main, bare != "loss", bare, name != bare)

    return sorted(names, key=rank)


def _counts(trials: list[dict]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for trial in trials:
        counts[trial["status"]] = counts.get(trial["status"], 0) + 1
    return counts


def _setting(trial: dict) -> str:
    """What a trial has in common with those that differ from it in seed and partition alone."""
    chosen = {name: value for name, value in trial["parameters"].items() if name != "seed"}
    return ", ".join(f"{name} = {_text(value)}" for name, value in chosen.items())


def _curves(metric: str, job: dict) -> dict:
    """A metric over epochs: a mean and a band for each setting, and for all trials together."""
    groups: dict[str, dict[int, list[float]]] = {}
    finals: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    every: dict[int, list[float]] = {}
    for trial in job["trials"]:
        values = trial["history"].get(metric)
        if not values:
            continue
        name = _setting(trial)
        epochs = job["epochs"].get(str(trial["trial"]), {}).get(metric) or range(len(values))
        group = groups.setdefault(name, {})
        sizes[name] = sizes.get(name, 0) + 1
        numbers = [(epoch, value) for epoch, value in zip(epochs, values, strict=False) if value is not None]
        for epoch, value in numbers:
            group.setdefault(epoch, []).append(value)
            every.setdefault(epoch, []).append(value)
        if numbers:
            finals.setdefault(name, []).append(numbers[-1][1])
    sign = -1 if job["directions"].get(metric) == "higher" else 1
    best = sorted(finals, key=lambda name: sign * sum(finals[name]) / len(finals[name]))
    return {
        "metric": metric,
        "groups": [{"name": name, "trials": sizes[name], **_band(groups[name])} for name in best[:CURVES]],
        "leftOut": max(0, len(groups) - CURVES),
        "all": {"trials": sum(sizes.values()), **_band(every, 0.1)} if len(groups) > CURVES else None,
    }


def _band(values: dict[int, list[float]], cut: float = 0.0) -> dict:
    """Mean, and least and greatest (or the quantiles `cut` and 1 - `cut`) of the values of at most POINTS epochs."""
    epochs = sorted(values)
    if len(epochs) > POINTS:
        step = (len(epochs) - 1) / (POINTS - 1)
        epochs = [epochs[round(place * step)] for place in range(POINTS)]
    band: dict[str, list] = {"epochs": [epoch + 1 for epoch in epochs], "mean": [], "low": [], "high": []}
    for epoch in epochs:
        ordered = sorted(values[epoch])
        last = len(ordered) - 1
        band["mean"].append(_short(math.fsum(ordered) / len(ordered)))
        band["low"].append(_short(ordered[round(last * cut)]))
        band["high"].append(_short(ordered[round(last * (1 - cut))]))
    return band


def _table(trials: list[dict], metrics: list[str]) -> dict:
    """Every trial on one row; the script shows a page of them at a time."""
    parameters = list(dict.fromkeys(name for trial in trials for name in trial["parameters"]))
    has_partitions = any(trial["partition"] is not None for trial in trials)
    has_messages = any(trial["message"] for trial in trials)
    columns = [("trial", "number")]
    columns += [(name, "parameter") for name in parameters]
    columns += [("partition", "text")] if has_partitions else []
    columns += [("status", "text")] + [(name, "metric") for name in metrics]
    columns += [("epochs", "number"), ("engine", "text"), ("seconds", "number")]
    columns += [("message", "text")] if has_messages else []
    rows = []
    for trial in trials:
        row = [trial["trial"], *(_cell(trial["parameters"].get(name)) for name in parameters)]
        row += [trial["partition_label"]] if has_partitions else []
        row += [trial["status"], *(_short(trial["metrics"].get(name)) for name in metrics)]
        row += [trial["epochs"], trial["engine"], _short(trial["seconds"])]
        row += [_cut(trial["message"])] if has_messages else []
        rows.append(row)
    return {"columns": [{"name": name, "kind": kind} for name, kind in columns], "rows": rows}


def _parallel(job: dict, metrics: list[str]) -> dict | None:
    """Hyperparameters against what came of them: a line a trial, of at most LINES trials."""
    main = job.get("metric")
    if main is None:
        return None
    trials = [trial for trial in job["trials"] if trial["metrics"].get(main) is not None]
    sign = -1 if job["directions"].get(main) == "higher" else 1
    trials.sort(key=lambda trial: sign * trial["metrics"][main])
    found = len(trials)
    if found > LINES:
        # The best tenth of the lines as they are, the others from all the rest.
        kept = LINES // 10
        step = (found - kept) / (LINES - kept)
        trials = trials[:kept] + [trials[kept + int(place * step)] for place in range(LINES - kept)]
    names = list(dict.fromkeys(name for trial in trials for name in trial["parameters"]))
    dimensions = [_dimension(name, [trial["parameters"].get(name) for trial in trials]) for name in names]
    if any(trial["partition"] is not None for trial in trials):
        dimensions.append(_dimension("partition", [trial["partition_label"] for trial in trials]))
    others = [name for name in metrics if name != main][:3]
    dimensions += [
        _dimension(name, [trial["metrics"].get(name) for trial in trials], is_metric=True) for name in [*others, main]
    ]
    return {
        "trials": found,
        "lines": len(trials),
        "dimensions": [dimension for dimension in dimensions if dimension],
        "values": [_short(trial["metrics"][main]) for trial in trials],
    }


def _dimension(name: str, values: list, is_metric: bool = False) -> dict | None:
    """An axis: numbers as they are (logarithms where the greatest is 30 times the least), else a place a value."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(values) or (is_metric and numbers):
        if not is_metric and len(set(numbers)) < 2:
            return None
        if min(numbers) > 0 and max(numbers) > 30 * min(numbers):
            return {"name": name, "log": True, "values": [_short(v and math.log10(v)) for v in values]}
        return {"name": name, "log": False, "values": [_short(value) for value in values]}
    texts = list(dict.fromkeys(_text(value) for value in values))
    if len(texts) < 2:
        return None
    places = {text: place for place, text in enumerate(texts)}
    return {
        "name": name,
        "log": False,
        "values": [places[_text(value)] for value in values],
        "texts": texts if len(texts) <= 30 else [],
    }


def _gantt(units: list[dict]) -> dict:
    """When each device was at work: a bar a unit, or where those are too many one for several in a row."""
    units = sorted((unit for unit in units if unit["started"] is not None), key=lambda unit: unit["started"])
    if not units:
        return {"bars": [], "merged": False, "start": None}
    start = units[0]["started"]
    end = max(unit["ended"] or unit["started"] for unit in units)
    by_device: dict[str, list[dict]] = {}
    for unit in units:
        bars = by_device.setdefault(unit["device"], [])
        ended = unit["ended"] if unit["ended"] is not None else end
        bar = {
            "device": unit["device"],
            "status": unit["status"],
            "from": unit["started"] - start,
            "to": max(ended, unit["started"]) - start,
            "units": 1,
            "unit": unit["unit"],
            "trials": unit["trials"],
        }
        gap = (end - start) / (BARS / 2)
        last = bars[-1] if bars else None
        if len(units) > BARS and last and last["status"] == bar["status"] and bar["from"] - last["to"] < gap:
            last["to"] = max(last["to"], bar["to"])
            last["units"] += 1
            last["trials"] += bar["trials"]
        else:
            bars.append(bar)
    bars = [bar for device in sorted(by_device, key=_device_rank) for bar in by_device[device]]
    for bar in bars:
        bar["from"], bar["to"] = round(bar["from"], 3), round(bar["to"], 3)
    return {"bars": bars, "merged": len(units) > BARS, "start": start}


def _device_rank(name: str):
    kind, _, number = name.partition(":")
    return (kind, [int(part) if part.isdigit() else 0 for part in number.split(".")])


def _failures(trials: list[dict]) -> dict:
    """What went wrong, each message once with the trials that it is about."""
    messages: dict[tuple[str, str], list[int]] = {}
    for trial in trials:
        if trial["status"] in ("failed", "diverged"):
            key = (trial["status"], _cut(trial["message"]) or "no reason is recorded")
            messages.setdefault(key, []).append(trial["trial"])
    ordered = sorted(messages.items(), key=lambda item: -len(item[1]))
    return {
        "messages": [
            {"status": status, "message": message, "count": len(numbers), "trials": numbers[:20]}
            for (status, message), numbers in ordered[:MESSAGES]
        ],
        "leftOut": max(0, len(ordered) - MESSAGES),
    }


def _short(value):
    """A number with the digits that a drawing needs; what is no number is null."""
    if value is None or not math.isfinite(value):
        return None
    return value if isinstance(value, int) else float(f"{value:.7g}")


def _cell(value):
    return value if value is None or isinstance(value, (int, float, str)) else _text(value)


def _text(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MESSAGE else f"{text[:MESSAGE]}…"
