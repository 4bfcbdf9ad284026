"""The `routes` and `openapi` commands, which describe the API."""

import json
import os

import click

from service.app import make_routes
from service.commands.cli import EXIT_CODES, exit_on_error, json_option, output
from service.config import Settings
from service.http.operation import Access, Resource
from service.representation.url_builder import Features, UrlBuilder
from service.resources.openapi.description import Description

METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
AUDIENCES = {
    Access.PUBLIC: 'anyone',
    Access.ANYONE: 'anyone',
    Access.SHARED: 'anyone',
    Access.SECRET: 'secret',
    Access.TOKEN: 'token',
    Access.OWNER: 'owner',
    Access.CREDENTIALS: 'password or token',
}


@click.command(epilog=EXIT_CODES)
@json_option
def routes(as_json: bool) -> None:
    """List the URL templates of the API, with their methods and the access that these require.

    Anyone may use OPTIONS everywhere, and HEAD is like GET. `owner` is the owner of the resource. No database
    is needed.
    """
    rows = [
        {'address': template, 'who': audience, 'methods': methods}
        for template, resource in make_routes()
        for audience, methods in _methods_by_audience(resource).items()
    ]
    width = max(len(row['address']) for row in rows)
    lines = (f'{row["address"]:<{width}}  {row["who"]:<17}  {" ".join(row["methods"])}' for row in rows)
    output('\n'.join(lines), rows, as_json=as_json)


def _methods_by_audience(resource: Resource) -> dict[str, list[str]]:
    """Return the methods of the resource by the clients that may use them."""
    methods_by_audience: dict[str, list[str]] = {}
    for method in METHODS:
        if method in resource.operations:
            audience = AUDIENCES[resource.operations[method].access]
            methods_by_audience.setdefault(audience, []).append(method)
    return methods_by_audience


@click.command(epilog=EXIT_CODES)
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the API.

    Its URLs start with BASE_URL, or with http://localhost and the PORT. No database is needed.
    """
    with exit_on_error():
        settings = Settings.from_environment(os.environ)
    origin = settings.base_url or f'http://localhost:{settings.port}'
    description = Description(make_routes(has_mail=settings.mail_url is not None)).at(
        UrlBuilder(origin, Features.of(settings))
    )
    click.echo(json.dumps(description, indent=2, ensure_ascii=False))
