"""Seal and open by hand, for what is not a column of its own."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core import scope
from core.crypto.box import KEY_BYTES, close_box, key_number, open_box
from core.crypto.keyring import NoKey, installed


def seal(plain: str, *place: str) -> bytes:
    """Seal a text of the tenant being served, bound to its ``place`` (table, column, row …).

    Raises:
        NoKey: the tenant has no data key.
        NoScope: nobody is being served.
    """
    tenant = scope.current()
    keys = installed().of(tenant.id)
    return close_box(
        keys.keys[keys.current], keys.current, plain.encode(), (str(tenant.id), *place)
    )


def open_sealed(sealed: bytes, *place: str) -> str:
    """The text that ``seal`` was given for the same tenant and ``place``.

    Raises:
        CannotOpen: it was changed, or sealed for another tenant or place.
        NoKey: its key is not the tenant's.
    """
    tenant = scope.current()
    key = installed().key(tenant.id, key_number(sealed))
    return open_box(key, sealed, (str(tenant.id), *place)).decode()


def mark(text: str, *place: str) -> bytes:
    """What finds ``text`` again by equality without saying it: a keyed hash (HMAC-SHA256) by the
    tenant's current data key, so that nobody who reads the table can try out texts.

    Raises:
        NoKey: the tenant has no data key.
    """
    keys = installed().of(scope.current().id)
    return _mark(keys.keys[keys.current], text, place)


def marks(text: str, *place: str) -> list[bytes]:
    """The marks that ``text`` may have: one for each data key that the tenant has had."""
    keys = installed().of(scope.current().id)
    return [_mark(key, text, place) for key in keys.keys.values()]


def _mark(key: bytes, text: str, place: tuple[str, ...]) -> bytes:
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"atrium marks").derive(key)
    return hmac.digest(derived, "\0".join([*place, text]).encode(), "sha256")


def seal_platform(plain: str, *place: str) -> bytes:
    """Seal a secret of the platform itself, such as a database password of the catalogue."""
    master = installed().master
    key = master.platform_keys[master.current]
    return close_box(key, master.current, plain.encode(), ("platform", *place))


def open_platform(sealed: bytes, *place: str) -> str:
    """The text that ``seal_platform`` was given for the same ``place``.

    Raises:
        CannotOpen: it was changed or belongs elsewhere.
        NoKey: its master key is not in the file.
    """
    number = key_number(sealed)
    try:
        key = installed().master.platform_keys[number]
    except KeyError:
        raise NoKey(f"master key number {number} is not in the master key file") from None
    return open_box(key, sealed, ("platform", *place)).decode()
