"""``/api/v1/webhooks``: the same for programs."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from core.permissions import MANAGE_SETTINGS, permission
from core.web.api import Listing, expected, page_of, place, versioned
from core.web.http import AnyRequest, Session
from core.web.navigation import served
from core.webhooks import endpoints, log, spreading, views
from core.webhooks.schemas import EndpointInput
from core.webhooks.views import DeliveryView, EndpointView, EventView, WholeDelivery

_MANAGE: Final = permission(MANAGE_SETTINGS.name)
_STATE = Literal["waiting", "delivered", "given_up"]


class WebhooksApi(Controller):
    """Endpoints, what they are sent, and what can be heard."""

    path = "/api/v1/webhooks"
    tags = ("Webhooks",)

    @get("/event-types", access=_MANAGE)
    async def event_types(self, request: AnyRequest) -> Listing[EventView]:
        """The types of events, each with the JSON Schema of its messages."""
        known = views.known(served(request.app.state["plugins"]))
        return Listing([EventView.of(each) for each in known.values()])

    @get("/endpoints", access=_MANAGE)
    async def listing(self, session: Session) -> Listing[EndpointView]:
        """Every endpoint."""
        return Listing([EndpointView.of(each) for each in await endpoints.every(session)])

    @post("/endpoints", access=_MANAGE, idempotent=True)
    async def add(
        self, request: AnyRequest, session: Session, data: JSONBody[EndpointInput]
    ) -> Response[EndpointView]:
        """Add one; this answer is the only one that holds its secret."""
        known = views.known(served(request.app.state["plugins"]))
        made = await endpoints.add(session, data, known)
        return versioned(EndpointView.of(made, secret=made.secret), made.version, 201)

    @get("/endpoints/{endpoint_id:uuid}", access=_MANAGE)
    async def show(self, session: Session, endpoint_id: FromPath[UUID]) -> Response[EndpointView]:
        """One endpoint."""
        found = await endpoints.one(session, endpoint_id)
        return versioned(EndpointView.of(found), found.version)

    @put("/endpoints/{endpoint_id:uuid}", access=_MANAGE)
    async def change(
        self,
        request: AnyRequest,
        session: Session,
        endpoint_id: FromPath[UUID],
        data: JSONBody[EndpointInput],
    ) -> Response[EndpointView]:
        """Change one; If-Match guards against overwriting."""
        known = views.known(served(request.app.state["plugins"]))
        found = await endpoints.change(session, endpoint_id, data, known, expected(request))
        return versioned(EndpointView.of(found), found.version)

    @delete("/endpoints/{endpoint_id:uuid}", access=_MANAGE)
    async def remove(self, session: Session, endpoint_id: FromPath[UUID]) -> None:
        """Forget one and its log."""
        await endpoints.remove(session, endpoint_id)

    @post("/endpoints/{endpoint_id:uuid}/rotation", access=_MANAGE, idempotent=True)
    async def rotate(
        self, request: AnyRequest, session: Session, endpoint_id: FromPath[UUID]
    ) -> Response[EndpointView]:
        """Give it another secret; for 24 hours messages are signed with both."""
        found = await endpoints.rotate(session, endpoint_id, expected(request))
        return versioned(EndpointView.of(found, secret=found.secret), found.version, 201)

    @post("/endpoints/{endpoint_id:uuid}/activation", access=_MANAGE, status_code=200)
    async def switch_on(
        self, session: Session, endpoint_id: FromPath[UUID]
    ) -> Response[EndpointView]:
        """Send to it again."""
        found = await endpoints.switch_on(session, endpoint_id)
        return versioned(EndpointView.of(found), found.version)

    @post("/endpoints/{endpoint_id:uuid}/deactivation", access=_MANAGE, status_code=200)
    async def switch_off(
        self, session: Session, endpoint_id: FromPath[UUID]
    ) -> Response[EndpointView]:
        """Send nothing to it."""
        found = await endpoints.switch_off(session, endpoint_id)
        return versioned(EndpointView.of(found), found.version)

    @post("/endpoints/{endpoint_id:uuid}/tests", access=_MANAGE, idempotent=True)
    async def test(self, session: Session, endpoint_id: FromPath[UUID]) -> DeliveryView:
        """Send it a message that says nothing, once."""
        made = await spreading.test(session, endpoint_id)
        return DeliveryView.of(made, spreading.TEST.name)

    @get("/endpoints/{endpoint_id:uuid}/deliveries", access=_MANAGE)
    async def deliveries(
        self,
        session: Session,
        endpoint_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        only: FromQuery[_STATE | None] = None,
    ) -> Listing[DeliveryView]:
        """What it was sent, the newest first; ``only`` those in a state."""
        await endpoints.one(session, endpoint_id)
        rows = await log.page(session, endpoint_id, only or "", place(cursor))
        page, following = page_of(rows, log.PAGE_SIZE, lambda row: (str(row[0].id),))
        return Listing([DeliveryView.of(*row) for row in page], following)

    @get("/endpoints/{endpoint_id:uuid}/deliveries/{delivery_id:uuid}", access=_MANAGE)
    async def delivery(
        self, session: Session, endpoint_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> WholeDelivery:
        """One delivery, with the body that was sent and every attempt."""
        found, message, attempts = await log.one(session, endpoint_id, delivery_id)
        return WholeDelivery(
            delivery=DeliveryView.of(found, message.type),
            body=msgspec.Raw(message.body.encode()),
            attempts=[views.AttemptView.of(each) for each in attempts],
        )

    @post(
        "/endpoints/{endpoint_id:uuid}/deliveries/{delivery_id:uuid}/repetition",
        access=_MANAGE,
        idempotent=True,
    )
    async def again(
        self, session: Session, endpoint_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> DeliveryView:
        """Send it once more, under the same message id."""
        found, message, _attempts = await log.one(session, endpoint_id, delivery_id)
        return DeliveryView.of(await spreading.again(session, found), message.type)


CONTROLLERS: Final = (WebhooksApi,)
