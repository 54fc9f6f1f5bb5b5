"""Archives that owners send to the portal: received, checked, made into a business.

``services`` has the verbs, ``checking`` the job that looks at what came; the making itself is a
provisioning run like any other (``tenants.lifecycle.restoring``).
"""
