"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from config.env import BASE_DIR
from config.services import SERVICES
from config.settings import grading, logsvc, registry, webui

LONGEST_FUNCTION = 60
# Public by their libraries' documents: Django's models and managers, os._exit, named tuples.
DOCUMENTED = {"_meta", "_default_manager", "_exit", "_asdict", "_fields", "_replace"}
PATCHED = re.compile(r"""setattr\(\s*[^,()]+(?:\([^()]*\))?[^,()]*,\s*["']_(?!_)|setattr\(\s*["'][^"']*\._""")


# A docstring begins with a verb or a noun phrase; these begin a part of a sentence.
PARTIAL = re.compile(r"(What|Whose|Whom?|Which|Those|How|Of|All that|Where)\b")
# Where neither stands, nothing need be parsed.
PERHAPS_PARTIAL = re.compile(rf"""["']\\?\s*{PARTIAL.pattern}""")
PERHAPS_PRIVATE = re.compile(r"(?<!\bself)(?<!\bcls)(?<!\bsuper\(\))\._(?!_)")


def modules(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((BASE_DIR / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{path}:{node.lineno} {node.name}"
        for path, source in modules("config", *SERVICES)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert too_long == []


def test_no_test_patches_a_private_name() -> None:
    assert [path for path, source in modules("tests") if PATCHED.search(source)] == []


def test_no_test_reads_a_private_name_of_anything_but_its_own() -> None:
    private = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, source in modules("tests")
        if PERHAPS_PRIVATE.search(source)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and re.match("_(?!_)", node.attr)
        and node.attr not in DOCUMENTED
        and ast.unparse(node.value) not in ("self", "cls", "super()")
    ]
    assert private == []


def test_no_docstring_begins_with_a_part_of_a_sentence() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assert [
        f"{path}:{getattr(node, 'lineno', 1)}"
        for path, source in modules("config", *SERVICES, "bench", "tests")
        if PERHAPS_PARTIAL.search(source)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented) and PARTIAL.match(ast.get_docstring(node) or "")
    ] == []


def test_what_a_serving_process_is_to_call_stands_in_its_settings() -> None:
    named = {name for service in (registry, logsvc, grading, webui) for name in service.WHEN_SERVING}
    called = {
        ".".join([*path.relative_to(BASE_DIR).with_suffix("").parts, node.name])
        for path, source in modules("config", *SERVICES)
        if "settings.WHEN_SERVING)" in source
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and "settings.WHEN_SERVING)" in (ast.get_docstring(node) or "")
    }
    assert len(called) > 3
    assert called - named == set()
