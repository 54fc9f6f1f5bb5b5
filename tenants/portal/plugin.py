"""The portal as a declaration; only the platform's application has it as a part."""

from __future__ import annotations

from typing import Final

from core.i18n import _
from core.plugin import NavItem, Plugin
from tenants import notices
from tenants.portal.audit_titles import TITLES
from tenants.portal.routes.api import BusinessesApi
from tenants.portal.routes.branding import Branding
from tenants.portal.routes.businesses import Businesses
from tenants.portal.routes.closing import Closing
from tenants.portal.routes.data import Data
from tenants.portal.routes.domains import Domains
from tenants.portal.routes.domains_api import DomainsApi
from tenants.portal.routes.features import Features
from tenants.portal.routes.imports import Imports
from tenants.portal.routes.landing import Landing
from tenants.portal.routes.products import Products
from tenants.portal.routes.removals import Removals
from tenants.portal.routes.sender import SenderPage
from tenants.portal.routes.sender_api import SenderApi
from tenants.portal.routes.sign_up import SignUp
from tenants.portal.routes.upkeep import Upkeep
from tenants.portal.routes.usage import Usage

plugin: Final = Plugin(
    name="portal",
    title=_("Portal"),
    summary=_("Where businesses sign up and are administered"),
    version="0.1.0",
    core_versions=">=0.1,<0.2",
    package="tenants.portal",
    icon="building-arch",
    home="/",
    controllers=(
        Landing,
        SignUp,
        Businesses,
        Imports,
        Products,
        Branding,
        Domains,
        Upkeep,
        Usage,
        Features,
        Data,
        Removals,
        Closing,
        BusinessesApi,
        DomainsApi,
        SenderPage,
        SenderApi,
    ),
    audit_titles=TITLES,
    notices=notices.OF_BUSINESSES,
    navigation=(
        NavItem(
            title=_("My businesses"),
            path="/businesses",
            icon="building-store",
            area="account",
            order=10,
        ),
        NavItem(title=_("Products"), path="/products", icon="apps", area="account", order=15),
    ),
)
