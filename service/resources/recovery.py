"""Links in emails: resetting a password, and verifying an email address."""

from typing import ClassVar

import falcon

from service import urls
from service.database.clock import iso_time
from service.domain.mail_secrets import SecretRecord
from service.domain.recovery import (
    find_email_verification,
    find_password_reset,
    request_email_verification,
    request_password_reset,
    reset_password,
    verify_email,
)
from service.domain.throttle import PASSWORD_RESET
from service.domain.viewer import Viewer, require_write_scope
from service.http.cache_control import NO_STORE
from service.http.conditional import target_precondition
from service.http.operation import Access, Operation, Route, Samples
from service.http.request import Expansions, Request
from service.http.request_body import read_form
from service.representation.action import Action, Form
from service.representation.display import Column, Display
from service.representation.document import Document, Link
from service.representation.kind import Kind, Member, time_member
from service.representation.query_parameters import QueryOptions
from service.representation.url_builder import UrlBuilder
from service.resources import sample_data
from service.resources.entry_point import ACTIONS
from service.resources.module import EntryPointPart, LinkRelation
from service.resources.user_document import REGISTER

FORGOT_PASSWORD = Action(
    'forgot-password',
    'POST',
    'Reset a forgotten password',
    tuple(field for field in REGISTER.fields if field.name == 'email'),
)
RESET_PASSWORD = Action(
    'reset-password',
    'PUT',
    'Set the new password',
    tuple(field for field in REGISTER.fields if field.name == 'password'),
)
VERIFY_EMAIL = Action('verify-email', 'POST', 'Verify the address')
_SAMPLE_SECRET = 'A' * 43
_SAMPLE = SecretRecord(1, sample_data.USER.id, sample_data.USER.username, sample_data.UPDATED)

REQUESTS = Kind(
    'password-reset-requests',
    'PasswordResetRequest',
    (Member('message', 'What happens after a request.'),),
    display=Display(
        summary=(Column('message', ''),),
        actions={
            'forgot-password': ACTIONS['forgot-password']._replace(label='Send the email', is_prominent=True)
        },
    ),
)
RESETS = Kind(
    'password-resets',
    'PasswordReset',
    (
        Member('username', 'The name of the user whose password is reset.'),
        time_member('expires_at', 'When the link expires.'),
    ),
    display=Display(
        summary=(Column('username', 'User name'),),
        actions=ACTIONS,
    ),
)
VERIFICATIONS = Kind(
    'email-verifications',
    'EmailVerification',
    (
        Member('username', 'The name of the user whose address is verified.'),
        time_member('expires_at', 'When the link expires.'),
    ),
    display=Display(
        summary=(Column('username', 'User name'),),
        actions=ACTIONS,
    ),
)


def represent_requests(builder: UrlBuilder) -> Document:
    """Return the form to request a password reset."""
    self_link = builder.link_to(urls.PASSWORD_RESETS)
    message = (
        'Enter the email address of your account. You get an email with a link that works for 30 minutes.'
    )
    return Document(
        REQUESTS.name,
        'new',
        {'message': message},
        {'self': self_link, 'curies': builder.curies},
        forms=(FORGOT_PASSWORD.at(self_link.href),),
        title='Reset your password',
        display=REQUESTS.display,
    )


def represent_reset(reset: SecretRecord, secret: str, builder: UrlBuilder) -> Document:
    """Return the reset that the secret in an email identifies, with the form for the new password."""
    form = RESET_PASSWORD.at(builder.url_for(urls.PASSWORD_RESET, secret=secret))
    return _represent(RESETS, reset, secret, form, builder, 'Choose a new password')


def represent_verification(verification: SecretRecord, secret: str, builder: UrlBuilder) -> Document:
    """Return the verification that the secret in an email identifies, with its form."""
    form = VERIFY_EMAIL.at(builder.url_for(urls.EMAIL_VERIFICATION, secret=secret))
    return _represent(VERIFICATIONS, verification, secret, form, builder, 'Verify your email address')


def _represent(
    kind: Kind, record: SecretRecord, secret: str, form: Form, builder: UrlBuilder, title: str
) -> Document:
    return Document(
        kind.name,
        secret,
        {'username': record.username, 'expires_at': iso_time(record.expires_at)},
        {'self': Link(form.target), 'curies': builder.curies},
        forms=(form,),
        title=title,
        display=kind.display,
    )


_RESET_SAMPLES = Samples(RESETS, lambda builder: {'reset': represent_reset(_SAMPLE, _SAMPLE_SECRET, builder)})
_VERIFICATION_SAMPLES = Samples(
    VERIFICATIONS,
    lambda builder: {'verification': represent_verification(_SAMPLE, _SAMPLE_SECRET, builder)},
)


class PasswordResetsResource:
    """Requests to reset a password."""

    tag = 'recovery'
    operation_name = 'PasswordResets'
    operations: ClassVar = {
        'GET': Operation(
            'Get the form for a forgotten password',
            'The form that requests an email with a link to reset the password.',
            {200: Samples(REQUESTS, lambda builder: {'form': represent_requests(builder)})},
            Access.ANYONE,
            query=QueryOptions(REQUESTS.name),
        ),
        'POST': Operation(
            'Request a password reset',
            'Sends an email with a link to reset the password, if the address belongs to a user. The '
            'response is the same if it does not.',
            {202: None},
            Access.ANYONE,
            FORGOT_PASSWORD,
            QueryOptions(REQUESTS.name),
            limits=(PASSWORD_RESET,),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response) -> None:
        resp.media = represent_requests(req.builder)

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        values = read_form(req)
        request_password_reset(req.db, client_address=req.uncounted_address, quotas=req.quotas, **values)
        resp.status = falcon.HTTP_202
        resp.set_header('Cache-Control', NO_STORE)


class PasswordResetResource:
    """A password that can be reset with the secret in an email."""

    tag = 'recovery'
    operation_name = 'PasswordReset'
    operations: ClassVar = {
        'GET': Operation(
            'Get a password reset',
            'The form for a new password, by the secret in an email.',
            {200: _RESET_SAMPLES},
            Access.SECRET,
            query=QueryOptions(RESETS.name),
            cacheable=False,
        ),
        'PUT': Operation(
            'Reset a password',
            'Sets a new password by the secret in an email, which works once, and revokes all tokens.',
            {204: None},
            Access.SECRET,
            RESET_PASSWORD,
            QueryOptions(RESETS.name),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, secret: str) -> None:
        resp.media = represent_reset(find_password_reset(req.db, secret), secret, req.builder)
        resp.set_header('Cache-Control', NO_STORE)

    def on_put(self, req: Request, resp: falcon.Response, secret: str) -> None:
        find_password_reset(req.db, secret)
        reset_password(req.db, secret, **read_form(req))
        resp.status = falcon.HTTP_204
        resp.set_header('Cache-Control', NO_STORE)


class EmailVerificationsResource:
    """Requests for another email that verifies the viewer's email address."""

    tag = 'recovery'
    operation_name = 'EmailVerifications'
    operations: ClassVar = {
        'POST': Operation(
            'Request another verification mail',
            'Sends another email with a link that verifies your email address, unless it is verified.',
            {202: None},
            query=QueryOptions(VERIFICATIONS.name),
            errors=(429,),
        ),
    }

    def on_post(self, req: Request, resp: falcon.Response) -> None:
        require_write_scope(req.viewer)
        target_precondition(req)()
        request_email_verification(req.db, by=req.user)
        resp.status = falcon.HTTP_202
        resp.set_header('Cache-Control', NO_STORE)


class EmailVerificationResource:
    """An email address that can be verified with the secret in an email."""

    tag = 'recovery'
    operation_name = 'EmailVerification'
    operations: ClassVar = {
        'GET': Operation(
            'Get an email verification',
            'The form that verifies an email address, by the secret in an email; GET alone verifies nothing.',
            {200: _VERIFICATION_SAMPLES},
            Access.SECRET,
            query=QueryOptions(VERIFICATIONS.name),
            cacheable=False,
        ),
        'POST': Operation(
            'Verify an email address',
            'Verifies the address by the secret in an email, which works once.',
            {204: None},
            Access.SECRET,
            query=QueryOptions(VERIFICATIONS.name),
        ),
    }

    def on_get(self, req: Request, resp: falcon.Response, secret: str) -> None:
        verification = find_email_verification(req.db, secret)
        resp.media = represent_verification(verification, secret, req.builder)
        resp.set_header('Cache-Control', NO_STORE)

    def on_post(self, req: Request, resp: falcon.Response, secret: str) -> None:
        find_email_verification(req.db, secret)
        target_precondition(req)()
        verify_email(req.db, secret)
        resp.status = falcon.HTTP_204
        resp.set_header('Cache-Control', NO_STORE)


def entry_point(viewer: Viewer | None, builder: UrlBuilder) -> EntryPointPart:
    """Return the link and the form for a forgotten password, for anonymous clients of a server with mail."""
    if viewer is not None or not builder.features.mail:
        return EntryPointPart({})
    resets = builder.link_to(urls.PASSWORD_RESETS)
    return EntryPointPart({'hc:password-resets': resets}, (FORGOT_PASSWORD.at(resets.href),))


RELATIONS = (
    LinkRelation(
        'password-resets',
        'Requests a password reset, on servers with mail: if the address belongs to a user, an email with a '
        'link is sent to it.',
        ('GET', 'POST'),
        'a form',
        represent_requests,
        (FORGOT_PASSWORD,),
    ),
)
EXPANSIONS: Expansions = {}
ROUTES: tuple[Route, ...] = (
    (urls.PASSWORD_RESETS, PasswordResetsResource()),
    (urls.PASSWORD_RESET, PasswordResetResource()),
    (urls.EMAIL_VERIFICATIONS, EmailVerificationsResource()),
    (urls.EMAIL_VERIFICATION, EmailVerificationResource()),
)
