"""Car hire does what Atrium expects of any plugin."""

from core.testing import conformance

TestCarHire = conformance("car_hire")
