"""Patches a class of tqdm so that its bars are tracked. They look and work as before."""

import functools
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from jobtrack_client._runtime.log import LOGGER
from jobtrack_client.integrations.tqdm_bars import Loop

if TYPE_CHECKING:
    import tqdm

    Bar = tqdm.tqdm[Any]

_LOOP = "_jobtrack_loop"
_Method = Callable[..., Any]


def follow(bars: "type[Bar]") -> Callable[[], None]:
    """Track every bar of a class and its subclasses. Return a function that undoes this."""
    before = {name: vars(bars).get(name) for name in _WRAPPERS}
    for name, wrapper in _WRAPPERS.items():
        original = getattr(bars, name)
        setattr(bars, name, functools.wraps(original)(wrapper(original)))

    def undo() -> None:
        for name, method in before.items():
            if method is None:
                delattr(bars, name)
            else:
                setattr(bars, name, method)

    return undo


def _init(original: _Method) -> _Method:
    def __init__(self: "Bar", *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        # A subclass of a patched class may be patched too.
        if not hasattr(self, _LOOP):
            description = kwargs.get("desc", args[1] if len(args) > 1 else None)
            setattr(self, _LOOP, _safely(Loop, description, self.total))

    return __init__


def _iter(original: _Method) -> _Method:
    def __iter__(self: "Bar") -> Iterator[Any]:
        loop: Loop | None = getattr(self, _LOOP, None)
        if loop is None or loop.iterated:
            yield from original(self)
            return
        loop.iterated = True
        try:
            for item in _counted(self, loop) if self.disable else original(self):
                loop.handed_out()
                yield item
        except GeneratorExit:
            _safely(loop.dropped, sys._getframe().f_back)
            raise
        except BaseException as error:
            _safely(loop.end, error)
            raise
        _safely(loop.end, None)

    return __iter__


def _counted(bar: "Bar", loop: Loop) -> Iterator[Any]:
    """Iterate over the items of a disabled bar, which does not count them."""
    for item in bar.iterable:
        yield item
        loop.advance(1)


def _update(original: _Method) -> _Method:
    def update(self: "Bar", n: float | None = 1) -> Any:
        displayed = original(self, n)
        loop: Loop | None = getattr(self, _LOOP, None)
        if loop is not None:
            _safely(*((loop.advance, n or 0) if self.disable else (loop.follow, self)))
        return displayed

    return update


def _then_follow(original: _Method) -> _Method:
    def method(self: "Bar", *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        loop: Loop | None = getattr(self, _LOOP, None)
        if loop is not None:
            _safely(loop.follow, self)
        return result

    return method


def _close(original: _Method) -> _Method:
    def close(self: "Bar") -> None:
        loop: Loop | None = getattr(self, _LOOP, None)
        if loop is not None and loop.open:
            _safely(loop.follow, self)
            if not loop.iterated:
                whole = self.total is None or loop.done >= self.total
                _safely(*((loop.end, None) if whole else (loop.dropped, sys._getframe().f_back)))
        original(self)

    return close


def _exit(original: _Method) -> _Method:
    def __exit__(self: "Bar", kind: Any, error: BaseException | None, traceback: Any) -> Any:
        loop: Loop | None = getattr(self, _LOOP, None)
        if loop is not None and not loop.iterated:
            _safely(loop.follow, self)
            _safely(loop.end, error)
        return original(self, kind, error, traceback)

    return __exit__


def _safely(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a call. Log a failure, because the bar must go on."""
    try:
        return call(*arguments)
    except Exception:
        LOGGER.warning("a loop is not tracked", exc_info=True)
        return None


_WRAPPERS: dict[str, Callable[[_Method], _Method]] = {
    "__init__": _init,
    "__iter__": _iter,
    "__exit__": _exit,
    "update": _update,
    "refresh": _then_follow,
    "reset": _then_follow,
    "close": _close,
}
