"""A request that is not answered, with the reason."""

from collections.abc import Mapping

from engine.errors import EngineError


class Refused(EngineError):  # noqa: N818 - nothing went wrong here
    """The server does not do what a request asks. The API makes a problem document of it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = dict(headers or {})
