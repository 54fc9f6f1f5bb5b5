"""Companies that hire on account: who may, what is owed, and the statements of each month."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.db import Base
from core.i18n import LazyText, _
from core.ids import new_id
from core.money import Money
from plugins.car_hire.models.fleet import line, money_column

DEPOSITS: Final[dict[str, LazyText]] = {
    "usual": _("As everybody's, on a card"),
    "none": _("None"),
}


class Company(Base):
    """Who pays once a month for what its people hire."""

    __tablename__ = "car_hire_companies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(Text)
    tax_number: Mapped[str] = mapped_column(Text)
    billing_address: Mapped[str] = mapped_column(Text)
    """In lines, as it is printed."""
    contact_name: Mapped[str] = mapped_column(Text)
    contact_email: Mapped[str] = mapped_column(Text)
    """Where statements are sent."""
    contact_phone: Mapped[str] = mapped_column(Text, default="")
    terms_days: Mapped[int]
    """How long after a statement it is to be paid."""
    credit_limit: Mapped[Decimal | None] = mapped_column(Numeric(20, 6))
    """The most that may be unpaid, booked hires included; None: any amount."""
    deposit: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    on_account: Mapped[bool] = mapped_column(default=True)
    """Whether it may book so now."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (
        Index("uq_car_hire_companies_tax_number", "tax_number", unique=True),
        Index("ix_car_hire_companies_name", text("lower(name)")),
        CheckConstraint("terms_days BETWEEN 0 AND 180", name="terms_days"),
        CheckConstraint("credit_limit >= 0", name="credit_limit"),
        CheckConstraint("deposit IN ('usual', 'none')", name="deposit"),
        line(_("Companies that hire on account")),
    )


class CompanyMember(Base):
    """A customer who may hire on a company's account; of one company at most."""

    __tablename__ = "car_hire_company_members"

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_customers.id"), primary_key=True)
    company_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_companies.id"), index=True)
    sees_statements: Mapped[bool] = mapped_column(default=False)
    """Whether they find the company's statements in their own account."""
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)

    __table_args__ = (line(_("Who may hire on which company's account")),)


class Statement(Base):
    """The sum of a company's month; the paper has the number and what is printed."""

    __tablename__ = "car_hire_statements"

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_papers.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    company_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_companies.id"))
    month: Mapped[date] = mapped_column(Date)
    """Its first day."""
    due_on: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = money_column()
    paid: Mapped[Decimal] = mapped_column(Numeric(20, 6), default=Decimal(0))

    @property
    def left(self) -> Money:
        """What is still to be paid."""
        return Money(self.amount - self.paid, self.currency)

    @property
    def total(self) -> Money:
        """What it came to."""
        return Money(self.amount, self.currency)

    __table_args__ = (
        Index("uq_car_hire_statements_month", "company_id", "month", unique=True),
        Index("ix_car_hire_statements_open", "due_on", postgresql_where=text("paid < amount")),
        CheckConstraint("paid BETWEEN 0 AND amount", name="paid"),
        line(_("Statements of companies, and what was paid of them")),
    )


class AccountEntry(Base):
    """A paper that a company's statement takes into account: an invoice, or less than zero, a
    credit note or what the last statement was short of nothing."""

    __tablename__ = "car_hire_account_entries"

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_papers.id"), primary_key=True)
    company_id: Mapped[UUID] = mapped_column(ForeignKey("car_hire_companies.id"))
    statement_id: Mapped[UUID | None] = mapped_column(ForeignKey("car_hire_statements.paper_id"))
    issued_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = money_column()

    __table_args__ = (
        Index("ix_car_hire_account_entries_company_id", "company_id", "issued_on"),
        Index("ix_car_hire_account_entries_statement_id", "statement_id"),
        line(_("Invoices on account, and the statement that each stands on")),
    )
