"""The API's description as the page shows it: each route with what it takes and what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Operation", "Part", "messages_of", "operations_of"]

Schema: TypeAlias = Mapping[str, Any]

METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True)
class Part:
    """A parameter or a field: its type in words, and whether it has to be there."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """A method of a route. `takes` and `gives`: the fields of its body and of its answer."""

    tag: str
    method: str
    path: str
    description: str
    parameters: Sequence[Part]
    takes: Sequence[Part]
    gives: Sequence[Part]


def operations_of(description: Schema) -> dict[str, list[Operation]]:
    """The operations of an OpenAPI description by their tag, in its order."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in description["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = _operation(description, path, method, methods[method])
                groups.setdefault(operation.tag, []).append(operation)
    return groups


def messages_of(description: Schema) -> dict[str, list[Part]]:
    """The fields of every message that the operations name."""
    schemas = description["components"]["schemas"]
    fields = {name: list(_fields(description, schema)) for name, schema in sorted(schemas.items())}
    return {name: found for name, found in fields.items() if found}


def _operation(description: Schema, path: str, method: str, described: Schema) -> Operation:
    answers = described.get("responses", {})
    good: Schema = next((answers[code] for code in sorted(answers) if code.startswith("2")), {})
    return Operation(
        next(iter(described.get("tags", ())), "other"),
        method.upper(),
        path,
        described.get("description", ""),
        [
            Part(one["name"], _kind(description, one["schema"]), one.get("required", False), one.get("description", ""))
            for one in described.get("parameters", ())
        ],
        list(_fields(description, _body(described.get("requestBody", {})))),
        list(_fields(description, _body(good))),
    )


def _body(described: Schema) -> Schema:
    schema: Schema = described.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _fields(description: Schema, schema: Schema) -> Iterator[Part]:
    schema = _followed(description, schema)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _fields(description, choice)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield Part(name, _kind(description, field), name in required, field.get("description", ""))


def _kind(description: Schema, schema: Schema) -> str:
    """A type in words, such as "array of string", "string or null", or the name of a message."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    choices = (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    if choices:
        return " or ".join(dict.fromkeys(_kind(description, choice) for choice in choices))
    if "enum" in schema or "const" in schema:
        return " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"array of {_kind(description, schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _followed(description: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found
