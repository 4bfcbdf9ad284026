"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11)."""

import falcon

from service.domain.rate_limits import Quotas
from service.domain.throttle import address_subjects, find_quotas
from service.http.request import Request


def set_rate_limit_headers(req: Request, resp: falcon.Response) -> None:
    """Set the fields to the quotas that the responder found, or else to those of the client's IP address."""
    limits = req.operation.limits
    if limits and resp.status_code < 500 and not resp.get_header('RateLimit'):
        quotas = req.quotas or find_quotas(req.db, address_subjects(limits, req.client_address))
        resp.set_headers(rate_limit_headers(quotas))


def rate_limit_headers(quotas: Quotas) -> dict[str, str]:
    """Return the header fields of the quotas, which are lists of strings with parameters (RFC 9651 §3.1)."""
    if not quotas:
        return {}
    policies, limits = [], []
    for name, (limit, remaining, seconds) in quotas.items():
        policies.append(f'"{name}";q={limit.attempts};w={limit.seconds}')
        limits.append(f'"{name}";r={remaining}' + (f';t={seconds}' if seconds else ''))
    return {'RateLimit-Policy': ', '.join(policies), 'RateLimit': ', '.join(limits)}
