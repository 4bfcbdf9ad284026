"""Application factory: middleware, routes and error handlers."""

import os
import sys
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TextIO

import falcon

from service import urls
from service.config import Settings
from service.database.clock import Clock, system_clock
from service.database.instrumentation import NO_INSTRUMENTATION
from service.database.session import Session
from service.domain.startup import open_session
from service.graceful_shutdown import PROCESS_SHUTDOWN, Shutdown
from service.http.application import Application, Router, describe_server
from service.http.errors import install_error_writer
from service.http.middleware.authentication import AuthenticationMiddleware
from service.http.middleware.browser_policies import BrowserPolicyMiddleware
from service.http.middleware.browser_session import BrowserSessionMiddleware
from service.http.middleware.compression import CompressionMiddleware
from service.http.middleware.context import ContextMiddleware
from service.http.middleware.guards import GuardMiddleware
from service.http.middleware.negotiation import NegotiationMiddleware
from service.http.operation import Route, check_declaration, kinds_of
from service.http.request import Related, Request
from service.logs import RequestLog
from service.representation.formats import HANDLERS
from service.resources import follows, items, posts, recovery, stores, tokens, users
from service.resources.assets import AssetResource
from service.resources.discovery import ApiCatalogResource, DocsResource, OpenApiResource
from service.resources.documentation import ProblemResource, RelationResource
from service.resources.entry_point import EntryPointResource, RootResource, represent_entry_point
from service.resources.health import LiveResource, ReadyResource
from service.resources.metrics import MetricsResource
from service.resources.openapi.description import Description

if TYPE_CHECKING:
    from service.metrics import Metrics

MODULES = (users, tokens, posts, follows, stores, items)  # a new resource is added here
ALL_MODULES = (*MODULES, recovery)
HOME = partial(represent_entry_point, [module.entry_point for module in ALL_MODULES])


def make_routes(
    shutdown: Shutdown = PROCESS_SHUTDOWN, metrics: 'Metrics | None' = None, *, has_mail: bool = False
) -> list[Route]:
    """Return every URL template with its resource."""
    routes: list[Route] = []
    modules = ALL_MODULES if has_mail else MODULES
    description = Description(routes)
    routes += [
        (urls.ROOT, RootResource()),
        (urls.ENTRY, EntryPointResource(HOME)),
        (urls.RELATION, RelationResource(chain.from_iterable(module.RELATIONS for module in ALL_MODULES))),
        (urls.PROBLEM, ProblemResource()),
        (urls.OPENAPI, OpenApiResource(description)),
        (urls.DOCS, DocsResource(description)),
        (urls.API_CATALOG, ApiCatalogResource()),
        (urls.ASSET, AssetResource()),
        (urls.LIVE, LiveResource()),
        (urls.READY, ReadyResource(shutdown)),
        *([(urls.METRICS, MetricsResource(metrics))] if metrics else []),
        *chain.from_iterable(module.ROUTES for module in modules),
    ]
    return routes


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = system_clock,
    shutdown: Shutdown = PROCESS_SHUTDOWN,
    db: Session | None = None,
    lines: TextIO | None = None,
    metrics: 'Metrics | None' = None,
) -> falcon.App[Request, falcon.Response]:
    """Return the WSGI application; raises SettingError.

    `settings` default to those of the environment. `clock` returns UTC milliseconds. `db` defaults to a
    session on the database that the settings name. `lines` receives the access log instead of standard
    error. `metrics` is used if METRICS is on; a `db` passed with it must be instrumented by it.
    """
    settings = settings or Settings.from_environment(os.environ)
    if settings.metrics and metrics is None:
        from service.metrics import Metrics  # imports prometheus-client, which nothing else needs

        metrics = Metrics(settings)
    db = db or open_session(settings, clock, metrics or NO_INSTRUMENTATION)
    routes = make_routes(shutdown, metrics, has_mail=settings.mail_url is not None)
    for _, resource in routes:
        check_declaration(resource)
    related = Related(
        kinds_of(resource for _, resource in routes),
        {relation: expand for module in MODULES for relation, expand in module.EXPANSIONS.items()},
        {kind: find for module in MODULES for kind, find in module.RESOURCES.items()},
    )
    app = Application(
        settings,
        RequestLog(settings.log_format, lines or sys.stderr),
        metrics,
        media_type=falcon.MEDIA_TEXT,
        router=Router(),
        request_type=Request,
        # A request passes down this list to its responder, and its response passes back up:
        #
        #                                  request                     response
        #   Application                    its id                      X-Request-Id, the log, metrics
        #   ContextMiddleware              session, URLs, Host (400)   returns the database connection
        #   GuardMiddleware                schema (503), fields (400)  |
        #   BrowserSessionMiddleware       the method of a form        |
        #   -- routing --                  URL (404)                   |
        #   GuardMiddleware                method (405, 501)           |
        #   BrowserSessionMiddleware       viewer by cookie (403)      renews or clears the cookie
        #   BrowserPolicyMiddleware        |                           security policies, Access-Control-…
        #   CompressionMiddleware          |                           Content-Encoding
        #   AuthenticationMiddleware       viewer (401)                |
        #   NegotiationMiddleware          format (406), query (400)   the steps of present(), RateLimit
        #   -- responder --
        #
        # An exception becomes a problem (http/errors.py), which passes up from there like any response.
        middleware=[
            ContextMiddleware(settings, db, HOME),
            GuardMiddleware(),
            BrowserSessionMiddleware(),
            BrowserPolicyMiddleware(settings),
            CompressionMiddleware(),
            AuthenticationMiddleware(),
            NegotiationMiddleware(related),
        ],
    )
    app.req_options.strip_url_path_trailing_slash = True
    app.resp_options.media_handlers.update(HANDLERS)
    install_error_writer(app)

    for template, resource in routes:
        app.add_route(template, resource)
    app.add_sink(describe_server, r'\*$')
    return app
