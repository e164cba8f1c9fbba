#!/usr/bin/env python3
"""Write src/catalog/data/resource-types.txt from the resource provider schemas that cfn-lint carries.

    python3 -m venv venv && venv/bin/pip install cfn-lint==1.58.0
    venv/bin/python tools/resource_types.py > src/catalog/data/resource-types.txt

The schemas are read through cfn-lint's own manager, so its patches and its GetAtt exceptions apply. Only facts
are taken: names, kinds, and the lists of pointers. SAM types are left out: they exist only before a transform.

Format, one block per type in order of name:

    = AWS::Service::Type          begins a type; "+" after the name: unknown properties are allowed
     Name! kinds                  a property; "!" means required; kinds joined with "|": string, integer, number,
                                  boolean, object, array, any, {Definition}, [kinds of the items]
    - Definition                  begins an object shape, with the same kind of lines
    @ word values                 pointers below the properties ("*" is any item), GetAtt names, handlers
"""

import json
import sys
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path

import cfnlint
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as MANAGER

REGION = "us-east-1"
SCALARS = ("string", "integer", "number", "boolean")
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"


class Shapes:
    """The object shapes of one type, named as in the schema or by the path of the property that holds them."""

    def __init__(self, schema):
        self.resolver = schema.resolver
        self.found = OrderedDict()
        self.names = {}

    def follow(self, node):
        name = None
        seen = set()
        while isinstance(node, dict) and "$ref" in node and node["$ref"] not in seen:
            seen.add(node["$ref"])
            name = node["$ref"].rsplit("/", 1)[-1]
            _, node = self.resolver.resolve(node["$ref"])
        return name, node if isinstance(node, dict) else {}

    def branches(self, node):
        for word in ("oneOf", "anyOf", "allOf"):
            for branch in node.get(word, []):
                yield self.follow(branch)[1]

    def kinds(self, node, path):
        name, node = self.follow(node)
        types = node.get("type", [])
        types = [types] if isinstance(types, str) else list(types)
        words = {word for word in types if word in SCALARS}
        if "object" in types or (not types and "properties" in node):
            words.add(self.shape(node, name or path))
        if "array" in types or (not types and "items" in node):
            words.add("[" + self.kinds(node.get("items", {}), name or path) + "]" if "items" in node else "array")
        if not words and not types:
            for branch in self.branches(node):
                words.update(self.kinds(branch, name or path).split("|"))
        return "any" if not words or "any" in words else "|".join(sorted(words))

    def shape(self, node, name):
        properties, required, closed = self.members(node)
        if not properties:
            return "object"
        known = self.names.get(id(node))
        if known is None:
            known = name.replace(" ", "")
            while known in self.found:
                known += "_"
            self.names[id(node)] = known
            self.found[known] = None
            self.found[known] = (self.lines(properties, required, known), closed)
        return "{" + known + "}"

    def members(self, node):
        properties = dict(node.get("properties", {}))
        closed = node.get("additionalProperties") is False and "patternProperties" not in node
        for branch in self.branches(node):
            for key, value in branch.get("properties", {}).items():
                if key not in properties and value is not False:
                    properties[key] = value
        return properties, set(node.get("required", [])), closed

    def lines(self, properties, required, path):
        return [
            f" {key}{'!' if key in required else ''} {self.kinds(value, f'{path}.{key}' if path else key)}"
            for key, value in sorted(properties.items())
            if not isinstance(value, bool)
        ]


def pointers(schema, word):
    return ["/" + pointer.removeprefix("/properties/") for pointer in sorted(schema.get(word, []))]


def tags(schema):
    tagging = schema.get("tagging", {"taggable": schema.get("taggable", True)})
    name = tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
    if not tagging.get("taggable", True) or name not in schema["properties"]:
        return []
    updatable = tagging.get("tagUpdatable", True)
    return [name] if updatable else [name, "create-only"]


def handlers(schema):
    verbs = schema.get("handlers", {})
    minutes = {verb: verbs[verb].get("timeoutInMinutes") for verb in ("create", "update", "delete") if verb in verbs}
    return [verb if timeout is None else f"{verb}={timeout}" for verb, timeout in minutes.items()]


def facts(schema):
    body = schema.schema
    yield "createOnly", pointers(body, "createOnlyProperties")
    yield "conditionalCreateOnly", pointers(body, "conditionalCreateOnlyProperties")
    yield "readOnly", pointers(body, "readOnlyProperties")
    yield "writeOnly", pointers(body, "writeOnlyProperties")
    yield "identifier", ["/" + p.removeprefix("/properties/") for p in body.get("primaryIdentifier", [])]
    yield "attributes", sorted(key.replace("\\.", ".").replace(".*", "*") if key in (".*", "Outputs\\..*") else key
                               for key in schema.get_atts.data)
    yield "tags", tags(body)
    yield "handlers", handlers(body)
    yield "replacement", [body["replacementStrategy"]] if "replacementStrategy" in body else []


def block(name, schema):
    shapes = Shapes(schema)
    properties, required, closed = shapes.members(schema.schema)
    lines = shapes.lines(properties, required, "")
    yield f"= {name}{'' if closed else '+'}"
    yield from lines
    for definition, (members, shut) in sorted(shapes.found.items()):
        yield f"- {definition}{'' if shut else '+'}"
        yield from members
    for word, values in facts(schema):
        if values:
            yield f"@ {word} {' '.join(values)}"


def main():
    date = json.loads((SCHEMAS / "version.json").read_text())["schema_date"][:10]
    sam = json.loads((SCHEMAS / "providers" / "sam.json").read_text())
    names = sorted(name for name in MANAGER.get_resource_types(REGION) if name not in sam)
    print(f"# {len(names)} resource types of {REGION}, schemas of {date}, from cfn-lint {version('cfn-lint')}")
    for name in names:
        sys.stdout.write("\n".join(block(name, MANAGER.get_resource_schema(REGION, name))) + "\n")


if __name__ == "__main__":
    main()
