"""A tenant as a file: a zip of its tables (JSON Lines and CSV), its files and a manifest.

``manifest`` says what is in one, ``tables`` which tables a tenant has to give, ``sealing`` how
private columns travel; ``writing`` makes an archive, ``reading`` checks one, ``loading`` fills a
tenant with it. See docs/decisions/archives.md.
"""
