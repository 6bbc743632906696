"""Which type of value may travel into which input."""

from collections.abc import Mapping
from functools import partial
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from .grid import Grid

Bindings = dict[TypeVar, Any]


def plain(hint: Any) -> Any:
    """The hint without `Annotated`."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return hint


def accepts(wanted: Any, given: Any, bindings: Bindings) -> bool:
    """Whether a link of type `given` may lead into an input of type `wanted`.

    A type variable takes the first type that it meets and is recorded in `bindings`. Where only the
    value can tell (a `str` into a choice), the answer is yes and the value is checked in the run.
    """
    if wanted is given and type(wanted) is type:
        return True  # nearly every link; ten times quicker
    wanted, given = plain(wanted), plain(given)
    if wanted is Any or given is Any or isinstance(given, TypeVar):
        return True
    if isinstance(wanted, TypeVar):
        return accepts(bindings.setdefault(wanted, given), given, bindings)
    if _is_union(given):
        return all(accepts(wanted, member, bindings) for member in get_args(given))
    if _is_union(wanted):
        return any(accepts(member, given, bindings) for member in get_args(wanted))
    if get_origin(given) is Literal:
        return _accepts_choices(wanted, get_args(given), bindings)
    if get_origin(wanted) is Literal:
        return any(accepts(type(choice), given, bindings) for choice in get_args(wanted))
    return _accepts_class(wanted, given, bindings)


def bound(hint: Any, bindings: Mapping[TypeVar, Any]) -> Any:
    """The hint with its type variables replaced by what they stand for; `Any` where unknown."""
    hint = plain(hint)
    if isinstance(hint, TypeVar):
        return bindings.get(hint, Any)
    if get_origin(hint) in {list, dict, tuple, Grid}:
        arguments = tuple(bound(argument, bindings) for argument in get_args(hint))
        return get_origin(hint)[arguments]
    return hint


def _accepts_choices(wanted: Any, choices: tuple[Any, ...], bindings: Bindings) -> bool:
    if get_origin(wanted) is Literal:
        return set(choices) <= set(get_args(wanted))
    return all(accepts(wanted, type(choice), bindings) for choice in choices)


def _accepts_class(wanted: Any, given: Any, bindings: Bindings) -> bool:
    wanted_class, given_class = get_origin(wanted) or wanted, get_origin(given) or given
    if given_class is bool:
        return wanted_class is bool
    if wanted_class is float and given_class is int:
        return True
    if not (isinstance(wanted_class, type) and isinstance(given_class, type)):
        return False
    if wanted_class is Grid and given_class is not Grid:
        cells = get_args(given) if given_class is list else (given,)
        return all(map(partial(accepts, bindings=bindings), get_args(wanted), cells))
    if wanted_class is list and given_class is Grid:
        wanted_class = Grid
    if not issubclass(given_class, wanted_class):
        return False
    pairs = zip(get_args(wanted), get_args(given), strict=False)
    return all(accepts(inner, outer, bindings) for inner, outer in pairs)


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in {Union, UnionType}
