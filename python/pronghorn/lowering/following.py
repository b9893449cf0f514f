"""Numbers that remember which build argument they come from, and by which arithmetic.

While a model is built, an argument is an `Argument`: a float like any other, so that checks, arithmetic and JSON work.
While a step is traced, what was found to come from it is a `Traced` number instead, whose value is an input of the
program. Either watches what Python is told of it: a comparison whose outcome is not the same for every trial's value
means that the program is not the same either.
"""

from __future__ import annotations

import contextlib
import functools
import math
import operator
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from pronghorn.lowering.expressions import OPERATIONS, arguments, corners, evaluate, written

ORDERS: dict[str, Callable] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
WHOLE: dict[str, Callable] = {"int": int, "round": round, "floor": math.floor, "ceil": math.ceil}
DEEPEST = 12
"""An expression of more operations is a loop's, and is not followed."""


class NotANumber(TypeError):
    """Python asked a traced number for its value; Keras may hide it in an error of its own."""


class Watch:
    """The arguments of one build, the expressions made of them, and what Python was told of them."""

    def __init__(self, values: dict[str, float]):
        self.values = values
        self.expressions: dict[object, float] = dict.fromkeys(values, 0.0) | values
        self.told: list[tuple] = []
        self.refused: str | None = None
        """What Python wanted of a traced number that it cannot have, if it did."""

    def argument(self, name: str) -> Argument:
        return Argument.of(name, self.values[name], self)

    def tell(self, question: str, expression, other, answer):
        """Notes an answer that Python may have acted on."""
        told = (question, expression, other, answer)
        if told not in self.told:
            self.told.append(told)
        return answer

    def dependent(self, ends: dict[str, tuple[float, float]]) -> tuple[str, str] | None:
        """An argument whose value decides an answer, and the question.

        Args:
            ends: the least and the greatest value of every argument; zero, which is never among the trials' values,
                may lie between them.
        """
        for question, expression, other, answer in self.told:
            names = list(dict.fromkeys([*arguments(expression), *arguments(other)]))
            try:
                pairs = [(evaluate(expression, c), evaluate(other, c)) for c in corners(names, ends)]
                if question == "==":
                    gaps = [a - b for a, b in pairs]
                    never = other == 0 and isinstance(expression, str)
                    depends = not never and min(gaps) <= 0 <= max(gaps)
                elif question in WHOLE:
                    depends = any(WHOLE[question](a) != answer for a, _ in pairs)
                else:
                    depends = any(ORDERS[question](a, b) != answer for a, b in pairs)
            except (ArithmeticError, ValueError):
                depends = True
            if depends:
                shown = f"{question}({written(expression)})" if question in WHOLE else ""
                return names[0], shown or f"{written(expression)} {question} {written(other)}"
        return None


def _is_number(value) -> bool:
    return isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, (bool, Argument))


def _size(expression) -> int:
    return 1 + sum(map(_size, expression[1:])) if isinstance(expression, tuple) else 0


def _expression_of(value):
    if isinstance(value, (Argument, Traced)):
        return value.expression
    return float(value) if _is_number(value) else None


class _Watched:
    """What `Argument` and `Traced` have in common: arithmetic that is followed, questions that are noted."""

    expression = None
    watch: Watch

    def _made(self, expression):
        raise NotImplementedError

    def _by(self, operation: str, *operands):
        """The result of an operation, or None where it cannot be followed."""
        expressions = [_expression_of(operand) for operand in operands]
        if any(e is None for e in expressions):
            return None
        made = (operation, *expressions)
        if _size(made) > DEEPEST:
            return None
        try:
            value = evaluate(made, self.watch.values)
        except (ArithmeticError, ValueError):
            return None
        self.watch.expressions.setdefault(made, value)
        return self._made(made)

    def _asked(self, question: str, other, reflected_answer=None):
        mine, theirs = self.expression, _expression_of(other)
        if theirs is None:
            return NotImplemented
        values = self.watch.values
        test = operator.eq if question == "==" else ORDERS[question]
        return self.watch.tell(question, mine, theirs, test(evaluate(mine, values), evaluate(theirs, values)))

    def __lt__(self, other):
        return self._asked("<", other)

    def __le__(self, other):
        return self._asked("<=", other)

    def __gt__(self, other):
        return self._asked(">", other)

    def __ge__(self, other):
        return self._asked(">=", other)

    def __eq__(self, other):
        return self._asked("==", other)

    def __ne__(self, other):
        answer = self._asked("==", other)
        return answer if answer is NotImplemented else not answer

    def __bool__(self):
        return not self._asked("==", 0.0)

    def __pos__(self):
        return self

    def _whole(self, question: str):
        return self.watch.tell(
            question, self.expression, 0.0, WHOLE[question](evaluate(self.expression, self.watch.values))
        )

    def __int__(self):
        return self._whole("int")

    __trunc__ = __int__

    def __floor__(self):
        return self._whole("floor")

    def __ceil__(self):
        return self._whole("ceil")


class Argument(_Watched, float):
    """A build argument's value, or what was computed of it, as the user's build function sees it."""

    @classmethod
    def of(cls, expression, value: float, watch: Watch) -> Argument:
        argument = cls(value)
        argument.expression, argument.watch = expression, watch
        return argument

    def _made(self, expression):
        return Argument.of(expression, evaluate(expression, self.watch.values), self.watch)

    __hash__ = float.__hash__

    def __round__(self, digits=None):
        return self._whole("round") if digits is None else round(float(self), digits)

    def __copy__(self):
        return self

    def __deepcopy__(self, memory):
        return self

    def __reduce__(self):
        return (float, (float(self),))


class Traced(_Watched):
    """A number while a step is traced: Python sees the build's own value, the program an input.

    `source` gives the input of an expression. It is no float, which JAX would take for a constant.
    """

    # Has NumPy's scalars leave the arithmetic to this class.
    __array_ufunc__ = None
    dtype, shape, ndim, size = np.dtype("float32"), (), 0, 1
    __hash__ = object.__hash__

    def __init__(self, expression, watch: Watch, source: Callable[[object], jax.Array]):
        self.expression, self.watch, self.source = expression, watch, source

    def _made(self, expression):
        return Traced(expression, self.watch, self.source)

    def __jax_array__(self):
        return self.source(self.expression)

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.source(self.expression), name)

    def _refuse(self, wanted: str):
        self.watch.refused = f"{written(self.expression)} is {wanted} while a step is traced"
        raise NotANumber(self.watch.refused)

    def __float__(self):
        self._refuse("made a Python number")

    def __array__(self, *arguments, **options):
        self._refuse("made a NumPy number")

    def __round__(self, digits=None):
        return self._whole("round") if digits is None else self._refuse("rounded")


# A compiled function of JAX's takes a `Traced` as the array that it stands for.
jax.tree_util.register_pytree_node(
    Traced, lambda number: ((number.__jax_array__(),), None), lambda _, leaves: leaves[0]
)


def _binary(operation: str, reflected: bool):
    def apply(self, other):
        operands = (other, self) if reflected else (self, other)
        made = self._by(operation, *operands)
        if made is not None:
            return made
        function = OPERATIONS[operation]
        if isinstance(self, Traced):
            operands = [o.__jax_array__() if isinstance(o, Traced) else o for o in operands]
            return (
                function(*operands)
                if isinstance(other, (int, float, Traced))
                else function(*map(jnp.asarray, operands))
            )
        # Neither operand is followed any further.
        if not isinstance(other, (int, float)):
            return NotImplemented
        return function(*(float(o) if isinstance(o, Argument) else o for o in operands))

    return apply


def _unary(operation: str):
    def apply(self):
        made = self._by(operation, self)
        if made is not None:
            return made
        return -self.__jax_array__() if isinstance(self, Traced) else -float(self)

    return apply


for _operation, _name in (("+", "add"), ("-", "sub"), ("*", "mul"), ("/", "truediv"), ("**", "pow")):
    setattr(_Watched, f"__{_name}__", _binary(_operation, reflected=False))
    setattr(_Watched, f"__r{_name}__", _binary(_operation, reflected=True))
_Watched.__neg__ = _unary("neg")


@contextlib.contextmanager
def mathematics() -> Iterator[None]:
    """Has `math.sqrt`, `math.exp` and `math.log` followed inside the block, as the operators are."""
    plain = {name: getattr(math, name) for name in ("sqrt", "exp", "log")}

    def followed(name: str):
        @functools.wraps(plain[name])
        def function(x, *more):
            made = x._by(name, x) if isinstance(x, _Watched) and not more else None
            return plain[name](x, *more) if made is None else made

        return function

    for name in plain:
        setattr(math, name, followed(name))
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(math, name, function)
