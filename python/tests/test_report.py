"""The report: what it says of a run, that no text of the run's is markup, that it loads nothing and stays small."""

import html.parser
import json

import pytest

from pronghorn.report import figures, page

pytest.importorskip("plotly")

HOSTILE = "</script><img src='http://example.org/x' onerror=alert(1)><b>&amp;"


def trial(number, learning_rate, values, *, partition=0, message=None):
    history = {"loss": values, "val_loss": [value + 0.5 for value in values]} if message is None else {}
    return {
        "trial": number,
        "name": f"{number:04d}",
        "seed": number % 3,
        "parameters": {"learning_rate": learning_rate, "kind": HOSTILE, "seed": number % 3},
        "partition": partition,
        "partition_label": f"store {partition} {HOSTILE}",
        "rows": 10,
        "validation_rows": 2,
        "status": "finished" if message is None else "failed",
        "message": message,
        "metrics": {name: series[-1] for name, series in history.items() if series},
        "epochs": len(values),
        "engine": "native",
        "model": None,
        "history": history,
        "device": "cpu:0",
        "seconds": 1.5,
    }


def job(trials, units=(), **further):
    return {
        "output": "report.html",
        "run": {
            "name": HOSTILE, "state": "finished", "tool": "1", "created": 0.0, "seconds": 9.0, "experiment": HOSTILE,
        },
        "metric": "val_loss",
        "directions": {"loss": "lower", "val_loss": "lower"},
        "devices": [{"device": "cpu:0", "busy": 8.0, "wall": 9.0}],
        "units": list(units),
        "trials": trials,
        "epochs": {},
        **further,
    }  # fmt: skip


def unit(number, device, started, ended, status="finished"):
    return {
        "unit": f"{number:04d}", "device": device, "status": status, "trials": 4, "lanes": 4, "started": started,
        "ended": ended,
    }  # fmt: skip


class Reader(html.parser.HTMLParser):
    """The tags of a page, the text of its scripts, and what a browser would load for it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.loaded, self.scripts, self.title, self._inside = [], [], [], "", None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self._inside = tag
        for name, value in attributes:
            if name in ("src", "href", "srcset", "data", "action") or (value or "").startswith("http"):
                self.loaded.append((tag, name, value))
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, text):
        if self._inside == "script":
            self.scripts[-1] += text
        elif self._inside == "title":
            self.title += text


@pytest.fixture(scope="module")
def written():
    trials = [
        trial(0, 0.1, [4.0, 2.0]),
        trial(1, 0.1, [2.0, 1.0], partition=1),
        trial(2, 0.001, [9.0, 8.0]),
        trial(3, 0.001, [], message=f"ValueError: {HOSTILE}"),
    ]
    units = [unit(0, "cpu:0", 100.0, 103.0), unit(1, "cpu:1", 101.0, 102.0, "failed"), unit(2, "cpu:1", 102.0, None)]
    text = page.page(figures.data(job(trials, units)))
    return text, Reader(text)


def test_a_page_shows_what_the_run_says(written):
    _, reader = written
    data = json.loads(reader.scripts[0])
    assert reader.title == f"{HOSTILE} · Pronghorn"
    assert data["run"]["counts"] == {"finished": 3, "failed": 1}
    curve = data["curves"][0]
    assert curve["metric"] == "val_loss"
    better, worse = curve["groups"]
    assert (better["trials"], better["epochs"]) == (2, [1, 2])
    assert (better["mean"], better["low"], better["high"]) == ([3.5, 2.0], [2.5, 1.5], [4.5, 2.5])
    assert worse["mean"] == [9.5, 8.5]
    columns = [column["name"] for column in data["table"]["columns"]]
    assert columns[:7] == ["trial", "learning_rate", "kind", "seed", "partition", "status", "val_loss"]
    rows = data["table"]["rows"]
    assert [row[6] for row in rows] == [2.5, 1.5, 8.5, None]
    assert rows[3][-1] == f"ValueError: {HOSTILE}"
    assert data["failures"]["messages"] == [
        {"status": "failed", "message": f"ValueError: {HOSTILE}", "count": 1, "trials": [3]}
    ]
    assert [(bar["device"], bar["from"], bar["to"]) for bar in data["gantt"]["bars"]] == [
        ("cpu:0", 0, 3), ("cpu:1", 1, 2), ("cpu:1", 2, 3),
    ]  # fmt: skip
    axes = {axis["name"]: axis for axis in data["parallel"]["dimensions"]}
    assert axes["learning_rate"]["log"] and axes["learning_rate"]["values"] == [-1, -1, -3]
    assert axes["val_loss"]["values"] == [1.5, 2.5, 8.5]


def test_no_text_of_the_run_is_markup_and_nothing_is_loaded(written):
    text, reader = written
    assert reader.loaded == []
    # Only the page's own tags: each of the run's texts would have brought an image.
    assert "img" not in reader.tags and "b" not in reader.tags
    assert reader.tags.count("script") == 3 and len(reader.scripts) == 3
    assert "default-src 'none'" in text
    # Plotly's script is whole: nothing in it has ended its element.
    assert "Plotly" in reader.scripts[1] and len(reader.scripts[1]) > 1_000_000


def test_a_page_of_ten_thousand_trials_is_bounded():
    trials = [trial(number, 10 ** -(1 + number % 40 / 10), [1.0 / (1 + epoch) for epoch in range(300)])
              for number in range(10_000)]  # fmt: skip
    units = [unit(number, f"cpu:{number % 4}", float(number), number + 3.9) for number in range(5_000)]
    data = figures.data(job(trials, units))
    assert len(data["curves"][0]["groups"]) == figures.CURVES and data["curves"][0]["leftOut"] == 28
    assert data["curves"][0]["all"]["trials"] == 10_000
    assert max(len(group["mean"]) for group in data["curves"][0]["groups"]) == figures.POINTS
    assert data["parallel"]["lines"] == figures.LINES and data["parallel"]["trials"] == 10_000
    assert len(data["gantt"]["bars"]) <= figures.BARS and data["gantt"]["merged"]
    assert sum(bar["units"] for bar in data["gantt"]["bars"]) == 5_000
    assert len(data["table"]["rows"]) == 10_000
    assert len(page.page(data)) < 12_000_000


def test_a_run_without_an_epoch_has_a_page():
    waiting = {**trial(0, 0.1, []), "history": {}, "metrics": {}, "status": "waiting", "seconds": None}
    empty = job([waiting])
    del empty["metric"]
    data = json.loads(Reader(page.page(figures.data(empty))).scripts[0])
    assert data["curves"] == [] and data["parallel"] is None and data["gantt"]["bars"] == []


def test_metrics_of_some_epochs_stand_at_those_epochs():
    sparse = trial(0, 0.1, [3.0, 2.0, 1.0])
    sparse["history"]["val_loss"] = [2.5, None]
    data = figures.data(job([sparse], epochs={"0": {"val_loss": [0, 2], "loss": [0, 1, 2]}}))
    curves = {curve["metric"]: curve["groups"][0] for curve in data["curves"]}
    assert curves["val_loss"]["epochs"] == [1] and curves["loss"]["epochs"] == [1, 2, 3]
