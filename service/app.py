"""The wiring, top to bottom."""

import os
import re
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any, TextIO

import falcon
from falcon.routing import BaseConverter

from service import urls
from service.config import Settings
from service.database.clock import Clock, system_clock
from service.database.ids import is_id
from service.database.instrumentation import NO_INSTRUMENTATION
from service.database.session import Session
from service.domain.startup import open_session
from service.graceful_shutdown import PROCESS_SHUTDOWN, Shutdown
from service.logs import RequestLog
from service.middleware.authentication import AuthenticationMiddleware
from service.middleware.conditional import ConditionalMiddleware
from service.middleware.connection import ConnectionMiddleware
from service.middleware.cors import CorsMiddleware
from service.middleware.errors import install_error_writer
from service.middleware.exchange import App
from service.middleware.idempotency import IdempotencyMiddleware
from service.middleware.limits import LimitMiddleware
from service.middleware.links import LinkMiddleware
from service.middleware.methods import MethodsMiddleware, with_standard_methods
from service.middleware.negotiation import NegotiationMiddleware
from service.middleware.origin import OriginMiddleware
from service.middleware.purging import PurgeMiddleware
from service.middleware.queries import QueryMiddleware
from service.middleware.request import Request
from service.middleware.security import SecurityMiddleware
from service.middleware.see_other import SeeOtherMiddleware
from service.representation.formats import HANDLERS
from service.resources import follows, posts, stores, tokens, users
from service.resources.assets import AssetResource
from service.resources.discovery import ApiCatalogResource, DocsResource, OpenApiResource
from service.resources.entry_point import EntryPointResource, RootResource
from service.resources.explanations import ProblemResource, RelationResource
from service.resources.health import LiveResource, ReadyResource
from service.resources.metrics import MetricsResource
from service.resources.openapi.description import Description

if TYPE_CHECKING:
    from service.metrics import Metrics

PARTS = (users, tokens, posts, follows, stores)  # a new thing is one more name here


class IdConverter(BaseConverter):
    """Reads ids in addresses; what is none makes the address none."""

    def convert(self, value: str) -> int | None:
        return int(value) if is_id(value) else None


def make_routes(
    drain: Shutdown = PROCESS_SHUTDOWN, metrics: 'Metrics | None' = None
) -> list[tuple[str, Any]]:
    """Return every address template with its resource."""
    routes: list[tuple[str, Any]] = []
    description = Description(routes)
    routes += [
        (urls.ROOT, RootResource()),
        (urls.ENTRY, EntryPointResource([part.enter for part in PARTS])),
        (urls.RELATION, RelationResource(chain.from_iterable(part.RELATIONS for part in PARTS))),
        (urls.PROBLEM, ProblemResource()),
        (urls.OPENAPI, OpenApiResource(description)),
        (urls.DOCS, DocsResource(description)),
        (urls.API_CATALOG, ApiCatalogResource()),
        (urls.ASSET, AssetResource()),
        (urls.LIVE, LiveResource()),
        (urls.READY, ReadyResource(drain)),
        *([(urls.METRICS, MetricsResource(metrics))] if metrics else []),
        *chain.from_iterable(part.ROUTES for part in PARTS),
    ]
    return routes


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = system_clock,
    drain: Shutdown = PROCESS_SHUTDOWN,
    db: Session | None = None,
    lines: TextIO | None = None,
    metrics: 'Metrics | None' = None,
) -> falcon.App[Request, falcon.Response]:
    """Return the WSGI application; raises SettingError.

    `settings` are those of the environment where none are given, `clock` returns UTC milliseconds, `db` is
    what the settings name where none is given, `lines` takes the log of requests instead of standard error,
    `metrics` counts where METRICS is on, and is told by `db` if it is given with that.
    """
    settings = settings or Settings.from_environment(os.environ)
    if settings.metrics and metrics is None:
        from service.metrics import Metrics  # loads prometheus-client, for those who want it

        metrics = Metrics(settings)
    db = db or open_session(settings, clock, metrics or NO_INSTRUMENTATION)
    routes = make_routes(drain, metrics)
    kinds = frozenset(route[1].vocabulary.kind for route in routes if hasattr(route[1], 'vocabulary'))
    expansions = {place: expand for part in PARTS for place, expand in part.EXPANSIONS.items()}
    finishing = (
        LinkMiddleware(),
        ConditionalMiddleware(),
        SeeOtherMiddleware(),
        NegotiationMiddleware(),
        QueryMiddleware(kinds, expansions),
    )
    app = App(
        settings,
        RequestLog(settings.log_format, lines or sys.stderr),
        metrics,
        media_type=falcon.MEDIA_TEXT,
        request_type=Request,
        middleware=[
            ConnectionMiddleware(db),
            OriginMiddleware(settings, db),
            LimitMiddleware(),
            PurgeMiddleware(),
            CorsMiddleware(settings),
            SecurityMiddleware(),
            MethodsMiddleware(),
            AuthenticationMiddleware(),
            *finishing,
            IdempotencyMiddleware(finishing),
        ],
    )
    app.req_options.strip_url_path_trailing_slash = True
    app.resp_options.media_handlers.update(HANDLERS)
    app.router_options.converters['id'] = IdConverter
    install_error_writer(app)

    for template, resource in routes:
        app.add_route(re.sub(r'{(\w+_id)}', r'{\1:id}', template), with_standard_methods(resource))
    return app
