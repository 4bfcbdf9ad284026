"""Commands about the API itself: its addresses as a table, and its description."""

import json
import os

import click

from service.app import make_routes
from service.commands.outcome import EXIT_CODES, as_json, failing, say
from service.config import Settings
from service.http.operation import Resource
from service.representation.addresses import AddressBook
from service.resources.openapi.description import Description
from service.resources.openapi.operations import Operation

METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')


@click.command(epilog=EXIT_CODES)
@as_json
def routes(as_json: bool) -> None:
    """List the addresses of the API, and who may use which methods.

    HEAD goes with every GET, and OPTIONS is for anyone everywhere. `owner` is whose thing it is. It takes
    no database.
    """
    rows = [
        {'address': template, 'who': audience, 'methods': methods}
        for template, resource in make_routes()
        for audience, methods in _methods_by_audience(template, resource).items()
    ]
    width = max(len(row['address']) for row in rows)
    lines = (f'{row["address"]:<{width}}  {row["who"]:<17}  {" ".join(row["methods"])}' for row in rows)
    say('\n'.join(lines), rows, as_json=as_json)


def _methods_by_audience(template: str, resource: Resource) -> dict[str, list[str]]:
    """Return the methods of the resource by who may use them."""
    found: dict[str, list[str]] = {}
    for method in METHODS:
        if method in resource.operations:
            found.setdefault(Operation(template, method, resource).audience, []).append(method)
    return found


@click.command(epilog=EXIT_CODES)
def openapi() -> None:
    """Print the description of the API (OpenAPI 3.1).

    Its addresses start with BASE_URL, or with http://localhost and the PORT. It takes no database.
    """
    with failing():
        settings = Settings.from_environment(os.environ)
    origin = settings.base_url or f'http://localhost:{settings.port}'
    description = Description(make_routes()).at(AddressBook(origin, avatars=settings.avatars))
    click.echo(json.dumps(description, indent=2, ensure_ascii=False))
