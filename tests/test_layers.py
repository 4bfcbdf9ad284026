"""The layers: modules import only from the layers below, and the domain imports no HTTP or JSON."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SERVICE = Path(__file__).parents[1] / 'service'
LAYERS = (
    *('config', 'database', 'domain', 'urls', 'mail', 'representation', 'http', 'resources', 'app'),
    *('serving', 'commands'),
)
HTTP_AND_JSON = {'falcon', 'gunicorn', 'orjson', 'jinja2', 'json', 'http', 'wsgiref'}


def read_imports() -> dict[str, set[str]]:
    """Return the names of the modules and objects that each module of the service imports."""
    modules: dict[str, set[str]] = {}
    for path in SERVICE.rglob('*.py'):
        name = '.'.join(path.relative_to(SERVICE.parent).with_suffix('').parts).removesuffix('.__init__')
        names = modules.setdefault(name, set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {f'{node.module}.{alias.name}' for alias in node.names} | {node.module}
    return modules


IMPORTS = read_imports()
INTERNAL = {
    name: {other for other in others if other in IMPORTS and other != 'service'}
    for name, others in IMPORTS.items()
}


def layer_of(name: str) -> int | None:
    """Return the number of the layer of a module, None if it is outside the layers."""
    part = name.split('.')[1] if '.' in name else ''
    return LAYERS.index(part) if part in LAYERS else None


@pytest.mark.parametrize('name', sorted(INTERNAL))
def test_a_module_imports_only_from_its_layer_and_those_below(name: str) -> None:
    own_layer = layer_of(name)
    for other in INTERNAL[name]:
        other_layer = layer_of(other)
        assert own_layer is None or other_layer is None or other_layer <= own_layer, f'{name} imports {other}'


def test_imports_have_no_cycle() -> None:
    assert len(list(TopologicalSorter(INTERNAL).static_order())) >= len(INTERNAL)


def test_the_domain_and_the_database_import_no_http_or_json() -> None:
    for name, others in IMPORTS.items():
        if name.startswith(('service.domain', 'service.database')):
            assert not HTTP_AND_JSON & {other.partition('.')[0] for other in others}, name


def test_the_urls_module_has_no_imports() -> None:
    assert IMPORTS['service.urls'] == set()


def test_resources_import_no_renderer() -> None:
    exceptions = ('service.resources.openapi', 'service.resources.discovery')  # they describe all formats
    for name, others in INTERNAL.items():
        if name.startswith('service.resources') and not name.startswith(exceptions):
            formats = {'hal', 'hal_forms', 'json_api', 'html', 'formats'}
            assert not {f'service.representation.{renderer}' for renderer in formats} & others, name


def test_the_conformance_kit_imports_nothing_else_of_the_service() -> None:
    for name, others in INTERNAL.items():
        if name.startswith('service.conformance'):
            assert all(other.startswith('service.conformance') for other in others), name


def test_only_commands_import_the_conformance_kit() -> None:
    for name, others in INTERNAL.items():
        if not name.startswith(('service.conformance', 'service.commands')):
            assert not any(other.startswith('service.conformance') for other in others), name
