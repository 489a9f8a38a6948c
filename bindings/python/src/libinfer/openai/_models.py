# SPDX-License-Identifier: MIT
"""The base of the answer's objects.

What these look like is what programs written for the official package know: it
makes them with pydantic, which this package does not depend on. Here a class
declares its fields by annotations. An object holds what it was given, without
checks; a field that was not given reads as its default; members that no field
declares are kept (model_extra) and read as attributes.
"""

import json
from typing import (
    Any,
    Callable,
    ClassVar,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Set,
    Tuple,
    Type,
    TypeVar,
    Union,
    get_type_hints,
)

T = TypeVar("T", bound="BaseModel")

_NO_DEFAULT = object()


class _Field(NamedTuple):
    default: Any
    make: Callable[[Any], Any]
    """Makes the field's objects of JSON's."""


class BaseModel:
    __slots__ = ("__dict__", "_extra", "_request_id")

    _extra: Dict[str, Any]
    _request_id: Optional[str]
    """The provider's id of the request, at the top object of an answer."""
    _declared: ClassVar[Dict[str, _Field]]

    def __init__(self, /, **members: Any) -> None:
        self._request_id = None
        self._extra = extra = {}
        fields = _fields(type(self))
        for name, value in members.items():
            field = fields.get(name)
            if field is None:
                extra[name] = value
            else:
                self.__dict__[name] = field.make(value)

    @classmethod
    def construct(cls: Type[T], **members: Any) -> T:
        return cls(**members)

    model_construct = construct

    def __getattr__(self, name: str) -> Any:
        # Only what is not found elsewhere comes here; in an object that is
        # being copied or unpickled there may be nothing yet.
        if name not in ("_extra", "_request_id"):
            try:
                return self._extra[name]
            except KeyError:
                pass
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    # ---- What it holds -------------------------------------------------------

    @property
    def model_extra(self) -> Dict[str, Any]:
        """Members that no field declares."""
        return self._extra

    @property
    def model_fields_set(self) -> Set[str]:
        """Fields that came, or were set."""
        return set(self.__dict__)

    def _items(self) -> Iterator[Tuple[str, Any]]:
        given = self.__dict__
        fields = _fields(type(self))
        for name, field in fields.items():
            value = given.get(name, field.default)
            if value is not _NO_DEFAULT:
                yield name, value
        for name, value in given.items():
            if name not in fields:
                yield name, value
        yield from self._extra.items()

    def __iter__(self) -> Iterator[Tuple[str, Any]]:
        return self._items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseModel) or type(other) is not type(self):
            return False
        return dict(self._items()) == dict(other._items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        members = ", ".join(
            f"{name}={value!r}" for name, value in self._items()
        )
        return f"{type(self).__name__}({members})"

    def __rich_repr__(self) -> Iterator[Tuple[str, Any]]:
        return self._items()

    # ---- As dictionary and JSON ----------------------------------------------

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Any = None,
        exclude: Any = None,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> Dict[str, Any]:
        """Its members, and theirs, as dictionaries. include and exclude name
        members of this object alone."""
        fields = _fields(type(self))
        given = self.__dict__
        dumped: Dict[str, Any] = {}
        for name, value in self._items():
            if include is not None and name not in include:
                continue
            if exclude is not None and name in exclude:
                continue
            if exclude_unset and name in fields and name not in given:
                continue
            if exclude_none and value is None:
                continue
            if (
                exclude_defaults
                and name in fields
                and value == fields[name].default
            ):
                continue
            dumped[name] = _dump(
                value,
                mode=mode,
                exclude_unset=exclude_unset,
                exclude_defaults=exclude_defaults,
                exclude_none=exclude_none,
            )
        return dumped

    def model_dump_json(
        self, *, indent: Optional[int] = None, **how: Any
    ) -> str:
        separators = (",", ":") if indent is None else None
        return json.dumps(
            self.model_dump(mode="json", **how),
            indent=indent,
            separators=separators,
            ensure_ascii=False,
        )

    def to_dict(
        self,
        *,
        mode: str = "python",
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> Dict[str, Any]:
        """What came, and no defaults."""
        return self.model_dump(
            mode=mode,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    def to_json(
        self,
        *,
        indent: Optional[int] = 2,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> str:
        return self.model_dump_json(
            indent=indent,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )

    def model_copy(self: T, *, update: Optional[Mapping[str, Any]] = None) -> T:
        copied = type(self)(
            **{**self.__dict__, **self._extra, **(update or {})}
        )
        copied._request_id = self._request_id
        return copied


def _dump(value: Any, **how: Any) -> Any:
    if isinstance(value, list):
        return [_dump(one, **how) for one in value]
    if isinstance(value, dict):
        return {name: _dump(one, **how) for name, one in value.items()}
    # Objects of ours, and what a program's own pydantic classes have made.
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(**how)


# ---- Fields by annotation ----------------------------------------------------


def _fields(cls: Type[BaseModel]) -> Dict[str, _Field]:
    """The class's fields in their order, those of its bases first."""
    declared = cls.__dict__.get("_declared")
    if declared is None:
        hints = get_type_hints(cls)
        cls._declared = declared = {
            name: _Field(getattr(cls, name, _NO_DEFAULT), _maker(hint))
            for name, hint in hints.items()
            if not name.startswith("_")
        }
    fields: Dict[str, _Field] = declared
    return fields


def _same(value: Any) -> Any:
    return value


def _maker(hint: Any) -> Callable[[Any], Any]:
    """What makes a field's value of JSON's: Model, List[Model], a Union of
    models that their `type` tells apart, Optional of any of these; all else is
    taken as it is."""
    origin = getattr(hint, "__origin__", hint)  # of Model[T] the class
    if isinstance(origin, type) and issubclass(origin, BaseModel):
        return _model_maker([origin])
    arguments = [
        a for a in getattr(hint, "__args__", ()) if a is not type(None)
    ]
    if origin is list:
        return _list_maker(_maker(arguments[0]))
    if origin is Union and len(arguments) == 1:
        return _maker(arguments[0])
    if origin is Union and all(
        isinstance(a, type) and issubclass(a, BaseModel) for a in arguments
    ):
        return _model_maker(arguments)
    return _same


def _list_maker(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if make is _same:
        return _same
    return lambda value: (
        [make(v) for v in value] if isinstance(value, list) else value
    )


def _model_maker(models: List[Type[BaseModel]]) -> Callable[[Any], Any]:
    """Of several the one that has a field of the name that `type` says."""
    first = models[0]

    def make(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for model in models[1:]:
            if value.get("type") in _fields(model):
                return model(**value)
        return first(**value)

    return make
