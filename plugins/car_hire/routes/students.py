"""The desk looks whether customers are students; programs tell what was seen."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import DomainError
from core.i18n import _
from core.permissions import permission
from core.web.forms import posted
from core.web.pages import Page, SeeOther
from plugins.car_hire.routes import views
from plugins.car_hire.routes.customers import customer_page
from plugins.car_hire.routes.http import API, DESK, AnyRequest, versioned
from plugins.car_hire.schemas_promotions import StudentInput
from plugins.car_hire.services.promotions import students

PATH: Final = "/car-hire/desk"
ACCESS = permission(DESK)
Session = NamedDependency[AsyncSession]


class Students(Controller):
    """Customers who say that they are students."""

    path = PATH
    include_in_schema = False

    @get("/students", access=ACCESS)
    async def listing(self, session: Session) -> Page:
        """Those whom nobody has looked at yet."""
        return Page("car_hire/desk/students.html", {"rows": await students.listed(session)})

    @post("/customers/{customer_id:uuid}/student", access=ACCESS)
    async def verify(
        self, request: AnyRequest, session: Session, customer_id: FromPath[UUID]
    ) -> Page | SeeOther:
        """It was seen that a customer is a student."""
        form = await posted(request, StudentInput)
        try:
            await students.verify(session, customer_id, form.value)
        except DomainError as error:
            refused = form.refuse(error)
            return await customer_page(
                session, customer_id=customer_id, student=refused, status=error.status
            )
        return SeeOther(f"{PATH}/customers/{customer_id}", flash=_("They pay as students do now"))

    @post("/customers/{customer_id:uuid}/student/refusal", access=ACCESS)
    async def refuse(self, session: Session, customer_id: FromPath[UUID]) -> SeeOther:
        """A customer is no student, or no longer."""
        await students.refuse(session, customer_id)
        return SeeOther(f"{PATH}/customers/{customer_id}", flash=_("They pay as all do now"))


class StudentsApi(Controller):
    """Whether a customer is known as a student."""

    path = f"{API}/customers/{{customer_id:uuid}}/student"
    tags = ("Car hire",)

    @put(access=ACCESS)
    async def verify(
        self, session: Session, customer_id: FromPath[UUID], data: JSONBody[StudentInput]
    ) -> Response[views.CustomerView]:
        """It was seen that the customer is a student, until a day."""
        return versioned(views.CustomerView.of(await students.verify(session, customer_id, data)))

    @delete(access=ACCESS, status_code=200)
    async def refuse(
        self, session: Session, customer_id: FromPath[UUID]
    ) -> Response[views.CustomerView]:
        """The customer is no student, or no longer."""
        return versioned(views.CustomerView.of(await students.refuse(session, customer_id)))


CONTROLLERS = (Students, StudentsApi)
