"""How long a header field may be: what is read by patterns and compared is never longer than this."""

import falcon

from service.middleware.request import Request

MOST_CHARACTERS = 8190  # of one field, on however many lines it came; servers refuse longer lines themselves


class LimitMiddleware:
    """Refuses header fields that are too long; one of many lines gets here as one (RFC 9110 §5.3, §5.4)."""

    def process_request(self, req: Request, resp: falcon.Response) -> None:
        """Raise HTTPBadRequest for a field that is longer than MOST_CHARACTERS."""
        for name, value in req.env.items():
            is_long = isinstance(value, str) and len(value) > MOST_CHARACTERS
            if is_long and name.startswith(('HTTP_', 'CONTENT_')):
                raise falcon.HTTPBadRequest(
                    description=f'A header field may have at most {MOST_CHARACTERS} characters.'
                )
