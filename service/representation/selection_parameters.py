"""The parameters `include` and `fields[KIND]` (JSON:API 1.1 §8.3, §8.4)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from service.representation.document import EVERYTHING, Inclusion, Selection, member
from service.representation.json_api import MEMBER
from service.representation.parameter_values import InvalidParameter
from service.representation.query import query_string

MAX_STEPS = 3  # of a path of relationships to include
FIELDS = re.compile(r'fields\[([^\[\]]+)\]')
NAMES = rf'^(?:{MEMBER.pattern}(?:[.,]{MEMBER.pattern})*)?$'
# For each kind, the relations whose documents can be included, with the kinds of these documents.
Kinds = Mapping[str, Mapping[str, str]]


def read_selection(params: Mapping[str, str], kind: str, kinds: Kinds) -> Selection:
    """Return the requested relations and fields; raises InvalidParameter."""
    fields = {
        match[1]: frozenset(_names(name, value))
        for name, value in params.items()
        if (match := FIELDS.fullmatch(name))
    }
    if not fields and 'include' not in params:
        return EVERYTHING
    include = _inclusion(params['include'], kind, kinds) if 'include' in params else None
    return Selection(include, fields, query_string(params))


def _inclusion(value: str, kind: str, kinds: Kinds) -> Inclusion:
    """Return the tree of the relations in a list of paths."""
    tree: dict[str, Any] = {}
    for path in _names('include', value):
        node, node_kind = tree, kind
        steps = path.split('.')
        for step in steps:
            rel = next((rel for rel in kinds[node_kind] if member(rel) == step), None)
            if rel is None or len(steps) > MAX_STEPS:
                raise InvalidParameter('include', f'does not support {path!r} here')
            node, node_kind = node.setdefault(rel, {}), kinds[node_kind][rel]
    return tree


def path_pattern(kind: str, kinds: Kinds, steps: int = MAX_STEPS) -> str:
    """Return the regular expression of the paths of relationships that can be included with a kind."""
    names_by_rest: dict[str, list[str]] = {}  # names by the pattern of the steps that can follow
    for rel, target in kinds[kind].items():
        rest = f'(?:[.]{path_pattern(target, kinds, steps - 1)})?' if steps > 1 and kinds[target] else ''
        names_by_rest.setdefault(rest, []).append(member(rel))
    return _any_of([f'{_any_of(sorted(names))}{rest}' for rest, names in names_by_rest.items()])


def _any_of(patterns: Sequence[str]) -> str:
    return patterns[0] if len(patterns) == 1 else f'(?:{"|".join(patterns)})'


def _names(parameter: str, value: str) -> list[str]:
    names = value.split(',') if value else []
    for name in names:
        if not all(MEMBER.fullmatch(step) for step in name.split('.')):
            raise InvalidParameter(parameter, f'contains {name!r}, which is not a name')
    return names
