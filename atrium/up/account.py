"""The account a server runs as, and folders which that account can reach.

PostgreSQL refuses to run as root. Started by root, it runs as the checkout's owner or, where
that is root too, as ``nobody``; and since such an account often cannot enter the checkout
(``/root`` is closed to it), its files then live under ``/var/tmp``, in a folder named after
the checkout's path.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary user and its first group."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls, checkout: Path) -> Self | None:
        """Whom servers run as when root starts them; None when an ordinary user does."""
        if os.geteuid() != 0:
            return None
        owner = checkout.stat().st_uid
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    def can_reach(self, path: Path) -> bool:
        """Whether this account may enter ``path`` and every folder above it."""
        folders = [path, *path.parents]
        return all(self._may_enter(folder.stat()) for folder in folders if folder.is_dir())

    def own(self, path: Path) -> None:
        """Give ``path`` to this account."""
        os.chown(path, self.uid, self.gid)

    def _may_enter(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def folder_for(account: Account | None, wanted: Path) -> Path:
    """A private folder of ``account``: ``wanted``, or one under /var/tmp if it is out of reach.

    Raises:
        PermissionError: another account has taken the folder under /var/tmp beforehand.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if account is None or account.can_reach(wanted.parent):
        return _private(wanted, account)
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return _private(Path("/var/tmp") / f"atrium-{account.uid}-{digest}", account)  # noqa: S108  # checked below


def within_reach(account: Account | None, binaries: Path, copies: Path) -> Path:
    """``binaries``, or a copy of them in ``copies`` when the account cannot reach them."""
    if account is None or account.can_reach(binaries):
        return binaries
    copy = copies / f"binaries-{int(binaries.stat().st_mtime)}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(binaries, unfinished, symlinks=True)
        unfinished.rename(copy)
    return copy


def _private(folder: Path, account: Account | None) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None and folder.lstat().st_uid == 0:
        account.own(folder)
    expected = account.uid if account is not None else os.geteuid()
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != expected:
        raise PermissionError(f"{folder} belongs to another user; remove it")
    folder.chmod(0o700)
    return folder
