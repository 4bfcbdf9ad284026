"""The HTML pages in a real browser, used by clicking and typing from /api on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import playwright.sync_api as playwright
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.server import Server

FLAGS = (
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128"><circle r="99" fill="teal"/></svg>'
)
PASSWORD = 'correct horse'


class Browser:
    """A page in a browser, its console messages, and the URLs that it requested."""

    def __init__(self, page: playwright.Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on('console', self._listen)
        page.on('pageerror', lambda error: self.complaints.append(str(error)))
        page.context.route(lambda address: not address.startswith(f'{origin}/'), self._leave)

    def _listen(self, message: playwright.ConsoleMessage) -> None:
        if message.type in ('error', 'warning'):
            self.complaints.append(message.text)

    def _leave(self, route: playwright.Route) -> None:
        self.elsewhere.append(route.request.url)
        if route.request.url.startswith('https://www.gravatar.com/avatar/'):
            route.fulfill(body=PICTURE, content_type='image/svg+xml')
        else:
            route.abort()

    def heading(self, text: str) -> None:
        expect(self.page.get_by_role('heading', level=1)).to_have_text(text)

    def message(self, text: str) -> None:
        expect(self.page.get_by_role('status')).to_contain_text(text)

    def click(self, text: str) -> None:
        self.page.get_by_role('link', name=text, exact=True).first.click()

    def fill(self, form: str, values: Mapping[str, str] = MappingProxyType({})) -> None:
        """Fill in a form by the labels of its fields, and submit it."""
        filled = self.page.get_by_role('form', name=form, exact=True).first
        for label, value in values.items():
            filled.get_by_label(label).fill(value)
        filled.get_by_role('button').click()

    def register(self, name: str) -> None:
        self.fill('Sign up', {'User name': name, 'E-mail': f'{name}@example.org', 'Password': PASSWORD})

    def sign_in(self, name: str) -> None:
        self.fill('Sign in', {'User name': name, 'Password': PASSWORD})
        self.message('You are signed in.')
        expect(self.page).to_have_url(f'{self.origin}/api')

    @contextmanager
    def complaining(self, status: int) -> Iterator[None]:
        """Expect that the console reports a response with this status, and nothing else."""
        before = len(self.complaints)
        yield
        self.page.wait_for_load_state('networkidle')
        messages = self.complaints[before:]
        assert messages
        assert all(f'status of {status} ' in complaint for complaint in messages), messages
        del self.complaints[before:]


@pytest.fixture(scope='module')
def program(chromium: str) -> Iterator[playwright.Browser]:
    with sync_playwright() as driver:
        yield driver.chromium.launch(executable_path=chromium, args=FLAGS)


@pytest.fixture
def browser(program: playwright.Browser, server: Server) -> Iterator[Browser]:
    """A browser at the entry point; at the end its console must be clean, and only pictures external."""
    with program.new_context(viewport={'width': 390, 'height': 844}) as context:
        context.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        visitor = Browser(context.new_page(), server.origin)
        visitor.page.goto(f'{server.origin}/api')
        yield visitor
        visitor.page.wait_for_load_state('networkidle')
        cookies = context.cookies()
    assert cookies == []
    assert visitor.complaints == []
    assert all(address.startswith('https://www.gravatar.com/avatar/') for address in visitor.elsewhere)


def test_every_feature_works_in_a_browser(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.message('Sign up: done.')
    browser.register('bob')
    browser.message('Sign up: done.')

    with browser.complaining(400):
        browser.fill('Sign up', {'User name': 'ADA', 'E-mail': 'new@example.org', 'Password': PASSWORD})
        browser.message('username is taken')
    name = page.get_by_role('form', name='Sign up').get_by_label('User name')
    expect(name).to_be_focused()
    expect(name).to_have_attribute('aria-invalid', 'true')
    expect(name).to_have_accessible_description(
        'At most 64 characters. May have only the letters A to Z, digits, and . _ -. '
        'username is taken by another user.'
    )

    with browser.complaining(401):
        browser.fill('Sign in', {'User name': 'bob', 'Password': 'not this one'})
        browser.message('The user name or the password is wrong.')
    browser.sign_in('bob')
    for number in range(1, 14):
        browser.fill('Publish a post', {'Text': f'number {number}'})
        browser.message('Publish a post: done.')
        expect(page.get_by_role('form', name='Publish a post').get_by_label('Text')).to_have_value('')
    page.get_by_role('button', name='Sign out').click()
    browser.message('You are signed out.')

    browser.sign_in('ada')
    browser.click('My profile')
    browser.heading('ada')
    page.get_by_text('Edit profile').first.click()
    browser.fill('Edit profile', {'About me': 'Countess'})
    browser.message('Edit profile: done.')
    expect(page.get_by_role('row', name='About me')).to_contain_text('Countess')

    browser.click('Halcyon')
    browser.heading('Halcyon')
    browser.click('Users')
    browser.heading('Users')
    browser.fill('Search', {'Name starts with': 'b'})
    expect(page.get_by_role('article')).to_have_count(1)
    browser.click('bob')
    browser.heading('bob')
    page.get_by_role('button', name='Follow', exact=True).click()
    browser.message('Follow: done.')
    expect(page.get_by_role('button', name='Unfollow')).to_be_visible()
    browser.click('Followers')
    browser.heading('Followers')
    expect(page.get_by_role('article')).to_have_count(1)
    page.go_back()
    browser.heading('bob')

    browser.click('Halcyon')
    browser.heading('Halcyon')
    browser.click('Feed')
    browser.heading('Feed')
    expect(page.get_by_role('article')).to_have_count(10)
    browser.click('Next')
    expect(page.get_by_role('article')).to_have_count(3)
    expect(page.get_by_role('article').last).to_contain_text('number 1')
    page.go_back()
    expect(page.get_by_role('article')).to_have_count(10)

    browser.click('Halcyon')
    browser.heading('Halcyon')  # the previous page has such a form, too
    browser.fill('Publish a post', {'Text': '<script>alert("no")</script>'})
    browser.click('Show it')
    browser.heading('Post by ada')
    expect(page.get_by_role('main')).to_contain_text('<script>alert("no")</script>')
    here = page.url
    page.get_by_text('Delete post').first.click()
    browser.fill('Delete post')
    browser.message('Delete post: done.')
    browser.heading('Posts')

    with browser.complaining(404):
        page.go_back()
        browser.heading('Not found')
    assert page.url == here
    browser.click('Start')
    browser.heading('Halcyon')
    page.get_by_role('button', name='Sign out').click()
    browser.message('You are signed out.')
    assert page.evaluate('sessionStorage.length') == 0
    expect(page.get_by_role('form', name='Sign in')).to_be_visible()


def test_a_revoked_token_leads_to_the_sign_in_form(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.message('Sign up: done.')
    browser.sign_in('ada')
    page.evaluate("sessionStorage.setItem('halcyon-token', 'hc_nothing')")
    with browser.complaining(401):
        browser.click('Users')
        browser.message('You are no longer signed in.')
    browser.sign_in('ada')
    assert page.evaluate("sessionStorage.getItem('halcyon-token')") not in (None, 'hc_nothing')


def test_reloading_a_page_keeps_the_user_signed_in(browser: Browser) -> None:
    page = browser.page
    browser.register('ada')
    browser.message('Sign up: done.')
    browser.sign_in('ada')
    browser.click('My profile')
    browser.heading('ada')
    with browser.complaining(401):  # for the navigation of the browser, which has no token
        page.reload()
        browser.heading('ada')
    assert page.evaluate("sessionStorage.getItem('halcyon-token')") is not None


def test_a_url_that_needs_a_token_offers_to_sign_in(browser: Browser) -> None:
    browser.register('ada')
    browser.message('Sign up: done.')
    with browser.complaining(401):
        browser.click('Users')
        browser.heading('Authentication required')
    browser.sign_in('ada')
    assert browser.page.evaluate("sessionStorage.getItem('halcyon-token')") is not None


@pytest.mark.parametrize('width', [390, 1280])
def test_a_page_is_never_wider_than_the_window(browser: Browser, width: int) -> None:
    page = browser.page
    page.set_viewport_size({'width': width, 'height': 844})
    page.goto(f'{browser.origin}/api/rels/users')
    browser.heading('hc:users')
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def test_the_keyboard_reaches_the_content_first(browser: Browser) -> None:
    page = browser.page
    page.keyboard.press('Tab')
    expect(page.get_by_role('link', name='Skip to the content')).to_be_focused()
    page.keyboard.press('Enter')
    expect(page.get_by_role('main')).to_be_focused()
    page.keyboard.press('Tab')
    expect(page.get_by_role('link', name='Users')).to_be_focused()


def test_the_browser_enforces_the_rules_of_fields(browser: Browser) -> None:
    browser.fill('Sign up', {'User name': 'a b', 'E-mail': 'ada@example.org', 'Password': PASSWORD})
    name = browser.page.get_by_role('form', name='Sign up').get_by_label('User name')
    assert name.evaluate('field => field.validity.patternMismatch')
    browser.fill('Sign up', {'User name': 'ada'})
    browser.message('Sign up: done.')


def test_signing_up_works_without_javascript(
    program: playwright.Browser, server: Server, browser: Browser
) -> None:
    with program.new_context(java_script_enabled=False) as context:
        plain = Browser(context.new_page(), server.origin)
        plain.page.goto(f'{server.origin}/api')
        plain.register('ada')
        expect(plain.page.get_by_role('form', name='Sign up').get_by_label('User name')).to_have_value('')
        expect(plain.page).to_have_url(f'{server.origin}/api')
    browser.sign_in('ada')
