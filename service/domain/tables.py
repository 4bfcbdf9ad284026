"""The tables of schema.sql that several things refer to, as queries name them."""

from typing import Any

import peewee

Users: Any = peewee.Table(
    'users',
    (
        'id',
        'username',
        'username_key',
        'email',
        'email_key',
        'password_hash',
        'avatar_hash',
        'about_me',
        'member_since',
        'last_seen',
        'post_count',
        'follower_count',
        'following_count',
    ),
)
Follows: Any = peewee.Table('follows', ('id', 'follower_id', 'followed_id', 'created_at'))
Tokens: Any = peewee.Table(
    'tokens',
    ('id', 'user_id', 'digest', 'created_at', 'expires_at', 'signed_in_at', 'last_used_at', 'user_agent'),
)
IdempotencyKeys: Any = peewee.Table(
    'idempotency_keys',
    (
        'digest',
        'user_id',
        'fingerprint',
        'claim',
        'expires_at',
        'status',
        'headers',
        'body',
    ),
)
Tries: Any = peewee.Table('tries', ('id', 'digest', 'place', 'expires_at'))
