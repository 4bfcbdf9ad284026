"""Screenshots of the pages: `python -m tests.clients.screenshots FOLDER` makes them with demo data.

`python -m tests.clients.screenshots --readme` makes the README's picture.
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

import playwright.sync_api as playwright
from playwright.sync_api import sync_playwright

from tests.clients.browser_flags import FLAGS
from tests.server import ROOT, Server

PERSON, PASSWORD = 'stella.nova', 'correct horse'
WIDTHS = (390, 1440)
README_PICTURE = Path(__file__).parent / 'screenshot.png'
# The pages by name: links to click one after the other from the entry point, or an address.
SIGNED_IN = {
    'home': '/api',
    'posts': ('Posts',),
    'post': ('Posts', '.when'),
    'people': ('People',),
    'person': ('People', '.card h2 a'),
    'followers': ('Profile', '.profile .counts li:nth-child(3) a'),
    'own-profile': ('Profile',),
    'stores': ('Stores',),
    'store': ('Stores', '.rows th a'),
    'item': ('Stores', '.rows th a', '.along .rows th a'),
    'sign-ins': ('Sign-ins',),
    'posts-last': ('Posts', 'Last'),
    'missing': '/api/posts/1',
    'as-hal': '/api/posts?per_page=1&as=hal',
    'relation': '/api/rels/followers',
    'docs': '/api/docs',
}


@contextmanager
def demo_server() -> Iterator[Server]:
    """Run a server with demo data."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {'DATABASE_URL': f'sqlite:///{folder}/halcyon.db', 'BCRYPT_COST': '4'}
        command = [sys.executable, '-m', 'service', 'demo', '--users', '60', '--stores', '5']
        subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True)
        with Server(Path(folder), workers=1, AVATARS='off') as server:
            yield server


def sign_in(page: playwright.Page, origin: str) -> None:
    """Sign in at the entry point."""
    page.goto(f'{origin}/api')
    form = page.get_by_role('form', name='Sign in')
    form.get_by_label('User name').fill(PERSON)
    form.get_by_label('Password').fill(PASSWORD)
    form.get_by_role('button').click()
    page.locator('#sign-out').wait_for()


def visit(page: playwright.Page, origin: str, way: str | tuple[str, ...]) -> None:
    """Go to a page of SIGNED_IN."""
    page.goto(f'{origin}{way if isinstance(way, str) else "/api"}')
    for step in way if isinstance(way, tuple) else ():
        is_selector = step.startswith('.')
        target = page.locator(step) if is_selector else page.get_by_role('link', name=step, exact=True)
        target.first.click()
        page.wait_for_load_state()


def take_all(folder: Path, origin: str, browser: playwright.Browser) -> None:
    """Take every page at every width, in light colours, and the first ones in dark colours too."""
    for width in WIDTHS:
        viewport = playwright.ViewportSize(width=width, height=900)
        page = browser.new_page(viewport=viewport)
        page.goto(f'{origin}/api')
        page.screenshot(path=folder / f'welcome-{width}.png', full_page=True)
        page.goto(f'{origin}/api/users')
        page.screenshot(path=folder / f'please-sign-in-{width}.png', full_page=True)
        sign_in(page, origin)
        for name, way in SIGNED_IN.items():
            visit(page, origin, way)
            page.screenshot(path=folder / f'{name}-{width}.png', full_page=name != 'docs')
        page.emulate_media(color_scheme='dark')
        visit(page, origin, SIGNED_IN['home'])
        page.screenshot(path=folder / f'home-dark-{width}.png')
        page.close()


def take_readme_picture(origin: str, browser: playwright.Browser) -> None:
    """Take the feed beside a profile, as a phone shows them."""
    page = browser.new_page(viewport=playwright.ViewportSize(width=760, height=620))
    sign_in(page, origin)
    page.screenshot(path=README_PICTURE)


def main() -> None:
    """Take the screenshots that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', nargs='?', type=Path)
    parser.add_argument('--readme', action='store_true')
    options = parser.parse_args()
    with demo_server() as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which('chromium'), args=FLAGS)
        if options.readme:
            take_readme_picture(server.origin, browser)
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
            take_all(options.folder, server.origin, browser)


if __name__ == '__main__':
    main()
