"""What a browser does in the tests of the pages."""

from __future__ import annotations

import httpx

from tests.core.auth.conftest import PASSWORD, Person


def wear(client: httpx.AsyncClient, person: Person) -> None:
    """Give the browser the session of a person, as a stolen or kept cookie would."""
    client.headers["cookie"] = f"atrium={person.signed_in.token}"


async def sign_in(client: httpx.AsyncClient, person: Person, **form: str) -> httpx.Response:
    """Fill in the sign-in form."""
    given = {"email": person.email, "password": PASSWORD, **form}
    return await client.post("/sign-in", data=given)
