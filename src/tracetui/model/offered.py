"""The tools that were offered to a call, with their descriptions, in any dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracetui.model import jsonx
from tracetui.model.chat import ToolDefinition

_KEYS = ("tools", "functions", "tool_definitions", "gen_ai.tool.definitions", "ai.prompt.tools", "llm.tools",
         "mlflow.chat.tools", "function_tools", "available_tools", "function_declarations", "functionDeclarations",
         "output_tools")  # fmt: skip
_FLAT = re.compile(r"llm\.(?:tools\.\d+\.tool\.json_schema|request\.functions\.(\d+)\.(name|description|parameters))")
_SCHEMA = ("parameters", "input_schema", "inputSchema", "args_schema", "parameters_json_schema", "parametersJsonSchema")
_MAX_DEPTH = 4
_MAX_SEARCHED = 200


def tools_of(inputs: Any, extra: Any = None) -> list[ToolDefinition]:
    """The tools offered to a call, in order, each name once. Empty where none are known. Never raises.

    `inputs` and `extra` are what a run holds: request arguments, or attributes of a span, flattened or nested.
    """
    found: dict[str, ToolDefinition] = {}
    for place in (inputs, extra):
        for tool in _search(place, 0):
            known = found.get(tool.name)
            if known is None or (tool.description and not known.description):
                found[tool.name] = tool
    return list(found.values())


def _search(value: Any, depth: int) -> Iterator[ToolDefinition]:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for key in _KEYS:
        yield from _read(value.get(key), 0)
    yield from _flat(value)
    for inner in list(value.values())[:_MAX_SEARCHED]:
        if isinstance(inner, dict):
            yield from _search(inner, depth + 1)


def _flat(attributes: Mapping[str, Any]) -> Iterator[ToolDefinition]:
    """OpenInference's and older OpenLLMetry's flattened lists."""
    functions: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        match = _FLAT.fullmatch(key)
        if match and match[1] is None:
            yield from _read(value, 0)
        elif match:
            functions.setdefault(int(match[1]), {})[match[2]] = value
    for _, function in sorted(functions.items()):
        yield from _read(function, 0)


def _read(value: Any, depth: int) -> Iterator[ToolDefinition]:
    if depth > _MAX_DEPTH:
        return
    value = jsonx.unwrapped(value)
    if isinstance(value, list):
        for item in value:
            yield from _read(item, depth + 1)
    elif isinstance(value, dict):
        for key in ("function_declarations", "functionDeclarations"):
            if isinstance(value.get(key), list):
                yield from _read(value[key], depth + 1)
                return
        for key in ("function", "tool", "json_schema", "toolSpec", "tool_spec"):
            if isinstance(value.get(key), dict | str):
                yield from _read(value[key], depth + 1)
                return
        if isinstance(value.get("name"), str) and value["name"]:
            yield _definition(value)
        elif value and all(isinstance(inner, dict) for inner in value.values()):  # keyed by name
            for name, inner in value.items():
                yield from _read({"name": name, **inner}, depth + 1)


def _definition(tool: Mapping[str, Any]) -> ToolDefinition:
    description = tool.get("description")
    parameters = next((tool[key] for key in _SCHEMA if tool.get(key) is not None), None)
    parameters = jsonx.unwrapped(parameters)
    if isinstance(parameters, dict) and parameters.keys() == {"json"}:  # Bedrock's wrapping
        parameters = parameters["json"]
    return ToolDefinition(tool["name"], description if isinstance(description, str) else "", parameters)
