"""Every feature in a browser, by clicking and typing, from the entry point on, with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import playwright.sync_api as playwright
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.clients.browser_flags import FLAGS
from tests.clients.screenshots import ANONYMOUS, COLORS, SIGNED_IN, WIDTHS, demo_site, sign_in, visit
from tests.mail_server import mail_server
from tests.server import Server, free_port, wait_until

AVATAR = '<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128"><circle r="99" fill="teal"/></svg>'
PASSWORD = 'correct horse'
AXE = Path(__file__).parent / 'node_modules' / 'axe-core' / 'axe.min.js'


class Browser:
    """A page in a browser; records the errors in its console and its requests to other origins."""

    def __init__(self, context: playwright.BrowserContext, origin: str, *, scripts: bool = True) -> None:
        self.page = context.new_page()
        self.origin = origin
        self.scripts = scripts
        self.console_errors: list[str] = []
        self.other_requests: list[str] = []
        self.page.on('console', self._record_message)
        self.page.on('pageerror', lambda error: self.console_errors.append(str(error)))
        context.route(lambda url: not url.startswith(f'{origin}/'), self._record_request)

    def _record_message(self, message: playwright.ConsoleMessage) -> None:
        if message.type in ('error', 'warning'):
            self.console_errors.append(message.text)

    def _record_request(self, route: playwright.Route) -> None:
        self.other_requests.append(route.request.url)
        if route.request.url.startswith('https://www.gravatar.com/avatar/'):
            route.fulfill(body=AVATAR, content_type='image/svg+xml')
        else:
            route.abort()

    def expect_heading(self, text: str) -> None:
        expect(self.page.get_by_role('heading', level=1)).to_have_text(text)

    def expect_message(self, text: str) -> None:
        """Expect the message, if scripts run: only they show it."""
        if self.scripts:
            expect(self.page.locator('#message')).to_contain_text(text)
            expect(self.page.locator('#message')).to_be_in_viewport()

    def expect_notice(self, text: str) -> None:
        expect(self.page.locator('.notice')).to_have_text(text)
        expect(self.page.locator('.notice')).to_be_in_viewport()
        expect(self.page.locator('#message')).to_be_empty()

    def click(self, text: str) -> None:
        self.page.get_by_role('link', name=text, exact=True).first.click()

    def open(self, text: str) -> None:
        self.page.locator('summary', has_text=text).first.click()

    def submit(self, form: str, values: Mapping[str, str] = MappingProxyType({})) -> None:
        """Fill in a form by the labels of its fields, and submit it."""
        element = self.page.get_by_role('form', name=form, exact=True).first
        for label, value in values.items():
            element.get_by_label(label).fill(value)
        element.get_by_role('button').click()

    def register(self, name: str) -> None:
        self.submit('Sign up', {'User name': name, 'Email': f'{name}@example.org', 'Password': PASSWORD})
        sign_in = self.page.get_by_role('form', name='Sign in')
        expect(sign_in.get_by_label('User name')).to_have_value(name)
        expect(sign_in.get_by_label('Password')).to_be_focused()
        self.expect_notice('Your account is ready. Sign in.')
        expect(self.page.get_by_role('form', name='Sign up').get_by_label('User name')).to_have_value('')

    def sign_in(self, name: str) -> None:
        self.submit('Sign in', {'User name': name, 'Password': PASSWORD})
        expect(self.page.get_by_role('button', name='Sign out')).to_be_visible()

    def sign_out(self) -> None:
        self.page.get_by_role('button', name='Sign out').click()
        expect(self.page.get_by_role('form', name='Sign in')).to_be_visible()
        assert self.page.context.cookies() == []

    @contextmanager
    def expecting_errors(self, status: int) -> Iterator[None]:
        """Expect console errors for responses with this status during the block, and no others."""
        before = len(self.console_errors)
        yield
        self.page.wait_for_load_state('networkidle')
        errors = self.console_errors[before:]
        assert errors
        assert all(f'status of {status} ' in error for error in errors), errors
        del self.console_errors[before:]


@pytest.fixture(scope='module')
def program(chromium: str) -> Iterator[playwright.Browser]:
    with sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def visiting(
    program: playwright.Browser, server: Server, *, width: int = 390, scripts: bool = True
) -> Iterator[Browser]:
    """Open a browser at the entry point; it must log no errors, and load only images from other origins."""
    viewport = playwright.ViewportSize(width=width, height=844)
    with program.new_context(viewport=viewport, java_script_enabled=scripts) as context:
        context.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        browser = Browser(context, server.origin, scripts=scripts)
        browser.page.goto(f'{server.origin}/api')
        yield browser
        browser.page.wait_for_load_state('networkidle')
    assert browser.console_errors == []
    assert all(url.startswith('https://www.gravatar.com/avatar/') for url in browser.other_requests)


@pytest.fixture
def browser(program: playwright.Browser, server: Server) -> Iterator[Browser]:
    with visiting(program, server) as browser:
        yield browser


@pytest.mark.parametrize('scripts', [True, False])
@pytest.mark.parametrize('width', WIDTHS)
def test_every_feature_works_by_clicking_and_typing(
    program: playwright.Browser, server: Server, width: int, scripts: bool
) -> None:
    with visiting(program, server, width=width, scripts=scripts) as browser:
        _use_every_feature(browser)


def _use_every_feature(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.register('bob')
    with browser.expecting_errors(400):
        browser.submit('Sign up', {'User name': 'ADA', 'Email': 'new@example.org', 'Password': PASSWORD})
        expect(page.get_by_text('User name is taken by another user.')).to_be_visible()
        name = page.get_by_role('form', name='Sign up').get_by_label('User name')
        expect(name).to_have_value('ADA')
        expect(name).to_have_attribute('aria-invalid', 'true')

    page.goto(f'{browser.origin}/api')
    with browser.expecting_errors(401):
        browser.submit('Sign in', {'User name': 'bob', 'Password': 'not this one'})
        wrong = page.get_by_text('The user name or the password is wrong.')
        expect(wrong).to_be_visible()
        expect(wrong).to_be_in_viewport()
    browser.sign_in('bob')
    for number in range(1, 13):
        browser.submit('Publish a post', {'Your post': f'number {number}'})
        expect(page.get_by_role('article').first).to_contain_text(f'number {number}')
        expect(page.get_by_role('form', name='Publish a post').get_by_label('Your post')).to_have_value('')
    browser.expect_message('Your post is published.')
    browser.sign_out()

    browser.sign_in('ada')
    browser.click('Profile')
    browser.expect_heading('ada')
    browser.open('Edit profile')
    browser.submit('Edit profile', {'About me': 'Countess'})
    browser.expect_message('Your profile is saved.')
    expect(page.locator('.profile')).to_contain_text('Countess')

    browser.click('People')
    browser.expect_heading('People')
    browser.submit('Search', {'Name starts with': 'b'})
    expect(page.get_by_role('article')).to_have_count(1)
    browser.click('bob')
    browser.expect_heading('bob')
    page.get_by_role('button', name='Follow', exact=True).click()
    expect(page.get_by_role('button', name='Unfollow')).to_be_visible()
    browser.expect_message('You follow them now.')
    if browser.scripts:
        expect(page.get_by_role('button', name='Unfollow')).to_be_focused()
    page.get_by_role('link', name='1 follower', exact=True).click()
    browser.expect_heading('Followers of bob')
    expect(page.get_by_role('article')).to_have_count(1)
    page.go_back()
    browser.expect_heading('bob')

    browser.click('Feed')
    browser.expect_heading('Feed')
    expect(page.get_by_role('article')).to_have_count(10)
    browser.click('Next')
    expect(page.get_by_role('article')).to_have_count(2)
    page.go_back()
    expect(page.get_by_role('article')).to_have_count(10)

    browser.click('Halcyon')
    browser.submit('Publish a post', {'Your post': '<script>alert("no")</script>'})
    expect(page.get_by_role('article').first).to_contain_text('<script>alert("no")</script>')
    page.get_by_role('article').first.locator('.when').click()
    browser.expect_heading('Post by ada')
    browser.open('Delete')
    expect(page.get_by_text('This deletes the post. It cannot be undone.')).to_be_visible()
    browser.submit('Delete post')
    browser.expect_heading('Posts')
    browser.expect_message('Your post is deleted.')

    browser.click('Stores')
    browser.open('Open a store')
    browser.submit('Open a store', {'Name': 'Gears'})
    browser.click('Gears')
    browser.expect_heading('Gears')
    browser.open('Add an item')
    browser.submit('Add an item', {'Name': 'Cog', 'Price': '1234.50'})
    expect(page.get_by_role('row', name='Cog')).to_contain_text('1234.50')
    browser.click('Sign-ins')
    browser.expect_heading('Sign-ins')
    browser.sign_out()


@pytest.mark.parametrize('scripts', [True, False])
def test_a_forgotten_password_is_reset_by_mail(
    program: playwright.Browser, tmp_path: Path, scripts: bool
) -> None:
    port = free_port()
    settings = {'BASE_URL': f'http://127.0.0.1:{port}', 'MAIL_FROM': 'halcyon@example.org'}
    with (
        mail_server() as inbox,
        Server(tmp_path, workers=1, port=port, MAIL_URL=inbox.url, **settings) as server,
        visiting(program, server, scripts=scripts) as browser,
    ):
        browser.register('ada')
        wait_until(lambda: len(inbox.messages) == 1)
        browser.page.goto(inbox.last_link())
        browser.expect_heading('Verify your email address')
        browser.submit('Verify the address')
        browser.expect_notice('Your email address is verified.')
        browser.open('Reset a forgotten password')
        browser.submit('Reset a forgotten password', {'Email': 'ada@example.org'})
        browser.expect_notice('If the address belongs to an account, an email with a link is on its way.')
        wait_until(lambda: len(inbox.messages) == 2)
        browser.page.goto(inbox.last_link())
        browser.expect_heading('Choose a new password')
        browser.submit('Set the new password', {'Password': 'battery staple'})
        browser.expect_notice('Your password is changed. Sign in with it.')
        browser.submit('Sign in', {'User name': 'ada', 'Password': 'battery staple'})
        browser.click('Feed')
        browser.expect_heading('Feed')


@pytest.mark.parametrize('scripts', [True, False])
def test_a_changed_password_is_confirmed(program: playwright.Browser, server: Server, scripts: bool) -> None:
    with visiting(program, server, scripts=scripts) as browser:
        browser.register('ada')
        browser.sign_in('ada')
        browser.click('Profile')
        browser.open('Change password')
        browser.page.get_by_label('Current password').fill(PASSWORD)
        browser.page.get_by_label('New password').fill('battery staple')
        browser.submit('Change password')
        outcome = 'Your password is changed, and you are signed out everywhere else.'
        browser.expect_message(outcome)
        expect(browser.page.locator('.notice')).to_have_count(0 if scripts else 1)
        expect(browser.page.get_by_text(outcome)).to_be_visible()
        browser.expect_heading('ada')


def _expire_session(browser: Browser) -> None:
    (cookie,) = browser.page.context.cookies()
    browser.page.context.add_cookies([{'name': cookie['name'], 'value': 'hc_old', 'url': browser.origin}])


def _composer(page: playwright.Page) -> playwright.Locator:
    return page.get_by_role('form', name='Publish a post').get_by_label('Your post')


def test_text_is_kept_when_the_session_expires(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    _composer(page).fill('a long thought')
    _expire_session(browser)
    with browser.expecting_errors(401):
        page.get_by_role('button', name='Publish').click()
        browser.expect_heading('Please sign in')
    expect(page.get_by_role('main')).to_contain_text('Your session has ended. Nothing has been published')
    expect(page.get_by_role('main')).to_contain_text('Your text is kept below.')
    expect(page.get_by_role('main')).to_be_focused()
    browser.sign_in('ada')
    expect(_composer(page)).to_have_value('a long thought')
    _composer(page).press('Control+Enter')
    expect(page.get_by_role('article')).to_contain_text('a long thought')


@pytest.mark.parametrize('reloads', [True, False])
def test_a_retry_after_a_lost_response_publishes_once(browser: Browser, reloads: bool) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')

    def lose_response(route: playwright.Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route('**/api/posts', lose_response)
    _composer(page).fill('only once')
    page.get_by_role('button', name='Publish').click()
    expect(page.get_by_text('The server cannot be reached. Your text is kept; try again.')).to_be_visible()
    assert all('net::ERR_FAILED' in error for error in browser.console_errors)
    browser.console_errors.clear()
    page.unroute('**/api/posts')
    if reloads:
        page.reload()
    page.get_by_role('button', name='Publish').click()
    browser.expect_message('Your post is published.')
    expect(page.get_by_role('article')).to_have_count(1)
    _composer(page).fill('only once')
    page.get_by_role('button', name='Publish').click()
    expect(page.get_by_role('article')).to_have_count(2)  # on purpose


def test_a_draft_is_not_shown_to_another_user(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.register('bob')
    browser.sign_in('ada')
    _composer(page).fill('a secret thought')
    _expire_session(browser)
    page.reload()
    browser.sign_in('bob')
    expect(_composer(page)).to_have_value('')
    page.wait_for_function("!JSON.stringify(sessionStorage).includes('a secret thought')")
    browser.sign_out()
    browser.sign_in('ada')
    expect(_composer(page)).to_have_value('')


def test_back_does_not_show_a_draft_to_another_user(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.register('bob')
    browser.sign_in('ada')
    _composer(page).fill('a secret thought')
    browser.click('People')
    browser.expect_heading('People')
    browser.sign_out()
    browser.sign_in('bob')
    page.go_back()
    page.go_back()
    expect(_composer(page)).to_have_value('')


@pytest.mark.parametrize('is_expired', [True, False])
def test_signing_out_removes_the_drafts_in_every_tab(browser: Browser, is_expired: bool) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    other = page.context.new_page()
    other.goto(f'{browser.origin}/api')
    _composer(other).fill('a secret thought')
    assert 'a secret thought' in other.evaluate('JSON.stringify(sessionStorage)')
    if is_expired:
        _expire_session(browser)
        with browser.expecting_errors(401):
            browser.sign_out()
    else:
        browser.sign_out()
    expect(other.get_by_role('form', name='Sign in')).to_be_visible()
    assert 'a secret thought' not in other.evaluate('JSON.stringify(sessionStorage)')
    browser.sign_in('ada')
    expect(_composer(other)).to_have_value('')


def test_a_missing_value_takes_no_space_on_a_phone(browser: Browser) -> None:
    browser.register('ada')
    browser.sign_in('ada')
    browser.click('Sign-ins')
    expect(browser.page.locator('td[data-label="Until"]')).to_be_visible()
    expect(browser.page.locator('td[data-label="Last change"]')).to_be_hidden()


def test_revoking_the_current_sign_in_signs_out_every_tab(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    other = page.context.new_page()
    other.goto(f'{browser.origin}/api')
    browser.click('Sign-ins')
    with browser.expecting_errors(401):
        page.get_by_role('row').get_by_role('button').click()
        browser.expect_heading('Please sign in')
    expect(other.get_by_role('form', name='Sign in')).to_be_visible()


@pytest.mark.parametrize('lifetime', [3600, 300])
def test_a_session_in_use_is_renewed(program: playwright.Browser, tmp_path: Path, lifetime: int) -> None:
    with Server(tmp_path, TOKEN_LIFETIME=str(lifetime)) as server, visiting(program, server) as browser:
        page = browser.page
        page.clock.install()
        browser.register('ada')
        browser.sign_in('ada')
        page.wait_for_load_state()
        (before,) = page.context.cookies()
        page.clock.fast_forward(lifetime * 1000 // 5)
        assert page.context.cookies() == [before]  # the session is not in use
        page.keyboard.press('Tab')
        page.clock.fast_forward(lifetime * 1000 // 25)
        wait_until(lambda: page.context.cookies()[0]['value'] != before['value'])
        page.reload()
        expect(page.get_by_role('button', name='Sign out')).to_be_visible()


def test_a_session_is_renewed_by_loading_pages(program: playwright.Browser, tmp_path: Path) -> None:
    with Server(tmp_path, TOKEN_LIFETIME='600') as server, visiting(program, server) as browser:
        page = browser.page
        page.clock.install()
        browser.register('ada')
        browser.sign_in('ada')
        page.wait_for_load_state()
        (before,) = page.context.cookies()
        browser.click('People')
        browser.expect_heading('People')
        assert page.context.cookies() == [before]  # a renewal is not due yet
        page.clock.fast_forward(110_000)
        browser.click('Posts')
        wait_until(lambda: page.context.cookies()[0]['value'] != before['value'])


def test_back_restores_the_scroll_position(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    for number in range(10):
        browser.submit('Publish a post', {'Your post': f'number {number}'})
        expect(page.get_by_role('article').first).to_contain_text(f'number {number}')
    browser.click('Posts')
    browser.expect_heading('Posts')
    link = page.get_by_role('article').last.locator('.when')
    link.scroll_into_view_if_needed()
    position = page.evaluate('scrollY')
    assert position > 0
    link.click()
    page.locator('.alone').wait_for()
    page.go_back()
    browser.expect_heading('Posts')
    wait_until(lambda: page.evaluate('scrollY') == position)


def test_opening_a_form_does_not_move_the_other_actions(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    browser.submit('Publish a post', {'Your post': 'one'})
    article = page.get_by_role('article')
    edit, delete = article.locator('summary').first, article.locator('summary').last
    expect(delete).to_be_visible()
    before = edit.bounding_box(), delete.bounding_box()
    edit.click()
    expect(article.get_by_label('Your post')).to_be_visible()
    assert (edit.bounding_box(), delete.bounding_box()) == before
    edit.click()
    delete.click()
    expect(article.get_by_text('This deletes the post.')).to_be_visible()
    assert (edit.bounding_box(), delete.bounding_box()) == before


def test_deleting_an_entry_moves_the_focus_to_the_next(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    for text in ('first', 'second', 'third'):
        browser.submit('Publish a post', {'Your post': text})
        expect(page.get_by_role('article').first).to_contain_text(text)
    second = page.get_by_role('article').nth(1)
    second.locator('summary', has_text='Delete').click()
    second.get_by_role('button', name='Delete').click()
    browser.expect_message('Your post is deleted.')
    expect(page.get_by_role('article')).to_have_count(2)
    expect(page.get_by_role('article').nth(1).get_by_role('link', name='ada')).to_be_focused()


def test_back_does_not_lead_to_a_deleted_post(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    browser.submit('Publish a post', {'Your post': 'gone soon'})
    expect(page.get_by_role('article')).to_contain_text('gone soon')
    browser.click('Feed')
    page.get_by_role('article').locator('.when').click()
    browser.open('Delete')
    browser.submit('Delete post')
    browser.expect_heading('Posts')
    page.go_back()
    browser.expect_heading('Feed')


def test_signing_in_returns_to_the_requested_url(browser: Browser) -> None:
    browser.register('ada')
    with browser.expecting_errors(401):
        browser.page.goto(f'{browser.origin}/api/users?q=a')
        browser.expect_heading('Please sign in')
    browser.sign_in('ada')
    expect(browser.page).to_have_url(f'{browser.origin}/api/users?q=a')


def test_tabs_share_a_session_that_no_script_can_read(browser: Browser) -> None:
    browser.register('ada')
    browser.sign_in('ada')
    other = browser.page.context.new_page()
    other.goto(f'{browser.origin}/api')
    expect(other.get_by_role('button', name='Sign out')).to_be_visible()
    assert other.evaluate('document.cookie') == ''
    assert 'hc_' not in other.content()
    browser.sign_out()
    expect(other.get_by_role('form', name='Sign in')).to_be_visible()


def test_a_page_of_another_origin_cannot_change_data(
    program: playwright.Browser, server: Server, browser: Browser
) -> None:
    browser.register('ada')
    browser.sign_in('ada')
    page = browser.page.context.new_page()
    page.route('http://localhost:*/evil', lambda route: route.fulfill(body='<p>', content_type='text/html'))
    page.goto(f'http://localhost:{server.port}/evil')
    page.evaluate(
        """target => {
            const form = document.createElement('form');
            form.method = 'post';
            form.action = target;
            form.innerHTML = '<input name=body value=forged>';
            document.body.append(form);
            form.submit();
        }""",
        f'{browser.origin}/api/posts',
    )
    expect(page.get_by_role('heading', level=1)).to_have_text('Please sign in')  # without the cookie
    browser.page.reload()
    expect(browser.page.get_by_role('article')).to_have_count(0)


def test_characters_are_counted_as_the_server_counts(browser: Browser) -> None:
    browser.register('ada')
    browser.sign_in('ada')
    text = browser.page.get_by_role('form', name='Publish a post').get_by_label('Your post')
    text.fill('\N{GRINNING FACE}' * 139)
    expect(browser.page.get_by_text('1 character left')).to_be_visible()
    text.fill('\N{GRINNING FACE}' * 140)
    text.press('Control+Enter')
    expect(browser.page.get_by_role('article')).to_have_count(1)


@pytest.mark.parametrize('width', [320, *WIDTHS])
def test_a_page_is_never_wider_than_the_window(browser: Browser, width: int) -> None:
    page = browser.page
    browser.register('W' * 64)
    browser.sign_in('W' * 64)
    browser.submit('Publish a post', {'Your post': 'x' * 140})
    page.set_viewport_size({'width': width, 'height': 844})
    for path in ('/api', '/api/users', '/api/tokens', '/api/rels/users', '/api/docs', '/api/posts?as=hal'):
        page.goto(f'{browser.origin}{path}')
        page.evaluate('document.querySelectorAll("details").forEach(details => { details.open = true; })')
        assert page.evaluate('document.documentElement.scrollWidth') <= width, path


def test_targets_are_large_on_a_phone(program: playwright.Browser) -> None:
    size = playwright.ViewportSize(width=390, height=844)
    with demo_site() as site, program.new_context(viewport=size) as context:
        page = context.new_page()
        sign_in(page, site.origin)
        for name in ('home', 'people', 'own-profile', 'person', 'post', 'store', 'sign-ins', 'unknown-url'):
            visit(page, site.origin, SIGNED_IN[name])
            targets = page.locator('button, summary, nav a, footer a, .counts a, .head a').filter(
                visible=True
            )
            heights = targets.evaluate_all('all => all.map(one => one.getBoundingClientRect().height)')
            assert len(heights) > 10
            assert min(heights) >= 43.5, f'{name}: {targets.nth(heights.index(min(heights))).text_content()}'


def test_a_printed_page_has_no_forms(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.sign_in('ada')
    browser.submit('Publish a post', {'Your post': 'one'})
    expect(page.get_by_role('article')).to_be_visible()
    page.emulate_media(media='print')
    for path in ('/api', '/api/users'):
        page.goto(f'{browser.origin}{path}')
        expect(page.get_by_role('article').first).to_be_visible()
        for element in page.locator('form, button, summary, nav, footer').all():
            expect(element).to_be_hidden()


def test_the_documentation_is_printed_with_the_open_operations(browser: Browser) -> None:
    page = browser.page
    page.emulate_media(media='print')
    page.goto(f'{browser.origin}/api/docs?open')
    expect(page.locator('#postPosts').get_by_label('Request')).to_be_visible()
    expect(page.locator('.docs aside')).to_be_hidden()
    expect(page.get_by_role('button')).to_have_count(0)


def test_the_initial_replaces_an_avatar_that_cannot_be_loaded(
    program: playwright.Browser, server: Server
) -> None:
    with program.new_context() as context:
        browser = Browser(context, server.origin)
        page = browser.page
        page.goto(f'{server.origin}/api')
        browser.register('ada')
        browser.sign_in('ada')
        page.route('https://www.gravatar.com/**', lambda route: route.abort())
        browser.click('Profile')
        image, avatar = page.locator('.avatar img'), page.locator('.avatar')
        expect(image).to_have_js_property('complete', value=True)
        broken = avatar.screenshot()
        image.evaluate('image => image.remove()')
        assert avatar.screenshot() == broken
        page.unroute('https://www.gravatar.com/**')
        page.reload()
        expect(image).to_have_js_property('naturalWidth', 128)
        assert avatar.screenshot() != broken


def test_the_keyboard_reaches_the_content_first(browser: Browser) -> None:
    page = browser.page
    page.keyboard.press('Tab')
    expect(page.get_by_role('link', name='Skip to content')).to_be_focused()
    page.keyboard.press('Enter')
    expect(page.get_by_role('main')).to_be_focused()
    page.keyboard.press('Tab')
    expect(page.get_by_role('form', name='Sign in').get_by_label('User name')).to_be_focused()


def test_the_browser_rejects_invalid_values(browser: Browser) -> None:
    browser.submit('Sign up', {'User name': 'a b', 'Email': 'ada@example.org', 'Password': PASSWORD})
    name = browser.page.get_by_role('form', name='Sign up').get_by_label('User name')
    assert name.evaluate('field => field.validity.patternMismatch')
    browser.submit('Sign up', {'User name': 'ada'})
    browser.expect_notice('Your account is ready. Sign in.')


@pytest.mark.parametrize('width', WIDTHS)
def test_no_page_violates_wcag(program: playwright.Browser, width: int) -> None:
    viewport = playwright.ViewportSize(width=width, height=844)
    with demo_site() as site, program.new_context(viewport=viewport, bypass_csp=True) as context:  # for axe
        page = context.new_page()
        for pages in (ANONYMOUS, SIGNED_IN):
            for destination in (destination for destination in pages.values() if '#' not in destination):
                visit(page, site.origin, destination)
                for colors in COLORS:
                    page.emulate_media(color_scheme=colors)
                    _check_accessibility(page)
            if pages is ANONYMOUS:
                sign_in(page, site.origin)


def _check_accessibility(page: playwright.Page) -> None:
    """Assert that axe finds no violation of WCAG 2.2, levels A and AA."""
    page.add_script_tag(path=AXE)
    violations = page.evaluate(
        'async tags => (await axe.run({runOnly: tags})).violations.map('
        'violation => [violation.id, ...violation.nodes.slice(0, 3).map(node => node.html)])',
        ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    )
    assert violations == [], page.url


def test_the_documentation_is_searched_within_the_page(browser: Browser) -> None:
    page = browser.page
    page.goto(f'{browser.origin}/api/docs')
    visible = page.get_by_role('article').filter(visible=True)
    total = visible.count()
    page.get_by_label('Find').fill('publish post')
    expect(visible).not_to_have_count(total)
    texts = visible.all_text_contents()
    assert texts
    assert all('publish' in text.lower() and 'post' in text.lower() for text in texts)
    expect(page.locator('.intro')).to_be_hidden()


def test_the_sidebar_of_the_documentation_marks_the_operation_in_the_url(browser: Browser) -> None:
    page = browser.page
    page.goto(f'{browser.origin}/api/docs#postPosts')
    marked = page.locator('aside [aria-current]')
    expect(marked).to_be_visible()
    expect(marked).to_contain_text('Publish a post')
    page.get_by_role('link', name='List posts').click()
    expect(marked).to_contain_text('List posts')


def test_names_in_the_documentation_are_not_broken_on_a_phone(browser: Browser) -> None:
    page = browser.page
    page.goto(f'{browser.origin}/api/docs')
    name = page.locator('#postPosts th code', has_text='fields[posts]')
    assert name.evaluate('name => name.getClientRects().length') == 1


@pytest.mark.parametrize('scripts', [True, False])
def test_a_link_to_an_operation_opens_it(program: playwright.Browser, server: Server, scripts: bool) -> None:
    with visiting(program, server, scripts=scripts, width=1440) as browser:
        page = browser.page
        page.goto(f'{browser.origin}/api/docs')
        operation = page.locator('#postPosts')
        expect(operation).to_be_hidden()
        page.locator('aside summary', has_text='Posts').click()
        page.get_by_role('link', name='Publish a post').click()
        expect(operation).to_be_in_viewport()
        expect(page.locator('summary', has_text='/api/posts').filter(visible=True).nth(1)).to_be_in_viewport()
        text, example = (operation.locator('> *').nth(number).bounding_box() for number in (0, 1))
        assert text
        assert example
        assert text['x'] + text['width'] < example['x']


def test_all_operations_of_the_documentation_are_opened_without_scripts(
    program: playwright.Browser, server: Server
) -> None:
    with visiting(program, server, scripts=False) as browser:
        page = browser.page
        page.goto(f'{browser.origin}/api/docs')
        assert page.evaluate('document.documentElement.scrollHeight') < 10_000
        expect(page.locator('.operation').filter(visible=True)).to_have_count(0)
        browser.click('Open all operations')
        expect(page.locator('.operation:not(:visible)')).to_have_count(0)
        browser.click('Close all operations')
        expect(page.locator('.operation').filter(visible=True)).to_have_count(0)


def test_the_request_of_an_operation_can_be_copied(browser: Browser) -> None:
    page = browser.page
    page.context.grant_permissions(['clipboard-read', 'clipboard-write'])
    page.goto(f'{browser.origin}/api/docs#postPosts')
    operation = page.locator('#postPosts')
    operation.get_by_role('button', name='Copy').click()
    browser.expect_message('The request is copied.')
    copied = page.evaluate('navigator.clipboard.readText()')
    assert copied == operation.get_by_label('Request').text_content()
    assert copied.startswith('curl -X POST')


def test_the_navigation_stays_in_view_on_a_wide_screen(program: playwright.Browser) -> None:
    size = playwright.ViewportSize(width=1440, height=700)
    with demo_site() as site, program.new_context(viewport=size) as context:
        page = context.new_page()
        sign_in(page, site.origin)
        page.goto(f'{site.origin}/api/posts')
        page.get_by_role('link', name='Last').scroll_into_view_if_needed()
        assert page.evaluate('scrollY') > 0
        expect(page.get_by_role('link', name='People')).to_be_in_viewport()
        for _ in range(24):  # the focus is not hidden by the header
            page.keyboard.press('Shift+Tab')
            top = page.evaluate('document.activeElement.getBoundingClientRect().top')
            bottom = page.locator('.top').evaluate('header => header.getBoundingClientRect().bottom')
            assert top >= bottom
