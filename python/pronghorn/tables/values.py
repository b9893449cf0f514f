"""The values of one column of a batch: which are missing, and what they are as numbers, texts and times."""

from __future__ import annotations

import numpy
import pyarrow
import pyarrow.compute

# What stands for a value that is not there, besides nothing at all, where numbers or dates are expected.
MARKERS = ("NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")


class WrongValue(Exception):
    """The value of a row of the batch cannot be used; the text goes on from the place."""

    def __init__(self, row: int, message: str):
        super().__init__(message)
        self.row = row
        self.message = message


def is_text(values: pyarrow.Array) -> bool:
    return pyarrow.types.is_string(values.type)


def missing(values: pyarrow.Array, markers: tuple[str, ...]) -> numpy.ndarray:
    """Which values are not there: nothing, NaN, or of text one of the markers."""
    absent = values.is_null(nan_is_null=True)
    if is_text(values):
        trimmed = pyarrow.compute.utf8_trim_whitespace(values)
        marked = pyarrow.compute.is_in(trimmed, value_set=pyarrow.array(list(markers), pyarrow.string()))
        absent = pyarrow.compute.or_(absent, marked)
    return absent.to_numpy(zero_copy_only=False)


def texts(values: pyarrow.Array) -> pyarrow.Array:
    return values if is_text(values) else values.cast(pyarrow.string())


def numbers(values: pyarrow.Array, absent: numpy.ndarray) -> numpy.ndarray:
    """float64, NaN where a value is missing."""
    if pyarrow.types.is_timestamp(values.type):
        raise WrongValue(0, "holds dates: give the encoding date")
    if not is_text(values):
        found = values.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False).astype(numpy.float64)
        return numpy.where(absent, numpy.nan, found)
    plain = _present(pyarrow.compute.utf8_trim_whitespace(values), absent)
    found = _cast(plain, pyarrow.float64())
    if found is None:
        found = _cast(_truth_as_digits(plain), pyarrow.float64())
    if found is None:
        row = _first_that_fails(plain, lambda part: _cast(_truth_as_digits(part), pyarrow.float64()))
        raise WrongValue(row, f"'{_shown(values[row])}' is no number")
    return found.to_numpy(zero_copy_only=False).astype(numpy.float64)


def whole_numbers(values: pyarrow.Array, absent: numpy.ndarray) -> pyarrow.Array | None:
    """int64 with nulls, or None if some are no whole numbers."""
    if pyarrow.types.is_boolean(values.type) or pyarrow.types.is_integer(values.type):
        return _cast(values, pyarrow.int64())
    if not is_text(values):
        return None
    return _cast(_present(pyarrow.compute.utf8_trim_whitespace(values), absent), pyarrow.int64())


def times(values: pyarrow.Array, absent: numpy.ndarray, form: str | None) -> pyarrow.Array:
    """Timestamps in microseconds, with nulls; `form` is that of strptime, by default ISO 8601."""
    kind = pyarrow.timestamp("us")
    if pyarrow.types.is_timestamp(values.type):
        return values
    if not is_text(values):
        raise WrongValue(0, f"holds {values.type}, no dates")
    plain = _present(pyarrow.compute.utf8_trim_whitespace(values), absent)

    def parsed(part: pyarrow.Array) -> pyarrow.Array | None:
        if form is None:
            zoned = _cast(part, pyarrow.timestamp("us", "UTC"))
            return _cast(part, kind) if zoned is None else zoned.cast(kind)
        try:
            return pyarrow.compute.strptime(part, format=form, unit="us")
        except pyarrow.ArrowInvalid:
            return None

    found = parsed(plain)
    if found is None:
        row = _first_that_fails(plain, parsed)
        expected = "is no date such as 2026-11-27" if form is None else f"is no date of the form {form}"
        raise WrongValue(row, f"'{_shown(values[row])}' {expected}")
    return found


def _present(values: pyarrow.Array, absent: numpy.ndarray) -> pyarrow.Array:
    return pyarrow.compute.if_else(pyarrow.array(absent), pyarrow.scalar(None, values.type), values)


def _truth_as_digits(values: pyarrow.Array) -> pyarrow.Array:
    lower = pyarrow.compute.utf8_lower(values)
    one = pyarrow.compute.equal(lower, "true")
    zero = pyarrow.compute.equal(lower, "false")
    return pyarrow.compute.if_else(one, "1", pyarrow.compute.if_else(zero, "0", values))


def _cast(values: pyarrow.Array, kind: pyarrow.DataType) -> pyarrow.Array | None:
    try:
        return values.cast(kind)
    except pyarrow.ArrowInvalid:
        return None


def _first_that_fails(values: pyarrow.Array, convert) -> int:
    """The first value that `convert` answers None to, by halving."""
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        if convert(values.slice(low, middle - low)) is None:
            high = middle
        else:
            low = middle
    return low


def _shown(value: pyarrow.Scalar) -> str:
    text = str(value.as_py())
    return text if len(text) <= 60 else text[:57] + "..."
