"""Users as documents: their kind, forms, representation and samples."""

from dataclasses import replace
from functools import lru_cache

from service import urls
from service.database.clock import iso_time
from service.domain.users import (
    MAX_ABOUT_ME_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_PASSWORD_LENGTH,
    MAX_USERNAME_LENGTH,
    MIN_PASSWORD_LENGTH,
    ORDERS,
    USERNAME_PATTERN,
    UserRecord,
)
from service.domain.viewer import Viewer
from service.http.operation import Samples
from service.representation.action import EMAIL, Action, Field, Form
from service.representation.display import ActionDisplay, Column, Count, Crumb, Display
from service.representation.document import Document, Link, Relationship, member
from service.representation.kind import Kind, Member, Presence, id_member, time_member
from service.representation.parameter_values import MAX_FILTER_LENGTH
from service.representation.query_parameters import QueryOptions
from service.representation.template import MAX_TEMPLATES, Template, variable
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.entry_point import ACTIONS
from service.resources.module import Sample
from service.resources.response_samples import sample_collection

_NEW_PASSWORD = Field(
    'password',
    'Password',
    type='password',
    required=True,
    min_length=MIN_PASSWORD_LENGTH,
    max_length=MAX_PASSWORD_LENGTH,
    autocomplete='new-password',
)
REGISTER = Action(
    'register',
    'POST',
    'Sign up',
    (
        Field(
            'username',
            'User name',
            required=True,
            min_length=1,
            max_length=MAX_USERNAME_LENGTH,
            regex=USERNAME_PATTERN,
            rule='may contain only the letters A to Z, digits, dots, underscores and hyphens',
            autocomplete='username',
        ),
        Field(
            'email',
            'Email',
            type='email',
            required=True,
            min_length=1,
            max_length=MAX_EMAIL_LENGTH,
            regex=EMAIL,
            rule='must be an email address',
            trim=True,
            autocomplete='email',
        ),
        _NEW_PASSWORD,
        Field('about_me', 'About me', type='textarea', max_length=MAX_ABOUT_ME_LENGTH, nullable=True, rows=3),
    ),
)
EDIT = Action('edit', 'PATCH', 'Edit profile', REGISTER.optional('username', 'email', 'about_me'))
DELETE = Action('delete', 'DELETE', 'Delete account')
CHANGE_PASSWORD = Action(
    'change-password',
    'PUT',
    'Change password',
    (
        Field(
            'current_password',
            'Current password',
            type='password',
            required=True,
            autocomplete='current-password',
        ),
        replace(_NEW_PASSWORD, prompt='New password'),
    ),
)
REQUEST_VERIFICATION = Action('request-verification', 'POST', 'Send another verification mail')
FOLLOW = Action('follow', 'PUT', 'Follow')
UNFOLLOW = Action('unfollow', 'DELETE', 'Unfollow')
RELATIONSHIPS = ('hc:followers', 'hc:following', 'hc:posts')
OWN_RELATIONSHIPS = ('hc:feed', 'hc:tokens')
SEARCH = Action(
    'search', 'GET', 'Search', (Field('q', 'Name starts with', type='search', max_length=MAX_FILTER_LENGTH),)
)
USER = Kind(
    'users',
    'User',
    (
        id_member('Identifies the user.'),
        Member('username', 'The name that the user signs in with, as it was typed.'),
        Member('about_me', 'A text by the user about themselves; may be empty.'),
        time_member('last_seen', 'When the user last changed anything, or signed in.'),
        time_member('member_since', 'When the user registered.'),
        Member('post_count', 'The number of posts that the user has published.', 'integer'),
        Member('follower_count', 'The number of users who follow this one.', 'integer'),
        Member('following_count', 'The number of users that this one follows.', 'integer'),
        Member('email', "The user's email address.", presence=Presence.OWNER),
        Member(
            'email_verified',
            'Only for the owner, on servers with mail: whether a link in an email to the address was used.',
            'boolean',
            presence=Presence.OPTIONAL,
        ),
    ),
    links=('collection', 'hc:followers', 'hc:following', 'hc:posts'),
    optional_links=('hc:avatar', 'hc:follow', 'hc:feed', 'hc:tokens', 'hc:password'),
    relationships={
        'hc:followers': 'users',
        'hc:following': 'users',
        'hc:posts': 'posts',
        'hc:feed': 'posts',
        'hc:tokens': 'tokens',
    },
    to_many=(*RELATIONSHIPS, *OWN_RELATIONSHIPS),
    display=Display(
        plural='People',
        empty='No user name starts with this. Try fewer letters.',
        text='about_me',
        picture='hc:avatar',
        counts=(
            Count('post_count', 'hc:posts', 'post', 'posts'),
            Count('following_count', 'hc:following', 'following', 'following'),
            Count('follower_count', 'hc:followers', 'follower', 'followers'),
        ),
        summary=(Column('member_since', 'Joined', is_day=True),),
        actions={
            'search': ActionDisplay(is_prominent=True),
            'follow': ActionDisplay('You follow them now.', is_prominent=True),
            'unfollow': ActionDisplay('You no longer follow them.', is_prominent=True),
            'edit': ActionDisplay('Your profile is saved.'),
            'request-verification': ActionDisplay(
                'An email with a link is on its way to your address.',
                question='The email has a link that verifies your email address.',
            ),
            'change-password': ActionDisplay(
                'Your password is changed, and you are signed out everywhere else.'
            ),
            'delete': ActionDisplay(
                ACTIONS['delete'].outcome,
                question='This deletes your account with all your posts, follows, sign-ins, stores and their '
                'items. It cannot be undone.',
                ends_session=True,
            ),
        },
        includes={'hc:posts': 'Posts'},
    ),
)


def represent_user(user: UserRecord, viewer: Viewer | None, builder: UrlBuilder) -> Document:
    """Return the user; the email address is only for the user themselves."""
    properties = {
        'id': user.id,
        'username': user.username,
        'about_me': user.about_me,
        'last_seen': iso_time(user.last_seen),
        'member_since': iso_time(user.member_since),
        'post_count': user.post_count,
        'follower_count': user.follower_count,
        'following_count': user.following_count,
    }
    is_own = user.is_own(viewer)
    is_unverified = is_own and builder.features.mail and user.email_verified_at is None
    if is_own:
        properties['email'] = user.email
        if builder.features.mail:
            properties['email_verified'] = not is_unverified
    is_followed = None if viewer is None or is_own else user.is_followed
    can_write = viewer is not None and viewer.can_write
    template = _template(builder, is_own, is_followed, can_write, is_unverified)
    user_id = str(user.id)
    values = {'user_id': user_id, 'viewer_id': viewer and viewer.user_id, 'avatar_hash': user.avatar_hash}
    return template.fill(user_id, properties, values, title=user.username)


@lru_cache(maxsize=MAX_TEMPLATES)
def _template(
    builder: UrlBuilder, is_own: bool, is_followed: bool | None, can_write: bool, is_unverified: bool
) -> Template:
    """Return the template of users; `is_followed` is None for an anonymous client or if `is_own`."""
    ids = {'user_id': variable('user_id')}
    links: dict[str, Link | tuple[Link, ...]] = {
        'self': builder.link_to(urls.USER, **ids),
        'curies': builder.curies,
        'collection': builder.link_to(urls.USERS),
        'hc:followers': builder.link_to(urls.FOLLOWERS, **ids),
        'hc:following': builder.link_to(urls.FOLLOWING, **ids),
        'hc:posts': builder.link_to(urls.USER_POSTS, **ids),
    }
    if builder.features.avatars:
        avatar = urls.AVATAR.format(avatar_hash=variable('avatar_hash'))
        links['hc:avatar'] = Link(avatar, type='image/png')
    forms: tuple[Form, ...] = ()
    if is_own:
        links['hc:feed'] = builder.link_to(urls.FEED, **ids)
        links['hc:tokens'] = builder.link_to(urls.TOKENS)
        links['hc:password'] = builder.link_to(urls.PASSWORD, **ids)
        verification = REQUEST_VERIFICATION.at(builder.url_for(urls.EMAIL_VERIFICATIONS))
        forms = (
            EDIT.at(builder.url_for(urls.USER, **ids)),
            CHANGE_PASSWORD.at(builder.url_for(urls.PASSWORD, **ids)),
            *((verification,) if is_unverified else ()),
            DELETE.at(builder.url_for(urls.USER, **ids)),
        )
    elif is_followed is not None:
        follow = builder.link_to(urls.FOLLOW, user_id=variable('viewer_id'), other_id=variable('user_id'))
        links['hc:follow'] = follow
        forms = ((UNFOLLOW if is_followed else FOLLOW).at(follow.href),)
    return Template(
        Document(
            'users',
            None,
            {},
            links,
            forms=forms if can_write else (),
            relationships={
                rel: Relationship(builder.url_for(urls.USER_RELATIONSHIP, name=member(rel), **ids))
                for rel in (*RELATIONSHIPS, *(OWN_RELATIONSHIPS if is_own else ()))
            },
            display=USER.display,
            parents=(Crumb('People', builder.url_for(urls.USERS)),),
        )
    )


def with_user_title(document: Document, title: str, user: UserRecord, builder: UrlBuilder) -> Document:
    """Return the document with a title that names the user: `Followers of ada`."""
    user_url = builder.url_for(urls.USER, user_id=user.id)
    parents = (Crumb('People', builder.url_for(urls.USERS)), Crumb(user.username, user_url))
    return replace(document, title=f'{title} {user.username}', parents=parents)


def sample_user(builder: UrlBuilder) -> Document:
    """Return the sample user as another user sees them."""
    return represent_user(sample_data.USER, sample_data.OTHER_USER, builder)


def sample_users(template: str) -> Sample:
    """Return a function that makes a sample of the users at a URL template."""
    return sample_collection(template, sample_user, user_id=sample_data.USER.id)


USER_SAMPLES = Samples(
    USER,
    lambda builder: {
        'yours': represent_user(sample_data.USER, sample_data.OWNER, builder),
        'followed': represent_user(sample_data.USER, sample_data.OTHER_USER, builder),
        'other': represent_user(
            sample_data.USER._replace(is_followed=False), sample_data.OTHER_USER, builder
        ),
    },
)
NEW_SAMPLE = Samples(USER, lambda builder: {'registered': represent_user(sample_data.USER, None, builder)})
ALL_USERS = QueryOptions(
    'users',
    paginated=True,
    filters=('q', 'username'),
    sort_keys=ORDERS,
    unique_keys=ORDERS,
    can_include=True,
)
ONE_USER = ALL_USERS.of_one()
