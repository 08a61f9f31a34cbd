"""The sandbox shop's schema is a part of Shopify's: no type, field or argument of its own, and no other types."""

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from sandbox.shopify.api import schema as sandbox_schema
from tests.connectors.shopify.admin_schema import admin_schema

RELAXED = {"first", "after"}
"""Arguments of connections: the sandbox gives them defaults of its own."""


def test_everything_in_it_is_shopifys() -> None:
    real = admin_schema()
    wrong: list[str] = []
    for name, made in sandbox_schema().type_map.items():
        there = real.type_map.get(name)
        if name.startswith("__"):
            continue
        if there is None:
            wrong.append(name)
        elif isinstance(made, GraphQLEnumType):
            assert isinstance(there, GraphQLEnumType)
            wrong += [f"{name}.{value}" for value in made.values if value not in there.values]
        elif isinstance(made, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            assert isinstance(there, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
            for field, has in made.fields.items():
                known = there.fields.get(field)
                if known is None or str(known.type) != str(has.type):
                    wrong.append(f"{name}.{field}: {has.type}, Shopify's is {known and known.type}")
                elif not isinstance(made, GraphQLInputObjectType):
                    wrong += [f"{name}.{field}({one})" for one in has.args if one not in known.args]
    assert wrong == []
