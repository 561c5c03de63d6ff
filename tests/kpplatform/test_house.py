"""The house keeps its own rules: sizes, names, and migrations that are written down."""

import ast
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["kpplatform", "creators", "catalog", "billing", "recommender"]
MODULES = sorted(
    path
    for floor in [*FLOORS, "tests", "bench"]
    for path in (ROOT / floor).rglob("*.py")
    if "migrations" not in path.parts
)
LONGEST_FUNCTION, LONGEST_MODULE = 40, 300
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "handler", "misc"}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring: a long explanation is no long function."""
    assert function.end_lineno is not None
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    explained = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return function.end_lineno - function.lineno + 1 - explained


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_and_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_MODULE

    assert [f.name for f in functions(path) if lines(f) > LONGEST_FUNCTION] == []


def test_functions_are_short_on_the_whole() -> None:
    sizes = sorted(lines(f) for path in MODULES if path.relative_to(ROOT).parts[0] in FLOORS for f in functions(path))

    assert sizes[len(sizes) // 2] < 10
    assert sizes[len(sizes) * 9 // 10] < 24


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [path for path in MODULES if path.stem in FORBIDDEN_NAMES] == []


@pytest.mark.django_db(databases=["default", "operator", "owner"])
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
