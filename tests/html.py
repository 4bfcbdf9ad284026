"""A strict parser of our pages: the rules of the conformance kit, and those that Halcyon adds."""

from __future__ import annotations

from service.conformance import html
from service.conformance.exchange import HTML
from tests.kit import assert_text_conformant


def as_parsed(text: str) -> str:
    """Return the text as an HTML parser reads it."""
    return text.replace('\r\n', '\n').replace('\r', '\n').replace('\0', '\ufffd')


class Page(html.Page):
    """The tags of a page in order, with their attributes, and its text; raises AssertionError."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        assert_text_conformant(text, HTML, 'html')
        for tag in self.tags:
            assert not any(name.startswith('on') or name == 'style' for name in tag.attributes), tag.name

    def forms(self) -> list[tuple[dict[str, str | None], dict[str, str]]]:
        """Return the attributes of every form, and its fields with their values."""
        forms: list[tuple[dict[str, str | None], dict[str, str]]] = []
        for tag in self.tags:
            if tag.name == 'form':
                forms.append((dict(tag.attributes), {}))
            elif tag.name in ('input', 'textarea') and forms:
                forms[-1][1][tag.attributes['name'] or ''] = tag.attributes.get('value') or ''
        return forms

    def shape(self) -> list[tuple[str, list[str]]]:
        """Return the tags and the names of their attributes, without any value."""
        return [(tag.name, list(tag.attributes)) for tag in self.tags]


def loaded_files(page: Page) -> list[str]:
    """Return the URLs of the scripts, styles and icons that a page loads."""
    loaded = [tag['src'] for tag in page.all('script')] + [tag['href'] for tag in page.all('link')]
    return [url for url in loaded if url]
