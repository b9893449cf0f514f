"""Model files from elsewhere: what is not a whole and harmless model is refused, with a line that says why."""

import io
import os
import re
import stat
import struct
import zipfile

import h5py
import keras
import numpy as np
import pytest
from bare import Program, request
from keras import layers

from pronghorn.lowering import archives
from pronghorn.lowering.failures import LoweringFailure


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(2), layers.Dense(1)])
    model.compile("adam", "mse")
    path = tmp_path_factory.mktemp("good") / "good.keras"
    model.save(path)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def archive(path, contents, *more):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in contents.items():
            file.writestr(name, data)
        for info, data in more:
            file.writestr(info, data)
    return path


def link(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def refusal(path) -> LoweringFailure:
    """Why the lowering process refuses to describe a `.keras` file."""
    asked = {**request("build"), "model": {"kind": "keras", "file": str(path)}}
    with pytest.raises(LoweringFailure) as caught:
        Program(path.parent / "bundle", asked)
    assert "\n" not in caught.value.message
    assert path.name in caught.value.message or path.stem in caught.value.message
    return caught.value


def everything_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"", "is empty"),
        (b"a model, honestly\n", "not a whole zip archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "whole-model HDF5 file"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, contents, words):
    path = tmp_path / "bad.keras"
    path.write_bytes(contents)
    failure = refusal(path)
    assert (failure.code, words in failure.message) == ("not_a_model", True), failure.message


def test_an_archive_that_was_cut_off_is_refused(tmp_path, good):
    path = tmp_path / "cut.keras"
    path.write_bytes(good.read_bytes()[:-200])
    assert "not a whole zip archive" in refusal(path).message


def test_an_archive_with_a_damaged_member_is_refused(tmp_path, good):
    data = bytearray(good.read_bytes())
    start = data.index(b"\x89HDF")
    data[start + 300 : start + 400] = b"\xaa" * 100
    path = tmp_path / "damaged.keras"
    path.write_bytes(data)
    assert "is damaged" in refusal(path).message


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_an_archive_without_a_part_of_a_model_is_refused(tmp_path, good, name):
    contents = members(good)
    del contents[name]
    failure = refusal(archive(tmp_path / "part.keras", contents))
    assert (failure.code, f"has no {name}" in failure.message) == ("not_a_model", True)


NAMES = ["../outside", "assets/../../outside", "/outside", "..\\outside", "C:outside", "assets/a\x01b"]


@pytest.mark.parametrize("name", NAMES)
def test_no_path_in_an_archive_can_write_outside_its_folder(tmp_path, good, name, monkeypatch):
    """Keras unpacks an archive of more than three members into a temporary folder: this one is never unpacked."""
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(inside))
    monkeypatch.setattr("tempfile.tempdir", None)
    name = name.replace("/outside", f"{tmp_path}/outside") if name == "/outside" else name
    path = archive(inside / "bad.keras", members(good), (zipfile.ZipInfo(name), b"written"))
    before = everything_under(tmp_path)
    failure = refusal(path)
    assert (failure.code, "lead out of its folder" in failure.message) == ("unsafe_model", True), failure.message
    assert everything_under(tmp_path) == before


def test_a_link_in_an_archive_is_refused(tmp_path, good):
    path = archive(tmp_path / "bad.keras", members(good), link("assets", "/etc"), ("assets/x", b"written"))
    failure = refusal(path)
    assert (failure.code, "holds a link" in failure.message) == ("unsafe_model", True)


def test_a_name_that_stands_twice_is_refused(tmp_path, good):
    contents = members(good)
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "bad.keras", contents, ("config.json", contents["config.json"]))
    assert "two members of one name" in refusal(path).message


def test_a_size_that_nothing_inflates_to_is_refused_before_memory_is_taken(tmp_path, good):
    """A member that is small on disk and declares 8 GB (a decompression bomb, CWE-409)."""
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members(good).items():
            file.writestr(name, data)
        file.writestr("assets/zeros", bytes(1000))
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 0xF000_0000)
    path.write_bytes(data)
    failure = refusal(path)
    assert (failure.code, "claim to inflate to" in failure.message) == ("unsafe_model", True)


def test_code_in_a_file_is_not_run(tmp_path):
    model = keras.Sequential([keras.Input((10,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "lambda.keras")
    failure = refusal(tmp_path / "lambda.keras")
    assert (failure.code, "Lambda layer" in failure.message) == ("unsafe_model", True)


# Weights that name other files.


def linked(kind, path, secret):
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["1"] = np.zeros(2, "float32")
        if kind == "external link":
            group["0"] = h5py.ExternalLink(str(secret), "/data")
        elif kind == "soft link":
            group["0"] = h5py.SoftLink("/layers/dense/vars/1")
        elif kind == "external group":
            file["layers/dense_1"] = h5py.ExternalLink(str(secret), "/")
        elif kind == "external dataset":
            group.create_dataset("0", (10, 2), "float32", external=[(str(secret), 0, 80)])
        elif kind == "virtual dataset":
            layout = h5py.VirtualLayout((10, 2), "float32")
            layout[:] = h5py.VirtualSource(str(secret), "data", (10, 2))
            group.create_virtual_dataset("0", layout)


KINDS = ["external link", "soft link", "external group", "external dataset", "virtual dataset"]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_stand_for_another_files_bytes_are_refused(tmp_path, good, kind):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["data"] = np.ones((10, 2), "float32")
    path = tmp_path / "bad.weights.h5"
    linked(kind, path, secret)
    with pytest.raises(LoweringFailure) as caught:
        archives.open_weights(str(path))
    assert (caught.value.code, "bad.weights.h5" in caught.value.message) == ("unsafe_model", True)
    contents = {**members(good), "model.weights.h5": path.read_bytes()}
    assert refusal(archive(tmp_path / "bad.keras", contents)).code == "unsafe_model"


def test_weights_whose_groups_hold_each_other_are_walked_once(tmp_path):
    path = tmp_path / "round.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("a")["b"] = file
    assert archives.open_weights(str(path)) == path.read_bytes()


@pytest.mark.parametrize("contents", [b"text\n", b"\x89HDF\r\n\x1a\n" + os.urandom(64)])
def test_what_is_no_file_of_weights_is_refused(tmp_path, contents):
    path = tmp_path / "bad.weights.h5"
    path.write_bytes(contents)
    with pytest.raises(LoweringFailure, match=re.escape("bad.weights.h5")) as caught:
        archives.open_weights(str(path))
    assert caught.value.code == "not_a_model"


def test_what_keras_writes_is_let_through(tmp_path, good):
    assert archives.open_model(str(good)) == good.read_bytes()
    # An archive that was packed anew, compressed, is a model still.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members(good).items():
            file.writestr(name, data)
    (tmp_path / "packed.keras").write_bytes(packed.getvalue())
    asked = {**request("build"), "model": {"kind": "keras", "file": str(tmp_path / "packed.keras")}}
    assert Program(tmp_path / "bundle", asked).json["trainable_parameters"] == 25
