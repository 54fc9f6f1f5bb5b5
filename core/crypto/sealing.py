"""Seal and open by hand, for what is not a column of its own."""

from __future__ import annotations

from core import scope
from core.crypto.box import close_box, key_number, open_box
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
