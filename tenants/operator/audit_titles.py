"""What operators do, as the audit log of the platform calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.i18n import LazyText, _

TITLES: Final[Mapping[str, LazyText | str]] = {
    "job": _("Job"),
    "operator.granted": _("Made an operator"),
    "flag": _("Feature flag"),
    "operator.flag_cleared": _("Feature flag no longer set by an operator"),
    "operator.flag_roll_out_ended": _("Roll-out of a feature ended"),
    "operator.flag_rolled_out": _("Feature rolled out"),
    "operator.flag_set": _("Feature flag set by an operator"),
    "operator.job_discarded": _("Job discarded"),
    "operator.job_retried": _("Job tried again"),
    "operator.jobs_discarded": _("Jobs discarded"),
    "operator.jobs_retried": _("Jobs tried again"),
    "operator.limit_granted": _("Limit granted by an operator"),
    "operator.limit_withdrawn": _("Granted limit withdrawn by an operator"),
    "operator.note_added": _("Note added"),
    "operator.product_disabled": _("Product turned off by an operator"),
    "operator.product_enabled": _("Product turned on by an operator"),
    "operator.run_retried": _("Making tried again by an operator"),
    "operator.tenant_ordered": _("Business ordered by an operator"),
    "operator.tenant_renamed": _("Business renamed by an operator"),
    "operator.token_made": _("Token made"),
    "operator.token_revoked": _("Token revoked"),
    "operator.withdrawn": _("No operator any more"),
    "operator_token": _("Operator's token"),
}
