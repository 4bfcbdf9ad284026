"""The error of a header field that is invalid or not supported."""


class InvalidHeader(ValueError):
    """The header field `name` is invalid or not supported; the text says why."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name = name
