"""Reviews: a customer's one answer by a link from a letter, and what the owner reads of all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.permissions import permission, public
from core.throttle import Allowance
from core.web.api import Listing, page_of, paged, place
from core.web.forms import Bound, blank, posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.permissions import INSIGHT
from plugins.car_hire.routes.http import API, AnyRequest
from plugins.car_hire.routes.views import View
from plugins.car_hire.schemas import STARS, ReviewInput
from plugins.car_hire.services import fleet, reviews

Session = NamedDependency[AsyncSession]
Stars = Annotated[int, Meta(ge=1, le=5)]

ANSWERS: Final = Allowance("car_hire.reviews", 30, 10 * 60)
"""Answers from one address: a family has one, who guesses at links has too many."""
_UNSEEN: Final = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
"""The address is a secret: no other site and no search engine hears of it."""


class Review(Controller):
    """What a customer finds behind their link."""

    path = "/car-hire/reviews"
    include_in_schema = False

    @get("/{secret:str}", access=public)
    async def ask(self, session: Session, secret: FromPath[str]) -> Page:
        """The questions, or thanks for the answer."""
        return await _page(session, secret, blank(ReviewInput))

    @post("/{secret:str}", access=public, allowance=ANSWERS)
    async def answer(
        self, request: AnyRequest, session: Session, secret: FromPath[str]
    ) -> Page | SeeOther:
        """Keep the answer; after it the link only says thanks."""
        form = await posted(request, ReviewInput)
        try:
            await reviews.answer(session, secret, form.value)
        except reviews.Answered:
            return SeeOther(f"/car-hire/reviews/{secret}")
        except DomainError as error:
            return await _page(session, secret, form.refuse(error), error.status)
        return SeeOther(f"/car-hire/reviews/{secret}")


async def _page(
    session: AsyncSession, secret: str, form: Bound[ReviewInput], status: int = 200
) -> Page:
    found = await reviews.by_link(session, secret)
    booking = await reviews.booking_of(session, found)
    return Page(
        "car_hire/site/review.html",
        {
            "form": form,
            "review": found,
            "booking": booking,
            "vehicle_class": await fleet.vehicle_class(session, booking.class_id),
            "stars": STARS,
        },
        status=status,
        headers=_UNSEEN,
    )


class Reviews(Controller):
    """What the owner reads."""

    path = "/car-hire/desk/reviews"
    include_in_schema = False

    @get(access=permission(INSIGHT.name))
    async def listing(
        self, session: Session, stars: FromQuery[str] = "", cursor: FromQuery[str | None] = None
    ) -> Page:
        """Every answer, newest first, and what they come to."""
        wanted = int(stars) if stars in STARS else None
        rows = await reviews.page(session, stars=wanted, before=place(cursor))
        found = paged(rows, reviews.PAGE_SIZE, cursor, lambda row: row[0].id)
        asked = {"stars": STARS, "wanted": stars, "summary": await reviews.summary(session)}
        return Page("car_hire/desk/reviews.html", found | asked)


class ReviewView(View, frozen=True, kw_only=True):
    """An answer: one to five stars, and a remark, which may be empty."""

    id: UUID
    booking_id: UUID
    booking_number: str
    customer_name: str
    stars: int
    remarks: str
    answered_at: datetime

    @classmethod
    def of(cls, row: reviews.Listed) -> Self:
        """As it is kept."""
        review, name, number, booking_id = row
        assert review.stars is not None
        assert review.answered_at is not None
        return cls(
            id=review.id,
            booking_id=booking_id,
            booking_number=number,
            customer_name=name,
            stars=review.stars,
            remarks=review.remarks or "",
            answered_at=review.answered_at,
        )


class ReviewsApi(Controller):
    """Reviews, for programs."""

    path = f"{API}/reviews"
    tags = ("Car hire",)

    @get(access=permission(INSIGHT.name))
    async def listing(
        self,
        session: Session,
        stars: FromQuery[Stars | None] = None,
        cursor: FromQuery[str | None] = None,
    ) -> Listing[ReviewView]:
        """A page of answers, newest first."""
        rows = await reviews.page(session, stars=stars, before=place(cursor))
        page, following = page_of(rows, reviews.PAGE_SIZE, lambda row: (str(row[0].id),))
        return Listing([ReviewView.of(each) for each in page], following)


CONTROLLERS: Final = (Review, Reviews, ReviewsApi)
