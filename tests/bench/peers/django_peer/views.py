"""The views."""

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import F
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .http import HalRenderer, PreconditionFailed
from .models import Token, User, now
from .serializers import PostSerializer, UserSerializer


class HalView(APIView):
    """The base class of the views."""

    def context(self) -> dict[str, Any]:
        return {'request': self.request, 'api': self.request.build_absolute_uri('/api')}

    def respond(self, document: dict[str, Any], **options: Any) -> Response:
        """Respond with a HAL document; ConditionalGetMiddleware adds the ETag."""
        curies = f'{self.request.build_absolute_uri("/api")}/rels/{{rel}}'
        links = document['_links'] | {'curies': [{'name': 'hc', 'href': curies, 'templated': True}]}
        response = Response({**document, '_links': links}, **options)
        response['Cache-Control'] = 'private, no-cache'
        response['Vary'] = 'Accept, Authorization'
        return response

    def confirm_token(self) -> int:
        """Update the token in the transaction; it may have been revoked since authentication."""
        time = now()
        if not Token.objects.filter(pk=self.request.auth.pk, expires_at__gt=time).update(last_used_at=time):
            raise AuthenticationFailed
        return time


class UserView(HalView):
    """One user."""

    def get(self, request: Request, user_id: int) -> Response:
        user = get_object_or_404(User, pk=user_id)
        return self.respond(UserSerializer(user, context=self.context()).data)

    @transaction.atomic
    def put(self, request: Request, user_id: int) -> Response:
        if user_id != request.user.pk:
            raise PermissionDenied
        time = self.confirm_token()
        user = get_object_or_404(User.objects.select_for_update(), pk=user_id)
        context = self.context()
        if 'If-Match' in request.headers:
            current = HalRenderer().render(UserSerializer(user, context=context).data)
            if f'"{hashlib.md5(current).hexdigest()}"' not in request.headers['If-Match']:  # noqa: S324
                raise PreconditionFailed
        serializer = UserSerializer(user, data=request.data, partial=True, context=context)
        serializer.is_valid(raise_exception=True)
        serializer.save(last_seen=time)
        return self.respond(serializer.data)


class HalPagination(PageNumberPagination):
    """A page as HAL."""

    page_size = 10
    max_page_size = 100
    page_size_query_param = 'per_page'

    def document(self, items: list[Any]) -> dict[str, Any]:
        page, pages, size = self.page.number, self.page.paginator.num_pages, self.page.paginator.per_page
        here = self.request.build_absolute_uri(self.request.path)
        numbers = {'self': page, 'first': 1, 'last': pages}
        numbers |= {'prev': page - 1} if self.page.has_previous() else {}
        numbers |= {'next': page + 1} if self.page.has_next() else {}
        links = {name: {'href': f'{here}?page={n}&per_page={size}'} for name, n in numbers.items()}
        links['hc:page'] = {'href': f'{here}{{?page,per_page}}', 'templated': True}
        links['item'] = [item['_links']['self'] for item in items]
        total = self.page.paginator.count
        meta = {'page': page, 'per_page': size, 'total_pages': pages, 'total_items': total}
        return {'_links': links, '_embedded': {'item': items}, '_meta': meta}


class UsersView(HalView):
    """All users."""

    def get(self, request: Request) -> Response:
        pagination = HalPagination()
        users = pagination.paginate_queryset(User.objects.all(), request, self)
        items = UserSerializer(users, many=True, context=self.context()).data
        return self.respond(pagination.document(items))


class PostsView(HalView):
    """All posts."""

    @transaction.atomic
    def post(self, request: Request) -> Response:
        serializer = PostSerializer(data=request.data, context=self.context())
        serializer.is_valid(raise_exception=True)
        time = self.confirm_token()
        User.objects.filter(pk=request.user.pk).update(post_count=F('post_count') + 1, last_seen=time)
        request.user.refresh_from_db()
        serializer.save(author=request.user)
        document = serializer.data
        location = document['_links']['self']['href']
        return self.respond(document, status=status.HTTP_201_CREATED, headers={'Location': location})
