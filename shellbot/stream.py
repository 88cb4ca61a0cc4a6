"""The output of a running command, as it comes."""

from __future__ import annotations

from . import text
from .errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from .result import Result


class _End:
    """How the command of a stream has ended."""

    result: Result | None = None


class Stream:
    """The lines of a running command, as an iterator; they are not kept.

    A line comes as a person would have seen it, without its newline. When the command has ended,
    :attr:`result` has its status, and if that is not accepted, the iterator raises
    :class:`CommandError`. Time spent between two lines does not count for its limits.

    Leaving it early, by :meth:`close`, at the end of a ``with`` or by dropping it, interrupts the
    command, and the session is in step again. Until then the session is busy.
    """

    def __init__(self, chunks: Generator[bytes, None, Result]) -> None:
        self._end = _End()
        self._chunks = chunks
        # None of them knows this object, so that dropping it closes them.
        self._told = _told(chunks, self._end)
        self._lines = _lines(self._told)
        try:
            next(chunks)
        except StopIteration as ended:
            self._end.result = ended.value

    @property
    def result(self) -> Result | None:
        """What the command did, once it has ended; its ``raw`` is only the last of the output."""
        return self._end.result

    def chunks(self) -> Iterator[bytes]:
        """Hand out the exact bytes as they come, instead of lines."""
        return self._told

    def close(self) -> None:
        """Interrupt the command, if it has not ended. No further line comes."""
        self._chunks.close()
        self._lines.close()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._lines)

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _told(chunks: Generator[bytes, None, Result], end: _End) -> Iterator[bytes]:
    while end.result is None:
        try:
            chunk = next(chunks)
        except StopIteration as ended:
            end.result = ended.value
            return
        except CommandError as error:
            end.result = error.result
            raise
        if chunk:
            yield chunk


def _lines(chunks: Iterator[bytes]) -> Generator[str, None, None]:
    begun: list[bytes] = []
    failure = None
    try:
        for chunk in chunks:
            end = chunk.rfind(b"\n") + 1
            if end:
                yield from text.lines(b"".join((*begun, chunk[:end])))
                begun.clear()
            begun.append(chunk[end:])
    except CommandError as error:
        failure = error
    if any(begun):
        yield text.rendered(b"".join(begun))
    if failure:
        raise failure
