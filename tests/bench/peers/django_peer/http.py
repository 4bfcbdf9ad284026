"""Bearer tokens, HAL and preconditions."""

import hashlib

from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from .models import Token, User, now


class BearerAuthentication(BaseAuthentication):
    """Finds the user of the bearer token."""

    def authenticate(self, request: Request) -> tuple[User, Token]:
        scheme, _, secret = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
        digest = hashlib.sha256(secret.encode()).hexdigest()
        tokens = Token.objects.select_related('user').filter(digest=digest, expires_at__gt=now())
        token = tokens.first() if scheme == 'Bearer' else None
        if token is None:
            raise AuthenticationFailed
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="peer"'


class HalRenderer(JSONRenderer):
    """Renders HAL."""

    media_type = 'application/hal+json'


class PreconditionFailed(APIException):
    """The resource has changed since the client read it."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
