"""Writes `docs/Conformance.md` from the findings of a sweep.

Usage: python -m conformance.report FINDINGS.json docs/Conformance.md
"""

from __future__ import annotations

import json
import re
import sys
import textwrap

ENGINES = {
    "native": "native",
    "fit/jax": "fit (JAX)",
    "fit/tensorflow": "fit (TensorFlow)",
    "impossible": "impossible in Keras itself",
    "refused": "REFUSED",
}
KINDS = ("first weights", "logs", "leaves", "outputs")


def main(findings: str, document: str) -> None:
    with open(findings) as file:
        found = json.load(file)
    with open(document, "w") as file:
        file.write(written(found))


def written(found: dict) -> str:
    """The document, as markdown."""
    cases = found["cases"]
    in_jax = [case for case in cases if case["engine"] in ("native", "fit/jax") or case.get("trains_in_jax")]
    native = [case for case in cases if case["engine"] == "native"]
    wrong = [case for case in cases if case["problems"]]
    parts = [
        HEAD.format(
            keras=found["keras"],
            jax=found["jax"],
            cases=len(cases),
            in_jax=len(in_jax),
            native=len(native),
            share=f"{len(native) / max(len(in_jax), 1):.1%}",
            wrong=_wrong_sentence(wrong),
        ),
        _families(cases),
        _not_native(cases),
        _amplified(cases),
        _all(cases),
    ]
    return "\n".join(part for part in parts if part)


HEAD = """# Conformance

What `make conformance` found with Keras {keras} and JAX {jax}: everything that `keras.layers`, `optimizers`, `losses`,
`metrics`, `initializers`, `regularizers`, `constraints` and `activations` export, and whole models, each trained in a
cohort of three (three seeds) through the plugin by Swift, and by real `Model.fit` on the JAX backend from the same
first weights and in the same order of rows: three epochs of 19 rows in batches of 8, validated on 8. The list of cases
is made from Keras's exports (`python/conformance/exports.py`): an export without a case, or a layer without two, is an
error.

**{native} of the {in_jax} cases that train in Keras's own JAX `fit` are native ({share}), of {cases} cases in all.**
{wrong}

A difference of logs is relative to the greater of the two figures; one of weights, state and predictions is relative to
the largest number of the array. The tolerance is 1e-5. A trainable weight that does not move fails its case.
"""


def _wrong_sentence(wrong: list[dict]) -> str:
    if not wrong:
        return "None is refused, and none differs by more than the tolerance but for what is listed below."
    first = "; ".join(f"`{case['case']}`: {_cell(case['problems'][0])}" for case in wrong)
    return f"{len(wrong)} have problems: {first}."


def _families(cases: list[dict]) -> str:
    lines = [
        "\n## Summary\n",
        "| family | cases | native | other | first weights | logs | weights and state | predictions |",
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for family in sorted({case["case"].partition("/")[0] for case in cases}):
        own = [case for case in cases if case["case"].startswith(family + "/")]
        native = [case for case in own if case["engine"] == "native"]
        worst = [
            _figure(max((c["worst"].get(kind, 0.0) for c in native if "worst" in c), default=0.0)) for kind in KINDS
        ]
        lines.append(f"| {family} | {len(own)} | {len(native)} | {len(own) - len(native)} | {' | '.join(worst)} |")
    return "\n".join(lines) + "\n"


def _not_native(cases: list[dict]) -> str:
    rows = [case for case in cases if case["engine"] != "native"]
    lines = ["\n## Not native\n", "| case | trained by | why |", "|---|---|---|"]
    lines += [f"| {case['case']} | {ENGINES[case['engine']]} | {_cell(case.get('reason', ''))} |" for case in rows]
    return "\n".join(lines) + "\n" if rows else ""


def _amplified(cases: list[dict]) -> str:
    lines = [
        "\n## Rounding that the model amplifies\n",
        "What differs by more than 1e-5, and no more than four times the most that Keras alone differs by, in four",
        "trainings, when its first weights are changed by one last bit of the type that the model computes in: biases",
        "before a normalization and keys' biases, whose true gradient is zero, and sums that cancel.\n",
        "| case | what | difference | Keras, one bit changed |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| {case['case']} | {where} | {_figure(ours)} | {_figure(own)} |"
        for case in cases
        for where, (ours, own) in case.get("amplified", {}).items()
    ]
    return "\n".join([*lines, *rows]) + "\n" if rows else ""


def _all(cases: list[dict]) -> str:
    lines = ["\n## Every case\n", "Those marked with a star also run in `make test`.\n"]
    lines += ["| case | trained by | first weights | logs | weights and state | predictions |"]
    lines += ["|---|---|---|---|---|---|"]
    for case in cases:
        worst = [_figure(case["worst"][kind]) if kind in case.get("worst", {}) else "" for kind in KINDS]
        star = " \\*" if case.get("third") else ""
        lines.append(f"| {case['case']}{star} | {ENGINES[case['engine']]} | {' | '.join(worst)} |")
    return "\n".join(lines) + "\n"


def _figure(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"


def _cell(text: str) -> str:
    """Text on one line, without a terminal's colours, cut where it is long."""
    plain = re.sub(r"(\x1b|\\x1b)\[[0-9;]*m", "", text).replace("\\n", " ").replace("|", "\\|")
    return textwrap.shorten(plain, 240, placeholder=" …")


if __name__ == "__main__":
    main(*sys.argv[1:])
