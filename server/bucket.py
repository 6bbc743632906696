"""An object store as a place for the shared results: S3, what speaks it, and its like."""

import errno
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import InputError
from engine.place import Stored
from server.beside import beside

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES = ("s3", "gs", "az")
_REACH: "ClientConfig" = {"connect_timeout": "5s", "allow_http": True}
_READ: "ClientConfig" = {**_REACH, "read_timeout": "15s", "timeout": "1h"}
_WRITE: "ClientConfig" = {**_REACH, "timeout": "10min"}
"""A run waits for what it reads; what it writes is nobody's hurry."""
_RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_MESSAGE = re.compile(r"<Message>(.*?)</Message>")
_NOISE = re.compile(
    r"^Generic \S+ error: | in [\d.]+[^\s\d]?s\b|, after \d+ retries, max_retries: \d+, retry_timeout: \S+ "
)

T = TypeVar("T")


class Bucket:
    """A bucket, or the part of one under a prefix, by its URL: `s3://bucket/prefix`.

    Endpoint, region and keys come from the environment (`AWS_ENDPOINT_URL`, `AWS_REGION`,
    `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, …). A file's time of use is when it was written.

    Raises:
        InputError: The package obstore is not installed, or the URL cannot be one.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            import obstore
            from obstore.exceptions import BaseError
            from obstore.store import from_url
        except ModuleNotFoundError as error:
            raise InputError(
                f"the shared store {url} needs the package obstore",
                code="missing_package",
                hint="pip install 'darkroom[s3]'",
            ) from error
        self.obstore: Any = obstore
        try:
            self.reading: ObjectStore = from_url(url, client_options=_READ, retry_config=_RETRY)
            self.writing: ObjectStore = from_url(url, client_options=_WRITE, retry_config=_RETRY)
        except (BaseError, ValueError) as error:
            raise InputError(
                f"the shared store {url} cannot be opened: {_said(error)}", code="bad_store"
            ) from error

    @property
    def title(self) -> str:
        """The URL."""
        return self.url

    def read(self, name: str) -> bytes | None:
        """What an object holds; none if it is not there."""

        def get() -> bytes:
            return bytes(self.obstore.get(self.reading, name).bytes())

        return self._if_there(get)

    def write(self, name: str, data: bytes) -> None:
        """Put an object there, in the place of one of that name."""
        self._call(lambda: self.obstore.put(self.writing, name, data))

    def create(self, name: str, data: bytes) -> bool:
        """Put an object there unless there is one of that name; whether it was put."""
        from obstore.exceptions import AlreadyExistsError

        def put() -> bool | None:
            try:
                self.obstore.put(self.writing, name, data, mode="create")
            except AlreadyExistsError:
                return False
            except NotImplementedError:
                return None
            return True

        put_there = self._call(put)
        if put_there is None:  # AWS_CONDITIONAL_PUT=disabled: the last of two writers wins there
            put_there = not self.exists(name)
            if put_there:
                self.write(name, data)
        return put_there

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name."""
        return self._if_there(lambda: self.obstore.head(self.reading, name)) is not None

    def remove(self, name: str) -> None:
        """Take an object away, if it is there."""
        self._if_there(lambda: self.obstore.delete(self.writing, name))

    def list(self) -> Iterator[Stored]:
        """Every object under the prefix."""
        objects = self._call(lambda: list(self.obstore.list(self.reading)))
        for found in (item for chunk in objects for item in chunk):
            yield Stored(found["path"], found["size"], found["last_modified"].timestamp())

    def touch(self, name: str) -> None:
        """Nothing: an object's time cannot be set."""

    def _if_there(self, call: Callable[[], T]) -> T | None:
        try:
            return self._call(call)
        except FileNotFoundError:
            return None

    def _call(self, call: Callable[[], T]) -> T:
        """What a call gives, its errors as those of the system; it can be interrupted by Ctrl-C."""

        def work() -> T:
            with _as_os_error():
                return call()

        if threading.current_thread() is not threading.main_thread():
            return work()
        return beside(work, "darkroom-bucket").result()


@contextmanager
def _as_os_error() -> Iterator[None]:
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PermissionError(errno.EACCES, f"access denied: {_said(error)}") from error
    except (BaseError, FileNotFoundError) as error:
        if "NoSuchBucket" in str(error):
            raise OSError(errno.ENODEV, "there is no such bucket") from error
        if isinstance(error, FileNotFoundError):
            raise
        raise OSError(errno.EIO, _said(error)) from error


def _said(error: Exception) -> str:
    """The part of a long message that people can use: what the service says, or the first line."""
    said = _MESSAGE.search(str(error))
    return said[1] if said else _NOISE.sub("", str(error).partition("\n")[0]).strip(" :")
