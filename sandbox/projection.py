"""Quick answers to GraphQL: where a selection only picks values out of dictionaries, they are picked at once.

The library resolves field by field: a frame of arguments, resolver, path and completion for each of the fifty values
of an order. What the sandboxes resolve to is nearly always a dictionary that holds the values already. Whatever is not
that plain (arguments, directives, a value that is called, a null where none may be, a value its type refuses) is left
to the library, and so are all errors: an answer is the same with and without.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    ExecutionContext,
    FieldNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLUnionType,
    GraphQLWrappingType,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)
from graphql.execution.collect_fields import collect_sub_fields

Project = Callable[[Any], Any]
"""A resolved value as the answer shows it. Raises NotPlain, or what the type says against the value."""

TYPENAME = "__typename"
MOST_KEPT = 10_000
"""Fields whose projection is kept; documents are few, and the sandboxes keep the parsed ones."""


@dataclass(frozen=True, slots=True)
class Lazily:
    """A value in a dictionary that is made only when it is selected; both the library and a projection ask for it."""

    make: Callable[[], Any]

    def __call__(self, *_: object) -> Any:
        return self.make()


class NotPlain(Exception):
    """The library has to look at it."""


class Projecting(ExecutionContext):
    """For `execution_context_class`. Resolvers must do to a dictionary what the default one does: take the value."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Any
    ) -> Any:
        """A field without arguments of a dictionary: the value is there."""
        if type(source) is dict and len(field_nodes) == 1:
            field = field_nodes[0]
            project = self._kept(f"{parent_type.name}.", field, lambda: self._made(parent_type, field))
            value = source.get(field.name.value)
            shown = _tried(project, value.make() if type(value) is Lazily else value)
            if shown is not _REFUSED:
                return shown
        return super().execute_field(parent_type, source, field_nodes, path)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Any,
        result: Any,
    ) -> Any:
        """What a resolver gave, which is not called again."""
        if len(field_nodes) == 1:
            field = field_nodes[0]
            shown = _tried(self._kept(str(return_type), field, lambda: self._of(return_type, field)), result)
            if shown is not _REFUSED:
                return shown
        return super().complete_value(return_type, field_nodes, info, path, result)

    def _kept(self, kind: str, field: FieldNode, make: Callable[[], Project | None]) -> Project | None:
        """None where the field is the library's."""
        key = id(self.schema), kind, id(field)
        if key not in _PROJECTIONS:
            if len(_PROJECTIONS) >= MOST_KEPT:
                _PROJECTIONS.clear()
            _PROJECTIONS[key] = self.schema, field, make()
        return _PROJECTIONS[key][2]

    def _made(self, parent: GraphQLObjectType, field: FieldNode) -> Project | None:
        known = parent.fields.get(field.name.value)
        if known is None or known.resolve is not None or field.arguments or known.args:
            return None
        return self._of(known.type, field)

    def _of(self, kind: GraphQLOutputType, field: FieldNode) -> Project | None:
        if isinstance(kind, GraphQLObjectType):
            return None if kind.is_type_of else self._object(kind, field)
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return None if kind.resolve_type else self._abstract(kind, field)
        if isinstance(kind, GraphQLWrappingType):
            inner = self._of(kind.of_type, field)
            wrapped = _each if isinstance(kind, GraphQLList) else _never_null
            return None if inner is None else wrapped(inner)
        return _leaf(kind)

    def _object(self, kind: GraphQLObjectType, field: FieldNode) -> Project | None:
        if any(one.directives for one in self._selected(field.selection_set)):
            return None
        picked: list[tuple[str, str, Project]] = []
        for name, nodes in collect_sub_fields(self.schema, self.fragments, {}, kind, [field]).items():
            if nodes[0].name.value == TYPENAME:
                picked.append((name, TYPENAME, _always(kind.name)))
                continue
            project = None if len(nodes) > 1 else self._made(kind, nodes[0])
            if project is None:
                return None
            picked.append((name, nodes[0].name.value, project))
        return _picking(picked)

    def _abstract(self, kind: GraphQLAbstractType, field: FieldNode) -> Project | None:
        of_types = {one.name: self._object(one, field) for one in self.schema.get_possible_types(kind)}
        return None if None in of_types.values() else _by_type({k: v for k, v in of_types.items() if v is not None})

    def _selected(self, selection: SelectionSetNode | None) -> Iterator[SelectionNode]:
        """Everything selected on one level, fragments with what is in them."""
        for one in selection.selections if selection else ():
            yield one
            if isinstance(one, InlineFragmentNode):
                yield from self._selected(one.selection_set)
            elif isinstance(one, FragmentSpreadNode):
                yield from self._selected(self.fragments[one.name.value].selection_set)


_PROJECTIONS: dict[tuple[int, str, int], tuple[Any, FieldNode, Project | None]] = {}
"""Schema and field are kept beside, for as long as their identities stand in the key."""

_REFUSED: Any = object()


def _tried(project: Project | None, value: Any) -> Any:
    """`_REFUSED` where the library has to look; what is wrong happens there again, and is told with its place."""
    try:
        return _REFUSED if project is None else project(value)
    except Exception:  # noqa: BLE001 - a type may refuse a value in its own way
        return _REFUSED


_PLAIN = frozenset((str, int, float, bool))


def _leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Project:
    serialize = kind.serialize
    is_text = kind.name in ("String", "ID")

    def project(value: Any) -> Any:
        if value is None:
            return None
        if is_text and isinstance(value, str):
            return value
        if type(value) not in _PLAIN:
            raise NotPlain
        shown = serialize(value)
        if shown is None:
            raise NotPlain
        return shown

    return project


def _never_null(inner: Project) -> Project:
    def project(value: Any) -> Any:
        shown = inner(value)
        if shown is None:
            raise NotPlain
        return shown

    return project


def _each(inner: Project) -> Project:
    def project(values: Any) -> Any:
        if values is None:
            return None
        if type(values) not in (list, tuple):
            raise NotPlain
        return [inner(value) for value in values]

    return project


def _always(shown: str) -> Project:
    return lambda _: shown


def _picking(picked: list[tuple[str, str, Project]]) -> Project:
    def project(source: Any) -> Any:
        if source is None:
            return None
        if type(source) is not dict:
            raise NotPlain
        take = source.get
        shown = {}
        for name, field, one in picked:
            value = take(field)
            shown[name] = one(value.make() if type(value) is Lazily else value)
        return shown

    return project


def _by_type(of_types: dict[str, Project]) -> Project:
    def project(source: Any) -> Any:
        if source is None:
            return None
        if type(source) is not dict or source.get(TYPENAME) not in of_types:
            raise NotPlain
        return of_types[source[TYPENAME]](source)

    return project
