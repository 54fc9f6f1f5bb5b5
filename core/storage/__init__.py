"""Files of the tenants: objects in a store, and a row in the tenant's scope for each.

``services`` has the verbs that plugins use (keep, read, discard); ``store`` is the port, ``disk``
and ``s3`` fill it. A plugin declares its areas (``Plugin.areas``) and with them who may read a file
at ``/files/…``; its objects bear tenant, area and id, and it names the last two only.
"""
