"""Makes arrays of a folder of images: ``python -m pronghorn.prepare_images REQUEST FOLDER``.

REQUEST is a file of JSON:

    {"folder": "/abs/pictures", "shown": "pictures/", "size": [64, 48], "color": "rgb", "resize": "crop",
     "classes": null}

Each subfolder is a class, in order of its name; its files, also those in folders within it, are images that Pillow
reads. They are turned as their EXIF data say, made ``rgb``, ``grayscale`` or ``rgba``, and brought to ``size`` (height
and width) with the bicubic filter: ``stretch`` heeds no proportions, ``crop`` takes the middle of what fills the size,
``pad`` puts black around what fits into it. ``size`` may be null where all images are of one size. ``classes``
is the ``data.json`` of the images to train on, where these are to have the numbers of its classes.

FOLDER gets ``x.npy``, uint8 [images, height, width, channels], ``y.npy``, the numbers of the classes, and ``data.json``
(see ``pronghorn.prepared``) with ``classes``. The answer is that of ``pronghorn.prepare_table``; CODE is
``wrong_images`` or ``internal``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pronghorn import prepared
from pronghorn.lowering.failures import LoweringFailure

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
MODES = {"rgb": ("RGB", 3), "grayscale": ("L", 1), "rgba": ("RGBA", 4)}


def prepare(request: dict, folder: Path, progress) -> None:
    """Reads every image once."""
    import numpy

    root = Path(request["folder"])
    earlier = json.loads(Path(request["classes"]).read_text())["classes"] if request.get("classes") else None
    classes, files = _files(root, request["shown"], earlier)
    report = prepared.Reporter(progress)
    progress(f"preparing the {len(files):,} images of {request['shown']}, once")
    mode, channels = MODES[request["color"]]
    size = request["size"]
    if size is None:
        height, width = _opened(files[0][0], root, mode).size[::-1]
    else:
        height, width = size
    folder.mkdir(parents=True, exist_ok=True)
    pixels = numpy.lib.format.open_memmap(
        folder / "x.npy", mode="w+", dtype=numpy.uint8, shape=(len(files), height, width, channels)
    )
    labels = numpy.array([number for _, number in files], numpy.int32)
    sources = []
    for number, (path, _) in enumerate(files):
        stamp = prepared.stamp(path)
        image = _opened(path, root, mode)
        if size is None and image.size != (width, height):
            raise LoweringFailure(
                "wrong_images",
                f"{_shown(path, root)} is {image.size[0]} pixels wide and {image.size[1]} high, but "
                f"{_shown(files[0][0], root)} {width} and {height}: say to which size images are brought, such as "
                f"size: [{height}, {width}]",
            )
        pixels[number] = numpy.asarray(_resized(image, width, height, request["resize"])).reshape(
            height, width, channels
        )
        sources.append(prepared.source(path.resolve(), stamp))
        report(lambda: f"reading images: {number + 1:,} of {len(files):,}")  # noqa: B023
    pixels.flush()
    numpy.save(folder / "y.npy", labels)
    prepared.write_list(
        folder,
        {
            "arrays": [
                {"name": "x", "role": "x", "file": "x.npy", "shape": list(pixels.shape), "dtype": "uint8"},
                {"name": "y", "role": "y", "file": "y.npy", "shape": [len(files)], "dtype": "int32"},
            ],
            "classes": classes,
            "sources": sources,
        },
    )


def _files(root: Path, shown: str, classes: list[str] | None) -> tuple[list[str], list[tuple[Path, int]]]:
    """The classes, and each image with the number of its class; `classes` are those of the images to train on."""
    if not root.is_dir():
        raise LoweringFailure("wrong_images", f"there is no folder {root}")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    files: list[tuple[Path, int]] = []
    classes = classes or [folder.name for folder in folders]
    for folder in folders:
        if folder.name not in classes:
            raise LoweringFailure(
                "wrong_images",
                f"the class '{folder.name}' of {shown} is none of those to train on: {', '.join(classes)}",
            )
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
        if not found:
            raise LoweringFailure("wrong_images", f"the class '{folder.name}' of {shown} has no image")
        files += [(path, classes.index(folder.name)) for path in found]
    if not files:
        raise LoweringFailure("wrong_images", f"{shown} has no folders of images: each class is a folder")
    return classes, files


def _opened(path: Path, root: Path, mode: str):
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert(mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise LoweringFailure("wrong_images", f"{_shown(path, root)} is no image that can be read: {error}") from error


def _resized(image, width: int, height: int, how: str):
    from PIL import Image, ImageOps

    if image.size == (width, height):
        return image
    filter = Image.Resampling.BICUBIC
    if how == "stretch":
        return image.resize((width, height), filter)
    if how == "crop":
        return ImageOps.fit(image, (width, height), filter)
    return ImageOps.pad(image, (width, height), filter)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root))


def main() -> int:
    def run(progress) -> None:
        request, folder = sys.argv[1:3]
        prepare(json.loads(Path(request).read_text()), Path(folder), progress)

    return prepared.answering(run)


if __name__ == "__main__":
    sys.exit(main())
