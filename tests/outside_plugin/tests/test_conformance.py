"""Weekend rates does what Atrium expects of any plugin."""

from core.testing import conformance

TestWeekendRates = conformance("weekend_rates")
