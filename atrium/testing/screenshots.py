"""``make screenshots``: take the pictures of the documentation and of the products anew.

From the demonstration as it runs (``make up``, in another terminal), so that they show what a
newcomer will see. Few colours keep them small: a page of text needs no more than 256.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from atrium.testing.browser import chromium
from atrium.up.servers import ROOT

DOCS: Final = ROOT / "docs" / "screenshots"
CAR_HIRE: Final = ROOT / "plugins" / "car_hire" / "static" / "screenshots"
STAFF: Final = "rui@acme.example"
PASSWORDS: Final = ROOT / ".atrium" / "demo-passwords.json"
"""Made up by the demonstration."""
WIDE: Final = (1440, 900)
PHONE: Final = (390, 844)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page of ``host`` (empty: the portal), as somebody sees it who is ``signed_in`` or not."""

    files: tuple[Path, ...]
    host: str
    path: str
    size: tuple[int, int] = WIDE
    signed_in: bool = True


PICTURES: Final = (
    Picture(files=(DOCS / "desk.png", CAR_HIRE / "1-desk.png"), host="acme", path="/car-hire/desk"),
    Picture(files=(CAR_HIRE / "2-bookings.png",), host="acme", path="/car-hire/desk/bookings"),
    Picture(files=(CAR_HIRE / "3-fleet.png",), host="acme", path="/car-hire/desk/fleet"),
    Picture(
        files=(DOCS / "hire-a-car-on-a-phone.png", CAR_HIRE / "4-site.png"),
        host="acme",
        path="/car-hire",
        size=PHONE,
        signed_in=False,
    ),
    Picture(files=(DOCS / "portal.png",), host="", path="/", signed_in=False),
)


def take(browser: Browser, picture: Picture, port: str) -> bytes:
    """The picture as PNG, in light colours and English."""
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    host = f"{picture.host}.localhost" if picture.host else "localhost"
    page, home = context.new_page(), f"http://{host}:{port}"
    if picture.signed_in:
        page.goto(f"{home}/sign-in")
        page.fill("#email", STAFF)
        page.fill("#password", json.loads(PASSWORDS.read_text())[STAFF])
        page.click("main button[type=submit]")
        page.wait_for_load_state("networkidle")
    page.goto(f"{home}{picture.path}", wait_until="networkidle")
    shown = page.screenshot()
    context.close()
    return shown


def packed(shown: bytes) -> bytes:
    """The same in 256 colours."""
    made = io.BytesIO()
    Image.open(io.BytesIO(shown)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        made, "PNG", optimize=True
    )
    return made.getvalue()


def main() -> None:
    """Take them all."""
    program, arguments = chromium()
    port = os.environ.get("ATRIUM_PORT", "8000")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        for picture in PICTURES:
            shown = packed(take(browser, picture, port))
            for file in picture.files:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(shown)
                print(f"{file.relative_to(ROOT)}: {len(shown) // 1000} kB")  # noqa: T201
        browser.close()


if __name__ == "__main__":
    main()
