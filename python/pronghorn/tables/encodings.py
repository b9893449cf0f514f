"""How columns become numbers.

An encoder sees the values of its column twice: `scan` learns, `settle` says how wide a row is, `encode` gives the
numbers. Missing values have been dropped or refused before, or are filled by the encoder as `fill` says.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter

import numpy
import pyarrow
import pyarrow.compute

from pronghorn.lowering.failures import LoweringFailure
from pronghorn.tables import values
from pronghorn.tables.values import WrongValue

# More distinct texts than this are no categories.
MOST_CATEGORIES = 1_000_000
# One-hot rows wider than this are a mistake more often than not, and fill the disk.
MOST_COLUMNS = 10_000
MOST_CLASSES = 10_000


class Encoder:
    """A column as `width` numbers of `dtype` a row."""

    # What stands for a missing value besides an empty field.
    markers: tuple[str, ...] = ()
    dtype: str = "float32"
    width = 1

    def __init__(self, column: str, fill: dict):
        self.column = column
        self.fill = fill

    def scan(self, array: pyarrow.Array, absent: numpy.ndarray) -> None:
        """Looks at the values of a batch."""

    def settle(self, earlier: dict | None) -> None:
        """All rows were seen; `earlier` is what `description` said of the table to train on, if this is another one."""

    def encode(self, array: pyarrow.Array, absent: numpy.ndarray) -> numpy.ndarray:
        raise NotImplementedError

    def description(self) -> dict:
        """What is needed to encode other rows in the same way."""
        return {}

    @property
    def fill_rule(self) -> str | None:
        """`mean` or `median`, where NaN stays until it is known which rows are trained on."""
        return self.fill["rule"] if self.fill["rule"] in ("mean", "median") else None


class Number(Encoder):
    """A number as it is; true is 1 and false 0."""

    markers = values.MARKERS

    def scan(self, array, absent):
        values.numbers(array, absent)

    def encode(self, array, absent):
        found = values.numbers(array, absent)
        if self.fill["rule"] == "value" and absent.any():
            found[absent] = _number(self.fill["value"], self.column)
        return as_float32(found)


class Category(Encoder):
    """Values told apart by their text; subclasses make numbers of their numbers."""

    def __init__(self, column, fill, categories=None, unknown="error"):
        super().__init__(column, fill)
        self.given = categories is not None
        self.categories = [_text(value) for value in categories or []]
        self.own = unknown == "own"
        self.seen: set[str] = set()

    def scan(self, array, absent):
        self.seen.update(self._texts(array, absent).unique().to_pylist())
        if len(self.seen) > MOST_CATEGORIES:
            raise LoweringFailure(
                "wrong_table",
                f"the column '{self.column}' has more than {MOST_CATEGORIES} different values: use hashing",
            )

    def settle(self, earlier):
        if earlier is not None:
            self.categories = earlier["categories"]
        elif not self.given:
            self.categories = in_order(self.seen)

    def codes(self, array, absent) -> numpy.ndarray:
        """The number of each value's category."""
        found = self._texts(array, absent)
        known = pyarrow.array(self.categories, pyarrow.string())
        codes = pyarrow.compute.index_in(found, value_set=known)
        codes = codes.fill_null(len(self.categories)).to_numpy(zero_copy_only=False).astype(numpy.int32)
        unknown = codes == len(self.categories)
        if unknown.any() and not self.own:
            row = int(unknown.argmax())
            raise WrongValue(row, f"'{found[row].as_py()}' is none of the categories: unknown: own gives it its own")
        return codes

    def description(self):
        return {"categories": self.categories, "unknown": "own" if self.own else "error"}

    def _texts(self, array, absent) -> pyarrow.Array:
        found = values.texts(array)
        if self.fill["rule"] == "value" and absent.any():
            filler = pyarrow.scalar(_text(self.fill["value"]), pyarrow.string())
            found = pyarrow.compute.if_else(pyarrow.array(absent), filler, found)
        return found


class Ordinal(Category):
    """The number of the category, from 0."""

    dtype = "int32"

    def encode(self, array, absent):
        return self.codes(array, absent)[:, None]


class OneHot(Category):
    """A column a category, 1 in that of the value and 0 in the others."""

    def settle(self, earlier):
        super().settle(earlier)
        self.width = len(self.categories) + self.own
        if self.width > MOST_COLUMNS:
            raise LoweringFailure(
                "wrong_table",
                f"the column '{self.column}' has {self.width} different values, too many columns for one_hot: "
                "use ordinal (with an Embedding layer) or hashing",
            )

    def encode(self, array, absent):
        return one_hot(self.codes(array, absent), self.width)


class Hashing(Category):
    """The value's BLAKE2b digest modulo a number of bins: one-hot, or the number of the bin."""

    def __init__(self, column, fill, bins, output="one_hot"):
        super().__init__(column, fill)
        self.bins = bins
        self.output = output
        self.dtype = "float32" if output == "one_hot" else "int32"
        self.width = bins if output == "one_hot" else 1

    def scan(self, array, absent):
        pass

    def settle(self, earlier):
        pass

    def encode(self, array, absent):
        found = self._texts(array, absent).dictionary_encode()
        bins = numpy.array([self._bin(text) for text in found.dictionary.to_pylist()], numpy.int32)
        codes = bins[found.indices.to_numpy(zero_copy_only=False)]
        return one_hot(codes, self.bins) if self.output == "one_hot" else codes[:, None]

    def _bin(self, text: str) -> int:
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") % self.bins

    def description(self):
        return {"bins": self.bins, "output": self.output}


class BagOfWords(Category):
    """A column a word, of the most frequent ones: how often it is in the text, or whether."""

    def __init__(self, column, fill, words, weight="count"):
        super().__init__(column, fill)
        self.most = words
        self.binary = weight == "binary"
        self.counts: Counter[str] = Counter()

    def scan(self, array, absent):
        for text in self._texts(array, absent).to_pylist():
            self.counts.update(self._words(text))

    def settle(self, earlier):
        if earlier is not None:
            self.categories = earlier["words"]
        else:
            ranked = sorted(self.counts.items(), key=lambda entry: (-entry[1], entry[0]))
            self.categories = [word for word, _ in ranked[: self.most]]
        self.width = len(self.categories)
        if self.width == 0:
            raise LoweringFailure("wrong_table", f"the texts of the column '{self.column}' hold no words")
        self.places = {word: place for place, word in enumerate(self.categories)}

    def encode(self, array, absent):
        found = numpy.zeros((len(array), self.width), numpy.float32)
        for row, text in enumerate(self._texts(array, absent).to_pylist()):
            for word, count in Counter(self._words(text)).items():
                place = self.places.get(word)
                if place is not None:
                    found[row, place] = 1 if self.binary else count
        return found

    def description(self):
        return {"words": self.categories, "weight": "binary" if self.binary else "count"}

    @staticmethod
    def _words(text: str) -> list[str]:
        return re.findall(r"\w+", text.casefold())


class Date(Encoder):
    """Parts of a date and time, a column each."""

    markers = values.MARKERS
    parts = ("days", "year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second")

    def __init__(self, column, fill, parts=("days",), format=None):
        super().__init__(column, fill)
        self.wanted = parts
        self.form = format
        self.width = len(parts)

    def scan(self, array, absent):
        self._times(array, absent)

    def encode(self, array, absent):
        found = self._times(array, absent)
        return numpy.stack([self._part(found, part) for part in self.wanted], axis=1)

    def _times(self, array, absent) -> pyarrow.Array:
        found = values.times(array, absent, self.form)
        if self.fill["rule"] == "value" and absent.any():
            try:
                filler = values.times(pyarrow.array([_text(self.fill["value"])]), numpy.array([False]), self.form)[0]
            except WrongValue as error:
                raise LoweringFailure(
                    "wrong_table", f"the value for missing dates of the column '{self.column}': {error.message}"
                ) from error
            found = pyarrow.compute.if_else(pyarrow.array(absent), filler, found)
        return found

    @staticmethod
    def _part(found: pyarrow.Array, part: str) -> numpy.ndarray:
        if part == "days":
            micros = found.cast(pyarrow.int64()).to_numpy(zero_copy_only=False)
            return (micros / 86_400_000_000).astype(numpy.float32)
        name = "day_of_week" if part == "weekday" else part
        return getattr(pyarrow.compute, name)(found).to_numpy(zero_copy_only=False).astype(numpy.float32)

    def description(self):
        return {"parts": list(self.wanted), "format": self.form}


class Target(Encoder):
    """Whole numbers as they are, other numbers as they are, and texts as the numbers of their classes in order."""

    markers = values.MARKERS
    dtype = "int64"

    def __init__(self, column, fill):
        super().__init__(column, fill)
        self.is_whole = True
        self.are_numbers: bool | None = None
        self.classes = Ordinal(column, fill)

    def scan(self, array, absent):
        wrong: WrongValue | None = None
        try:
            values.numbers(array, absent)
        except WrongValue as error:
            wrong = error
        # All texts are classes, and all numbers are numbers; a text among numbers is a mistake.
        if wrong is not None and (self.are_numbers or wrong.row > 0 or not self._is_all_text(array, absent)):
            if self.are_numbers is not False and wrong.row > 0:
                raise wrong
            raise WrongValue(wrong.row, f"{wrong.message}, but other rows of the column hold numbers")
        if self.are_numbers is False and wrong is None:
            raise WrongValue(0, "is a number, but rows before hold text: encode it as ordinal to make classes of both")
        self.are_numbers = wrong is None
        if self.are_numbers:
            self.is_whole = self.is_whole and values.whole_numbers(array, absent) is not None
        else:
            self.classes.scan(array, absent)
            if len(self.classes.seen) > MOST_CLASSES:
                raise WrongValue(0, f"the column holds more than {MOST_CLASSES} different texts, which are no classes")

    @staticmethod
    def _is_all_text(array, absent) -> bool:
        return not any(
            _is_number(text) for text, is_absent in zip(array.to_pylist(), absent, strict=True) if not is_absent
        )

    def settle(self, earlier):
        self.dtype = "int64" if self.is_whole else "float32"
        if self.are_numbers is False:
            self.dtype = "int32"
            self.classes.settle(earlier if earlier and "categories" in earlier else None)

    def encode(self, array, absent):
        if self.are_numbers is False:
            return self.classes.encode(array, absent)
        if self.is_whole:
            found = values.whole_numbers(array, absent)
            if self.fill["rule"] == "value" and absent.any():
                found = found.fill_null(int(_number(self.fill["value"], self.column)))
            return found.to_numpy(zero_copy_only=False)[:, None]
        found = values.numbers(array, absent)
        if self.fill["rule"] == "value":
            found[absent] = _number(self.fill["value"], self.column)
        return as_float32(found)

    def description(self):
        return self.classes.description() if self.are_numbers is False else {}


class Key(Encoder):
    """A column to divide rows by: whole numbers, numbers or texts, whichever all values are."""

    def __init__(self, column, fill):
        super().__init__(column, fill)
        self.kind = "int64"
        self.longest = 1

    def scan(self, array, absent):
        filled = self._filled(array, absent)
        lengths = pyarrow.compute.utf8_length(values.texts(filled))
        self.longest = max(self.longest, pyarrow.compute.max(lengths).as_py() or 1)
        if self.kind == "int64" and values.whole_numbers(filled, numpy.zeros(len(filled), bool)) is None:
            self.kind = "float64"
        if self.kind == "float64" and not self._holds_numbers(filled):
            self.kind = "text"

    def settle(self, earlier):
        self.dtype = f"<U{self.longest}" if self.kind == "text" else self.kind

    def encode(self, array, absent):
        filled = self._filled(array, absent)
        if self.kind == "text":
            return numpy.array(values.texts(filled).to_pylist(), self.dtype)[:, None]
        present = numpy.zeros(len(filled), bool)
        if self.kind == "int64":
            return values.whole_numbers(filled, present).to_numpy(zero_copy_only=False)[:, None]
        return values.numbers(filled, present)[:, None]

    @staticmethod
    def _holds_numbers(array) -> bool:
        if pyarrow.types.is_timestamp(array.type):
            return False
        try:
            values.numbers(array, numpy.zeros(len(array), bool))
        except WrongValue:
            return False
        return True

    def _filled(self, array, absent):
        if self.fill["rule"] != "value" or not absent.any():
            return array
        filler = pyarrow.scalar(_text(self.fill["value"]), pyarrow.string())
        return pyarrow.compute.if_else(pyarrow.array(absent), filler, values.texts(array))


KINDS = {
    "number": Number,
    "ordinal": Ordinal,
    "one_hot": OneHot,
    "hashing": Hashing,
    "bag_of_words": BagOfWords,
    "date": Date,
}


def one_hot(codes: numpy.ndarray, width: int) -> numpy.ndarray:
    found = numpy.zeros((len(codes), width), numpy.float32)
    found[numpy.arange(len(codes)), codes] = 1
    return found


def as_float32(found: numpy.ndarray) -> numpy.ndarray:
    """A column of float32; a number beyond them is wrong, not infinite."""
    with numpy.errstate(over="ignore"):
        cast = found.astype(numpy.float32)
    beyond = numpy.isinf(cast) & ~numpy.isinf(found)
    if beyond.any():
        row = int(beyond.argmax())
        raise WrongValue(row, f"{found[row]} is greater than any float32")
    return cast[:, None]


def in_order(texts: set[str]) -> list[str]:
    """Numbers by size if all are numbers, otherwise texts by their characters."""
    if all(_is_number(text) for text in texts):
        return sorted(texts, key=lambda text: (float(text), text))
    return sorted(texts)


def _is_number(text: object) -> bool:
    try:
        return float(text) == float(text)
    except (TypeError, ValueError):
        return False


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _number(value: object, column: str) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    raise LoweringFailure(
        "wrong_table", f"missing numbers of the column '{column}' cannot be the text '{value}': give a number"
    )
