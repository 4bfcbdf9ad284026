"""RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11)."""

from service.domain.rate_limits import Quotas


def rate_limit_headers(quotas: Quotas) -> dict[str, str]:
    """Return the header fields of the quotas, which are lists of strings with parameters (RFC 9651 §3.1)."""
    if not quotas:
        return {}
    policies, limits = [], []
    for name, (limit, remaining, seconds) in quotas.items():
        policies.append(f'"{name}";q={limit.attempts};w={limit.seconds}')
        limits.append(f'"{name}";r={remaining}' + (f';t={seconds}' if seconds else ''))
    return {'RateLimit-Policy': ', '.join(policies), 'RateLimit': ', '.join(limits)}
