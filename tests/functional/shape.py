"""As much of JSON Schema as openrpc.json uses, strict about words it does not know."""

import re

KNOWN = {
    "type", "description", "properties", "required", "additionalProperties", "items",
    "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "oneOf", "$ref",
    "default", "format",
}
TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


class Mismatch(AssertionError):
    pass


def check(value, schema, document, where="$"):
    """AssertionError naming the place if value does not fit schema."""
    unknown = set(schema) - KNOWN
    assert not unknown, f"{where}: the checker does not know {unknown}"
    if "$ref" in schema:
        return check(value, resolve(schema["$ref"], document), document, where)
    if "oneOf" in schema:
        return check_one_of(value, schema["oneOf"], document, where)
    types = schema.get("type", list(TYPES))
    types = [types] if isinstance(types, str) else types
    if not any(TYPES[t](value) for t in types):
        raise Mismatch(f"{where}: {value!r} is none of {types}")
    if "enum" in schema and value not in schema["enum"]:
        raise Mismatch(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        raise Mismatch(f"{where}: {value!r} does not match {schema['pattern']}")
    if TYPES["number"](value):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            raise Mismatch(f"{where}: {value} is outside {low}..{high}")
    if isinstance(value, dict):
        check_object(value, schema, document, where)
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            check(item, schema["items"], document, f"{where}[{i}]")


def check_object(value, schema, document, where):
    properties = schema.get("properties", {})
    missing = set(schema.get("required", [])) - set(value)
    if missing:
        raise Mismatch(f"{where}: {sorted(missing)} missing")
    more = set(value) - set(properties)
    if more and schema.get("additionalProperties", True) is False:
        raise Mismatch(f"{where}: {sorted(more)} not described")
    for name, member in value.items():
        if name in properties:
            check(member, properties[name], document, f"{where}.{name}")


def check_one_of(value, choices, document, where):
    reasons = []
    for choice in choices:
        try:
            check(value, choice, document, where)
        except Mismatch as e:
            reasons.append(str(e))
    if len(reasons) != len(choices) - 1:
        raise Mismatch(f"{where}: fits {len(choices) - len(reasons)} of oneOf: {reasons}")


def resolve(reference, document):
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
