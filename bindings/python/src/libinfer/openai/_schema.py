# SPDX-License-Identifier: MIT
"""JSON schemas as OpenAI's strict mode wants them.

Of every object all properties are required and no others allowed. A reference
stands alone: where something else is beside it, what it refers to is put in its
place. A default of null is left away, since null is allowed by the type.
"""

from typing import Any, Dict, List


def strict(schema: Dict[str, Any]) -> Dict[str, Any]:
    """A strict schema of one that pydantic has made."""
    made: Dict[str, Any] = _strict(schema, schema)
    return made


def _strict(node: Any, root: Dict[str, Any]) -> Any:
    if not isinstance(node, dict):
        return node
    node = _inlined(node, root)
    made: Dict[str, Any] = {}
    for name, value in node.items():
        if name in ("properties", "$defs", "definitions"):
            made[name] = {key: _strict(one, root) for key, one in value.items()}
        elif name in ("anyOf", "allOf"):
            made[name] = [_strict(one, root) for one in value]
        elif name == "items":
            made[name] = _strict(value, root)
        elif not (name == "default" and value is None):
            made[name] = value
    if isinstance(made.get("properties"), dict):
        made["required"] = list(made["properties"])
    if made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _inlined(node: Dict[str, Any], root: Dict[str, Any]) -> Dict[str, Any]:
    """Without a reference that has company, and without an allOf of one."""
    while True:
        alone: List[Any] = node.get("allOf") or []
        if "$ref" in node and len(node) > 1:
            rest = {
                name: value for name, value in node.items() if name != "$ref"
            }
            node = {**_resolve(node["$ref"], root), **rest}
        elif len(alone) == 1:
            rest = {
                name: value for name, value in node.items() if name != "allOf"
            }
            node = {**rest, **alone[0]}
        else:
            return node


def _resolve(reference: str, root: Dict[str, Any]) -> Dict[str, Any]:
    place: Any = root
    for step in reference.split("/")[1:]:
        place = place[step.replace("~1", "/").replace("~0", "~")]
    found: Dict[str, Any] = place
    return found
