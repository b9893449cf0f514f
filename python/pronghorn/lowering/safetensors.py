"""Safetensors files, as the Swift side maps them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os

import numpy as np

TYPES = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}


def write(path: str, tensors: dict[str, np.ndarray], notes: dict[str, str]) -> None:
    """Writes tensors under another name and renames the file; the notes gain the digest of the data, `sha256`."""
    # By falling size of element, so that every tensor is aligned to its elements.
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header, data, end = {}, [], 0
    for name in order:
        value = np.ascontiguousarray(tensors[name])
        header[name] = {
            "dtype": TYPES[value.dtype.name],
            "shape": list(tensors[name].shape),
            "data_offsets": [end, end + value.nbytes],
        }
        data.append(value.tobytes())
        end += value.nbytes
    body = b"".join(data)
    header["__metadata__"] = {**notes, "sha256": hashlib.sha256(body).hexdigest()}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{path}.{os.getpid()}.temporary"
    try:
        with open(temporary, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + body)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
