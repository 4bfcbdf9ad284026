"""Screenshots of the pages: `python -m tests.clients.screenshots FOLDER` takes them with demo data.

`python -m tests.clients.screenshots --readme` takes the screenshot in the README.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import playwright.sync_api as playwright
from playwright.sync_api import sync_playwright

from tests.clients.browser_flags import FLAGS
from tests.mail_server import MailServer, mail_server
from tests.server import ROOT, Server, free_port, wait_until

Colors = Literal['light', 'dark']
USERNAME, PASSWORD = 'stella.nova', 'correct horse'
NEW_USERNAME = 'new.user'
WIDTHS = (390, 1440)
COLORS: tuple[Colors, ...] = ('light', 'dark')
README_SCREENSHOT = Path(__file__).parent / 'screenshot.png'
# The pages by name: a path, or links to click one after the other from the entry point.
ANONYMOUS: dict[str, str | tuple[str, ...]] = {
    'welcome': '/api',
    'please-sign-in': '/api/users',
    'forgot-password': '/api/password-resets',
    'check-your-mail': '/api?done=forgot-password',
    'expired-link': f'/api/password-resets/{"x" * 43}',
    'relation': '/api/rels/followers',
    'problem-type': '/api/problems/invalid-values',
    'docs': '/api/docs',
    'docs-operation': '/api/docs#postPosts',
    'docs-open': '/api/docs?open',
}
SIGNED_IN: dict[str, str | tuple[str, ...]] = {
    'home': '/api',
    'feed': ('Feed',),
    'posts': ('Posts',),
    'post': ('Posts', '.when'),
    'posts-last': ('Posts', 'Last'),
    'posts-past-the-end': '/api/posts?page=1000',
    'people': ('People',),
    'no-user-found': '/api/users?q=zzz',
    'person': ('People', '.card:nth-of-type(2) h2 a'),
    'followers': ('Profile', '.profile .counts li:nth-child(3) a'),
    'own-profile': ('Profile',),
    'edit-profile': ('Profile', '.actions summary'),
    'stores': ('Stores',),
    'store': ('Stores', '.rows th a'),
    'item': ('Stores', '.rows th a', '.related .rows th a'),
    'sign-ins': ('Sign-ins',),
    'sign-in': ('Sign-ins', '.rows th a'),
    'missing': '/api/posts/1',
    'unknown-url': '/nothing',
    'bad-parameter': '/api/posts?page=x',
    'as-hal': '/api/posts?per_page=1&as=hal',
}


class Site(NamedTuple):
    """The origin of a server with demo data, and the mail server that receives its mails."""

    origin: str
    inbox: MailServer


@contextmanager
def demo_site(**settings: str) -> Iterator[Site]:
    """Run a server with demo data and a mail server for the duration of a block."""
    with tempfile.TemporaryDirectory() as folder, mail_server() as inbox:
        environment = {'DATABASE_URL': f'sqlite:///{folder}/halcyon.db', 'BCRYPT_COST': '4'}
        command = [sys.executable, '-m', 'service', 'demo', '--users', '60', '--stores', '5']
        subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
        port = free_port()
        settings |= {
            'AVATARS': 'off',
            'BASE_URL': f'http://127.0.0.1:{port}',
            'MAIL_URL': inbox.url,
            'MAIL_FROM': 'halcyon@example.org',
        }
        with Server(Path(folder), workers=1, port=port, **settings) as server:
            yield Site(server.origin, inbox)


def sign_in(page: playwright.Page, origin: str, name: str = USERNAME) -> None:
    """Sign in at the entry point."""
    page.goto(f'{origin}/api')
    form = page.get_by_role('form', name='Sign in')
    form.get_by_label('User name').fill(name)
    form.get_by_label('Password').fill(PASSWORD)
    form.get_by_role('button').click()
    page.locator('#sign-out').wait_for()


def visit(page: playwright.Page, origin: str, destination: str | tuple[str, ...]) -> None:
    """Go to a page of ANONYMOUS or SIGNED_IN."""
    page.goto(f'{origin}{destination if isinstance(destination, str) else "/api"}')
    for step in destination if isinstance(destination, tuple) else ():
        is_selector = step.startswith('.')
        target = page.locator(step) if is_selector else page.get_by_role('link', name=step, exact=True)
        target.first.click()
        page.wait_for_load_state()


class Camera:
    """Takes screenshots of a site with one width and colour scheme, with or without scripts."""

    def __init__(
        self, folder: Path, site: Site, width: int, colors: Colors, *, has_scripts: bool = True
    ) -> None:
        self.folder, self.site, self.width, self.colors = folder, site, width, colors
        self.has_scripts = has_scripts
        self.suffix = f'{width}-{colors}{"" if has_scripts else "-without-scripts"}'

    def take(self, page: playwright.Page, name: str) -> None:
        """Take a screenshot of the whole page; for the documentation, only of the visible part."""
        path = self.folder / f'{name}-{self.suffix}.png'
        page.screenshot(path=path, full_page=not name.startswith('docs'))

    def take_pages(self, page: playwright.Page, pages: dict[str, str | tuple[str, ...]]) -> None:
        """Visit pages, and take a screenshot of each."""
        for name, destination in pages.items():
            visit(page, self.site.origin, destination)
            self.take(page, name)

    def take_all(self, browser: playwright.Browser) -> None:
        """Take screenshots of all pages, for an anonymous visitor, a new user, and a user with posts."""
        page = browser.new_page(
            viewport={'width': self.width, 'height': 900},
            color_scheme=self.colors,
            java_script_enabled=self.has_scripts,
        )
        self.take_pages(page, ANONYMOUS)
        self._register(page)
        sign_in(page, self.site.origin, self._new_username)
        self.take_pages(page, {'empty-home': '/api', 'empty-profile': ('Profile',)})
        page.context.clear_cookies()
        sign_in(page, self.site.origin)
        self.take_pages(page, SIGNED_IN)
        page.close()

    @property
    def _new_username(self) -> str:
        return f'{NEW_USERNAME}.{self.suffix}'

    def _register(self, page: playwright.Page) -> None:
        """Register a user; take screenshots of a failed form, and of the pages that emails link to."""
        page.goto(f'{self.site.origin}/api')
        form = page.get_by_role('form', name='Sign up')
        form.get_by_label('User name').fill(USERNAME)
        form.get_by_label('Email').fill(f'{self._new_username}@example.org')
        form.get_by_label('Password').fill(PASSWORD)
        form.get_by_role('button').click()
        page.get_by_text('is taken').wait_for()
        self.take(page, 'taken-name')
        form.get_by_label('User name').fill(self._new_username)
        form.get_by_label('Password').fill(PASSWORD)  # without scripts, the page with the error has none
        form.get_by_role('button').click()
        self._take_mail(page, 'verify-email')
        page.request.post(
            f'{self.site.origin}/api/password-resets', form={'email': f'{self._new_username}@example.org'}
        )
        self._take_mail(page, 'reset-password')

    def _take_mail(self, page: playwright.Page, name: str) -> None:
        """Take a screenshot of the page that the next mail links to."""
        wait_until(lambda: self.site.inbox.messages != [])
        page.goto(self.site.inbox.last_link())
        self.site.inbox.messages.clear()
        self.take(page, name)


def take_all(folder: Path, browser: playwright.Browser) -> None:
    """Take screenshots of all pages at each width: light, dark, and light without scripts."""
    with demo_site() as site:
        for width in WIDTHS:
            for colors in COLORS:
                Camera(folder, site, width, colors).take_all(browser)
            Camera(folder, site, width, COLORS[0], has_scripts=False).take_all(browser)
    with demo_site(REGISTRATION='closed') as site:
        page = browser.new_page(viewport={'width': WIDTHS[0], 'height': 900})
        Camera(folder, site, WIDTHS[0], COLORS[0]).take_pages(page, {'closed': '/api'})


def take_readme_screenshot(browser: playwright.Browser) -> None:
    """Take the screenshot of the home page of a signed-in user."""
    with demo_site() as site:
        page = browser.new_page(viewport={'width': 760, 'height': 620})
        sign_in(page, site.origin)
        page.screenshot(path=README_SCREENSHOT)


def main() -> None:
    """Take the screenshots that the command line requests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', nargs='?', type=Path)
    parser.add_argument('--readme', action='store_true')
    options = parser.parse_args()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which('chromium'), args=FLAGS)
        if options.readme:
            take_readme_screenshot(browser)
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
            take_all(options.folder, browser)


if __name__ == '__main__':
    main()
