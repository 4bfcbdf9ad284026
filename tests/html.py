"""A strict reader of our pages: it asserts that tags fit, and that whatever is referred to is there."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = ('br', 'hr', 'img', 'input', 'link', 'meta')
Tag = tuple[str, dict[str, str | None]]


class Page(HTMLParser):
    """The tags of a page in their order with their attributes, and its text; raises AssertionError."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[Tag] = []
        self.text = ''
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []
        self._check_references()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f'{tag} has an attribute twice'
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of every tag of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def forms(self) -> list[tuple[dict[str, str | None], dict[str, str]]]:
        """Return the attributes of every form, and its fields with their values."""
        forms: list[tuple[dict[str, str | None], dict[str, str]]] = []
        for tag, attributes in self.tags:
            if tag == 'form':
                forms.append((attributes, {}))
            elif tag in ('input', 'textarea') and forms:
                forms[-1][1][attributes['name'] or ''] = attributes.get('value') or ''
        return forms

    def shape(self) -> list[tuple[str, list[str]]]:
        """Return the tags and the names of their attributes, without any value."""
        return [(tag, list(attributes)) for tag, attributes in self.tags]

    def _check_references(self) -> None:
        ids = [attributes['id'] for _, attributes in self.tags if 'id' in attributes]
        assert len(set(ids)) == len(ids), 'an id stands twice'
        for tag, attributes in self.tags:
            for name in ('for', 'aria-describedby', 'aria-labelledby'):
                for reference in (attributes.get(name) or '').split():
                    assert reference in ids, f'{name} of {tag} leads nowhere'
            assert not any(name.startswith('on') or name == 'style' for name in attributes), tag
        labelled = {attributes['for'] for attributes in self.all('label')}
        for field in self.all('input') + self.all('textarea'):
            assert field.get('type') == 'hidden' or field['id'] in labelled
