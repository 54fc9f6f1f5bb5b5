"""Loaded by Python itself at the start of the confined child, before its own code.

localstripe listens on every interface and keeps its pickle at one fixed path for all users of
the machine. A stand-in must do neither: this keeps the child to the loopback address and to the
state directory it is given, and ends it when the process that started it is gone.
"""

import builtins
import os
import socket
import sys
import threading
from typing import Any

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


def _end_with_parent() -> None:
    # The parent holds the other end of this pipe and never writes: EOF means it has died,
    # by whatever signal.
    sys.stdin.buffer.read()
    os._exit(0)


builtins.open = _open_in_state_dir
socket.socket.bind = _bind_on_loopback  # type: ignore[method-assign,assignment]  # the confinement itself
threading.Thread(target=_end_with_parent, daemon=True).start()
