"""Folders of images: classes by subfolder, brought to one size, and named where they cannot be read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
PYTHON = os.environ.get("PRONGHORN_TEST_DATA_PYTHON", sys.executable)

PICTURES = """
import sys
from pathlib import Path
from PIL import Image
root = Path(sys.argv[1])
for name, color, size in [
    ("b/2.png", (0, 0, 255), (8, 4)), ("b/more/1.png", (0, 255, 0), (4, 4)), ("a/x.JPG", (255, 0, 0), (4, 8)),
]:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(root / name)
turned = Image.new("RGB", (2, 4), (9, 9, 9))
exif = turned.getexif()
exif[0x0112] = 6
turned.save(root / "a" / "turned.png", exif=exif)
(root / "a" / "notes.txt").write_text("no image")
"""


def prepare(tmp_path, **settings):
    out = tmp_path / "out"
    asked = {"folder": str(tmp_path / "pictures"), "shown": "pictures/", "size": [4, 4], "color": "rgb"}
    (tmp_path / "request.json").write_text(json.dumps({**asked, "resize": "stretch", **settings}))
    done = subprocess.run(
        [PYTHON, "-m", "pronghorn.prepare_images", str(tmp_path / "request.json"), str(out)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["event"] != "done":
        return answer, None, None, None
    return answer, np.load(out / "x.npy"), np.load(out / "y.npy"), json.loads((out / "data.json").read_text())


def test_classes_are_folders_and_images_of_one_size(tmp_path):
    subprocess.run([PYTHON, "-c", PICTURES, str(tmp_path / "pictures")], check=True)
    _, x, y, listed = prepare(tmp_path)
    assert (x.shape, x.dtype) == ((4, 4, 4, 3), np.uint8)
    assert listed["classes"] == ["a", "b"]
    assert y.tolist() == [0, 0, 1, 1]
    assert x[2, 0, 0].tolist() == [0, 0, 255] and x[3, 3, 3].tolist() == [0, 255, 0]
    assert len(listed["sources"]) == 4
    _, x, *_ = prepare(tmp_path, color="grayscale", resize="pad")
    assert x.shape == (4, 4, 4, 1)
    # What is twice as wide as it is high becomes 4 by 2, with a black row above and one below.
    assert (x[2, 0] == 0).all() and (x[2, 1] > 0).all()
    answer, *_ = prepare(tmp_path, size=None)
    assert "a/x.JPG is 4 pixels wide and 8 high, but a/turned.png 4 and 2" in answer["message"]


def test_a_file_that_is_no_image_is_named(tmp_path):
    subprocess.run([PYTHON, "-c", PICTURES, str(tmp_path / "pictures")], check=True)
    (tmp_path / "pictures" / "b" / "3.png").write_bytes(b"not a picture")
    answer, *_ = prepare(tmp_path)
    assert answer["code"] == "wrong_images"
    assert answer["message"].startswith("b/3.png is no image that can be read")
    (tmp_path / "pictures" / "b" / "3.png").unlink()
    (tmp_path / "pictures" / "c").mkdir()
    answer, *_ = prepare(tmp_path)
    assert answer["message"] == "the class 'c' of pictures/ has no image"
