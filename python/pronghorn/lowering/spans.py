"""Paths in a model's configuration, and where in its text what stands at one is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def leaves(tree: Any, path: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """Everything in a configuration that is neither a dictionary nor a list, with its path."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from leaves(value, (*path, index))
    else:
        yield path, tree


def word(path: tuple) -> str:
    """A path as one word."""
    return "/".join(str(key) for key in path)


def of(text: str, path: tuple) -> list[int] | None:
    """Byte offset and length, in a `config.json`, of the literal at a path."""
    tree = json.loads(text)
    if json.dumps(tree) != text:
        return None
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    literal = json.dumps(holder[path[-1]])
    mark = "\x00pronghorn\x00"
    holder[path[-1]] = mark
    offset = json.dumps(tree).find(json.dumps(mark))
    return [offset, len(literal)] if text[offset : offset + len(literal)] == literal else None


def path_at(text: str, span: list[int] | None) -> tuple | None:
    """The path of the literal at a span, as `of` gives it."""
    if span is None:
        return None
    mark = "\x00pronghorn\x00"
    offset, length = span
    marked = json.loads(text[:offset] + json.dumps(mark) + text[offset + length :])
    return next(path for path, value in leaves(marked) if value == mark)


def value_at(tree, path: tuple | None):
    """What stands at a path of a configuration."""
    if path is None:
        return None
    for key in path:
        tree = tree[key]
    return tree
