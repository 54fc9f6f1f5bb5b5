"""Loaded by Python itself at the start of the confined child, before its own code.

localstripe listens on every interface and keeps its pickle at one fixed path for all users of
the machine. A stand-in must do neither: this keeps the child to the loopback address and to the
state directory it is given, and ends it when the process that started it is gone.

It also writes all that it knows with every object that it makes, so that the ten-thousandth
payment would cost ten thousand times what the first did. Here it writes soon after a change, with
a pause in proportion to what writing took, and before it ends.
"""

import asyncio
import atexit
import builtins
import os
import socket
import threading
import time
from typing import Any

from localstripe.resources import Store  # type: ignore[import-untyped]  # it has no types

_STATE = os.environ["STANDIN_STATE_FILE"]
_PICKLE = "localstripe.pickle"

_open = builtins.open
_bind = socket.socket.bind


def _open_in_state_dir(file: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(file, str) and os.path.basename(file) == _PICKLE:
        file = _STATE
    return _open(file, *args, **kwargs)


def _bind_on_loopback(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[0] == "::":
        address = ("::1", *address[1:])
    _bind(self, address)


_PAUSE = 20.0
"""Between two writings, as a multiple of what the last one took."""


class _Writing:
    """When the store is written."""

    def __init__(self) -> None:
        self._store: Store | None = None
        """The store that has changed since it was written."""
        self._free_at = 0.0

    def soon(self, store: Store) -> None:
        """Have it written, now or after the pause."""
        waits = self._store is not None
        self._store = store
        if waits:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now()
        else:
            loop.call_later(max(0.0, self._free_at - time.monotonic()), self.now)

    def now(self) -> None:
        """Write it, if it has changed."""
        store, self._store = self._store, None
        if store is not None:
            began = time.monotonic()
            _dump(store)
            ended = time.monotonic()
            self._free_at = ended + _PAUSE * (ended - began)


def _end_with_parent() -> None:
    # The parent holds the other end of this pipe and never writes: EOF means it has died,
    # by whatever signal.
    while os.read(0, 4096):
        pass
    try:
        _writing.now()
    finally:  # whatever it was just changing: nobody may outlive the parent
        os._exit(0)


_dump = Store.dump_to_disk
_writing = _Writing()
Store.dump_to_disk = lambda store: _writing.soon(store)
atexit.register(_writing.now)


builtins.open = _open_in_state_dir
socket.socket.bind = _bind_on_loopback  # type: ignore[method-assign,assignment]  # the confinement itself
threading.Thread(target=_end_with_parent, daemon=True).start()
