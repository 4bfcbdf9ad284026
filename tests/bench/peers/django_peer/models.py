"""The models, on the tables of the service."""

import secrets
import time

from django.db import models


def now() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> int:
    return (now() - 1_577_836_800_000) << 12 | secrets.randbits(12)


class User(models.Model):
    """An account; the columns that the requests need."""

    id = models.BigIntegerField(primary_key=True)
    username = models.CharField(max_length=64)
    username_key = models.CharField(max_length=64, unique=True)
    email = models.EmailField(max_length=120)
    email_key = models.CharField(max_length=120, unique=True)
    avatar_hash = models.CharField(max_length=64)
    about_me = models.CharField(max_length=140, blank=True)
    member_since = models.BigIntegerField()
    last_seen = models.BigIntegerField()
    post_count = models.BigIntegerField()
    follower_count = models.BigIntegerField()
    following_count = models.BigIntegerField()
    is_authenticated = True  # required by IsAuthenticated

    class Meta:
        db_table, managed = 'users', False
        ordering = ('id',)


class Token(models.Model):
    """A bearer token; only its digest is stored."""

    id = models.BigIntegerField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.BigIntegerField()
    last_used_at = models.BigIntegerField(null=True)

    class Meta:
        db_table, managed = 'tokens', False


class Post(models.Model):
    """A post."""

    id = models.BigIntegerField(primary_key=True, default=new_id)
    author = models.ForeignKey(User, models.CASCADE)
    body = models.CharField(max_length=140)
    created_at = models.BigIntegerField(default=now)
    updated_at = models.BigIntegerField(null=True)

    class Meta:
        db_table, managed = 'posts', False
