"""Small changes of a rule's source, each of which some test should notice.

One change at a time: a comparison at its border, a condition turned round, one operand, argument, entry or case left
out, a statement skipped, a number one higher, a text emptied. Not changed: annotations, docstrings and assertions,
which are for readers and the type checker; imports; and what is only there to be impossible (`assert_never`).
"""

import ast
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.Mult: "*",
    ast.FloorDiv: "//", ast.Div: "/", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
}  # fmt: skip
FOR_TYPES = {"TypeVar", "ParamSpec", "NewType"}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNORDERED = {"sorted": "list", "reversed": "list"}


class Change(NamedTuple):
    """`apply` changes the tree in place; nobody undoes it. `lines` are those a test must reach to be able to notice.

    `scope` is the outermost function or class that holds the change, '' for the module itself; `at_import` says that it
    runs when the module is imported, as a table or a default does.
    """

    scope: str
    at_import: bool
    what: str
    lines: range
    apply: Callable[[], None]


class _Place(NamedTuple):
    """A node, and where its parent keeps it: `parent.field`, or `parent.field[at]`."""

    node: ast.AST
    parent: ast.AST
    field: str
    at: int | None

    def put(self, other: ast.AST) -> Callable[[], None]:
        def apply() -> None:
            ast.copy_location(other, self.node)
            ast.fix_missing_locations(other)
            if self.at is None:
                setattr(self.parent, self.field, other)
            else:
                getattr(self.parent, self.field)[self.at] = other

        return apply

    def skipped(self) -> Callable[[], None]:
        """A statement that is not carried out. A generator stays one."""
        assert isinstance(self.node, ast.stmt)
        return self.put(ast.If(test=ast.Constant(value=False), body=[self.node], orelse=[ast.Pass()]))


def changes(tree: ast.Module) -> list[Change]:
    """All of them, in the order of the source."""
    return list(_within(tree, "", 0, inside=False))


def _within(parent: ast.AST, scope: str, since: int, *, inside: bool, fields: Collection[str] = ()) -> Iterator[Change]:
    """Of everything below `parent`, or below these fields of it. `since`: the line of the statement around it."""
    for place in _places(parent):
        node = place.node
        if _only_for_readers(place) or (fields and place.field not in fields):
            continue
        first = node.lineno if isinstance(node, ast.stmt) else since
        match node:
            case ast.ClassDef(name=name):
                yield from _within(node, _joined(scope, name), first, inside=inside)
            case ast.FunctionDef(name=name):
                # Decorators and defaults run where the function is made, and only the outermost gives its name.
                yield from _within(node, scope, first, inside=inside, fields=("decorator_list", "args"))
                own = scope if inside else _joined(scope, name)
                yield from _within(node, own, first, inside=True, fields=("body",))
            case _:
                for what, apply in _of(place, top=not inside):
                    last = getattr(node, "end_lineno", None) or first
                    yield Change(scope, not inside, what, range(first, last + 1), apply)
                yield from _within(node, scope, first, inside=inside)


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _places(parent: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if isinstance(value, ast.AST):
            yield _Place(value, parent, field, None)
        elif isinstance(value, list):
            for at, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield _Place(one, parent, field, at)


def _only_for_readers(place: _Place) -> bool:
    match place.node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.alias():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(id=name)) if name in FOR_TYPES:
            return True
        case ast.Tuple() if place.field == "slice":  # Callable[[A, B], C]
            return True
        case ast.Constant() if isinstance(place.parent, ast.JoinedStr | ast.FormattedValue):
            return True
        case ast.JoinedStr() if place.field == "format_spec":
            return True
        case ast.Constant() if isinstance(place.parent, ast.Call) and ast.unparse(place.parent.func) == "cast":
            return True
    return place.field in {"annotation", "returns", "ctx", "bases"}


def _of(place: _Place, *, top: bool) -> Iterator[tuple[str, Callable[[], None]]]:
    """What may be changed at this node itself. `top`: it runs at import."""
    yield from _conditions(place)
    match place.node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.BinOp() as node:
            yield from _operators(place, node, top=top)
        case ast.Constant() | ast.JoinedStr() as node:
            yield from _literals(place, node)
        case ast.Call() as node:
            yield from _calls(place, node)
        case ast.List() | ast.Set() | ast.Tuple() as node if _is_a_collection(place, top=top):
            for at, one in enumerate(node.elts):
                yield f"without {_said(one)} in {_said(node)}", _left_out(node.elts, at)
        case ast.Dict() as node:
            for at, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
                said = f"**{_said(value)}" if key is None else f"{_said(key)}: {_said(value)}"
                yield f"without {said}", _left_out(node.keys, at, node.values)
        case ast.Match(cases=cases) if len(cases) > 1:
            for at, case in enumerate(cases):
                if not _impossible(case.body):
                    yield f"without case {_said(case.pattern)}", _left_out(cases, at)
        case ast.stmt() as node:
            yield from _statements(place, node)


def _operators(
    place: _Place, node: ast.Compare | ast.BoolOp | ast.UnaryOp | ast.BinOp, *, top: bool
) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                new = COMPARED[type(op)]()
                other = ast.Compare(node.left, [*ops[:at], new, *ops[at + 1 :]], node.comparators)
                yield f"{SIGNS[type(op)]} → {SIGNS[type(new)]} in {_said(node)}", place.put(other)
        case ast.BoolOp(values=values):
            for at in range(len(values)):
                kept = [*values[:at], *values[at + 1 :]]
                what = f"{'and' if isinstance(node.op, ast.And) else 'or'} without {_said(values[at])}"
                yield what, place.put(kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept))
        case ast.UnaryOp(op=ast.Not()):
            yield _instead(place, node.operand)
        case ast.BinOp() if type(node.op) in COMPUTED and not _joins_text_or_types(node, top=top):
            what, computed = _computed(node)
            yield what, place.put(ast.BinOp(node.left, computed, node.right))


def _literals(place: _Place, node: ast.Constant | ast.JoinedStr) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.Constant(value=bool() as flag):
            yield _instead(place, ast.Constant(not flag))
        case ast.Constant(value=(int() | float()) as number):
            yield _instead(place, ast.Constant(number + 1))
        case ast.Constant(value=str() as text):
            yield _instead(place, ast.Constant("" if text else "other"))
        case ast.JoinedStr():
            yield _instead(place, ast.Constant(""))


def _conditions(place: _Place) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is asked: turned round, unless its own operator is changed anyway; and a filter that lets all through."""
    asked = place.field in {"test", "guard"} or (place.field == "ifs" and isinstance(place.parent, ast.comprehension))
    if not asked or not isinstance(place.node, ast.expr):
        return
    if not isinstance(place.node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
        yield _instead(place, ast.UnaryOp(ast.Not(), place.node))
    if place.field == "ifs":
        yield f"without if {_said(place.node)}", place.put(ast.Constant(value=True))


def _calls(place: _Place, node: ast.Call) -> Iterator[tuple[str, Callable[[], None]]]:
    match node.func:
        case ast.Name(id=name) if name in SWAPPED:
            yield _instead(place, ast.Call(ast.Name(SWAPPED[name], ast.Load()), node.args, node.keywords))
        case ast.Name(id=name) if name in UNORDERED:
            yield _instead(place, ast.Call(ast.Name(UNORDERED[name], ast.Load()), node.args[:1], []))
    for at, one in enumerate(node.keywords):
        if one.arg is not None:
            yield f"without {one.arg}={_said(one.value)} in {_said(node.func)}", _left_out(node.keywords, at)


def _statements(place: _Place, node: ast.stmt) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.AugAssign(target=target, value=value) if type(node.op) in COMPUTED:
            what, computed = _computed(node)
            yield what, place.put(ast.AugAssign(target, computed, value))
            yield _without(node), place.skipped()
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return
        case ast.Return() if isinstance(place.parent, ast.FunctionDef):
            return  # its last: without it the function answers nothing at all
        case ast.Expr() | ast.Continue() | ast.Break() | ast.Return() | ast.Raise() | ast.Delete():
            yield _without(node), place.skipped()
        case ast.Assign(targets=[target], value=value):
            again = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
            if not isinstance(target, ast.Name | ast.Tuple) or (isinstance(target, ast.Name) and target.id in again):
                yield _without(node), place.skipped()


def _computed(node: ast.BinOp | ast.AugAssign) -> tuple[str, ast.operator]:
    new = COMPUTED[type(node.op)]()
    return f"{SIGNS[type(node.op)]} → {SIGNS[type(new)]} in {_said(node)}", new


def _instead(place: _Place, other: ast.AST) -> tuple[str, Callable[[], None]]:
    return f"{_said(place.node)} → {_said(other)}", place.put(other)


def _without(node: ast.stmt) -> str:
    return f"without {_said(node)}"


def _left_out(owner: list[Any], at: int, *beside: list[ast.expr]) -> Callable[[], None]:
    def apply() -> None:
        for one in (owner, *beside):
            del one[at]

    return apply


def _said(node: ast.AST | None) -> str:
    """The source of it, on one line and not too long."""
    said = " ".join(ast.unparse(node).split()) if node is not None else "None"
    return said if len(said) <= 70 else f"{said[:44]} … {said[-20:]}"


def _joins_text_or_types(node: ast.BinOp, *, top: bool) -> bool:
    """Such a change fails wherever it is carried out, and says nothing of the tests."""
    sides = (node.left, node.right)
    if any(isinstance(one, ast.JoinedStr) or (isinstance(one, ast.Constant) and isinstance(one.value, str))
           for one in sides):  # fmt: skip
        return True
    return top and isinstance(node.op, ast.BitOr)


def _is_a_collection(place: _Place, *, top: bool) -> bool:
    """A tuple of many of a kind; not one whose places have meanings of their own."""
    if isinstance(place.node, ast.List | ast.Set):
        return isinstance(getattr(place.node, "ctx", ast.Load()), ast.Load)
    assert isinstance(place.node, ast.Tuple)
    if not isinstance(place.node.ctx, ast.Load) or isinstance(place.parent, ast.Subscript):
        return False
    return top or place.field in {"comparators", "iter"}


def _impossible(body: list[ast.stmt]) -> bool:
    match body:
        case [ast.Expr(value=ast.Call(func=ast.Name(id="assert_never")))]:
            return True
    return False
