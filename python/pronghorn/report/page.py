"""The page around the figures' data: one file, in which no text of the run's is markup."""

from __future__ import annotations

import html
import importlib.util
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def page(data: dict) -> str:
    """The whole page; its script draws `data`."""
    parts = {
        "TITLE": html.escape(f"{data['run']['name']} · Pronghorn"),
        "STYLE": _own("page.css"),
        "DATA": _json(data),
        "PLOTLY": _script(_plotly()),
        "SCRIPT": _script(_own("page.js")),
    }
    pieces = _own("page.html").split("@@")
    # Every other piece is a name; what is put in is not looked through again.
    return "".join(parts[piece] if place % 2 else piece for place, piece in enumerate(pieces))


def _own(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def _plotly() -> str:
    """Plotly's script as its Python package ships it; the package itself, which is slow to import, is not."""
    found = importlib.util.find_spec("plotly")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("the package plotly, whose script draws the report, is not installed")
    path = os.path.join(found.submodule_search_locations[0], "package_data", "plotly.min.js")
    with open(path, encoding="utf-8") as file:
        return file.read()


def _json(value) -> str:
    """JSON in which no character begins markup."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _script(text: str) -> str:
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
