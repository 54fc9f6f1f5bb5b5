"""What is done to businesses, as the audit log of the platform calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.i18n import LazyText, _

TITLES: Final[Mapping[str, LazyText | str]] = {
    "portal.business_changed": _("Business changed"),
    "portal.business_opened": _("Business opened"),
    "portal.business_ordered": _("Business ordered"),
    "portal.dedicated_requested": _("Dedicated database asked for"),
    "portal.look_changed": _("Branding changed"),
    "portal.product_disabled": _("Product turned off"),
    "portal.product_enabled": _("Product turned on"),
    "portal.provisioning_retried": _("Making tried again"),
    "portal.signed_up": _("Signed up"),
    "archive_upload": _("Archive"),
    "tenant": _("Business"),
    "tenants.archive_sent": _("Archive sent in"),
    "tenants.cloned": _("Copy ordered"),
    "tenants.closed": _("Closed"),
    "tenants.deleted": _("Deleted"),
    "tenants.deletion_begun": _("Deletion begun"),
    "tenants.domain_added": _("Domain added"),
    "tenants.domain_lapsed": _("Domain given up: records wrong"),
    "tenants.domain_not_preferred": _("Subdomain made the main address"),
    "tenants.domain_preferred": _("Domain made the main address"),
    "tenants.domain_removed": _("Domain removed"),
    "tenants.domain_verified": _("Domain proved"),
    "tenants.export_asked": _("Export asked for"),
    "tenants.export_fetched": _("Export downloaded"),
    "tenants.feature_put_back": _("Choice of a feature put back"),
    "tenants.feature_switched": _("Feature switched on or off"),
    "tenants.import_begun": _("Import begun"),
    "tenants.maintenance_begun": _("Maintenance begun"),
    "tenants.maintenance_ended": _("Maintenance ended"),
    "tenants.product_removal_asked": _("Removal of a product asked for"),
    "tenants.product_removed": _("Product removed with its data"),
    "tenants.renamed": _("Address changed"),
    "tenants.reopened": _("Opened again"),
    "tenants.resumed": _("Suspension ended"),
    "tenants.sender_chosen": _("Sender of mail chosen"),
    "tenants.sender_fell_back": _("Letters leave from our address: records wrong"),
    "tenants.sender_key_changed": _("Key of the sender changed"),
    "tenants.sender_key_made": _("New key of the sender made"),
    "tenants.sender_lapsed": _("Sender given up: not proved any more"),
    "tenants.sender_released": _("Sender of mail removed"),
    "tenants.sender_restored": _("Letters leave from the own address again"),
    "tenants.sender_verified": _("Sender of mail proved"),
    "tenants.suspended": _("Suspended"),
    "tenants.unmuted": _("Letters of a copy switched on"),
}
