"""Representations, and the rules of input."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from .models import Post, User


class TimeField(serializers.Field):
    """Milliseconds since 1970, as ISO 8601."""

    def to_representation(self, value: int) -> str:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec='milliseconds')


class UserSerializer(serializers.ModelSerializer):
    """The representation of a user, and the rules for changes."""

    _links = serializers.SerializerMethodField('links_of')
    username = serializers.RegexField(r'^[A-Za-z0-9_.\-]+$', max_length=64, required=False)
    email = serializers.EmailField(max_length=120, required=False)
    last_seen = TimeField(read_only=True)
    member_since = TimeField(read_only=True)

    class Meta:
        model = User
        fields = (
            *('_links', 'id', 'username', 'email', 'about_me', 'last_seen', 'member_since'),
            *('post_count', 'follower_count', 'following_count'),
        )
        read_only_fields = ('id', 'post_count', 'follower_count', 'following_count')

    def links_of(self, user: User) -> dict[str, Any]:
        api, viewer = self.context['api'], self.context['request'].user
        here = f'{api}/users/{user.id}'
        links = {
            'self': {'href': here},
            'collection': {'href': f'{api}/users'},
            'hc:followers': {'href': f'{here}/followers'},
            'hc:following': {'href': f'{here}/following'},
            'hc:posts': {'href': f'{here}/posts'},
            'hc:avatar': {'href': f'https://www.gravatar.com/avatar/{user.avatar_hash}?d=identicon&s=128'},
        }
        if user.pk == viewer.pk:
            links |= {'hc:feed': {'href': f'{here}/feed'}, 'hc:tokens': {'href': f'{api}/tokens'}}
        else:
            links['hc:follow'] = {'href': f'{api}/users/{viewer.pk}/following/{user.pk}'}
        return links

    def to_representation(self, user: User) -> dict[str, Any]:
        document = super().to_representation(user)
        if user.pk != self.context['request'].user.pk:
            del document['email']
        return document

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Set the columns that make names and email addresses unique ignoring case."""
        for name in ('username', 'email'):
            if name in values:
                key = f'{name}_key'
                values[key] = values[name].casefold()
                others = User.objects.exclude(pk=self.instance.pk).filter(**{key: values[key]})
                if others.exists():
                    raise serializers.ValidationError({name: UniqueValidator.message})
        if 'email' in values:
            values['avatar_hash'] = hashlib.sha256(values['email'].lower().encode()).hexdigest()
        return values


class PostSerializer(serializers.ModelSerializer):
    """The representation of a post, and the rules for a new one."""

    _links = serializers.SerializerMethodField('links_of')
    _embedded = serializers.SerializerMethodField('embedded_in')
    created_at = TimeField(read_only=True)
    updated_at = TimeField(read_only=True)

    class Meta:
        model = Post
        fields = ('_links', '_embedded', 'id', 'body', 'created_at', 'updated_at')
        read_only_fields = ('id',)

    def links_of(self, post: Post) -> dict[str, Any]:
        api = self.context['api']
        return {
            'self': {'href': f'{api}/posts/{post.pk}'},
            'collection': {'href': f'{api}/posts'},
            'author': {'href': f'{api}/users/{post.author_id}'},
        }

    def embedded_in(self, post: Post) -> dict[str, Any]:
        return {'author': UserSerializer(post.author, context=self.context).data}
