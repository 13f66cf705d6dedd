"""Python's operators for everything that ops take: symbolic tensors, placeholders and variables."""

from __future__ import annotations

from typing import Any


def _apply(name: str, *operands: Any) -> Any:
    # Imported late: the ops are written with the classes that have these operators.
    from fastgd import ops

    return getattr(ops, name)(*operands)


class Operators:
    """Arithmetic, comparisons, the matrix product and indexing, each the function of `fastgd.ops` of that name.

    `==` and `!=` compare identities, so that tensors can be found in lists and dicts; `ops.equal` compares elements.
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return _apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return _apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _apply("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return _apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _apply("divide", other, self)

    def __pow__(self, other: Any) -> Any:
        return _apply("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _apply("power", other, self)

    def __matmul__(self, other: Any) -> Any:
        return _apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _apply("matmul", other, self)

    def __neg__(self) -> Any:
        return _apply("negative", self)

    def __abs__(self) -> Any:
        return _apply("absolute", self)

    def __lt__(self, other: Any) -> Any:
        return _apply("less", self, other)

    def __le__(self, other: Any) -> Any:
        return _apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return _apply("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return _apply("greater_equal", self, other)

    def __getitem__(self, key: Any) -> Any:
        return _apply("get_item", self, key)

    def __iter__(self) -> Any:
        # Python would try indices until one fails, and the first axis may be the batch.
        raise TypeError(f"{self!r} cannot be iterated over: use `ops.unstack`.")
