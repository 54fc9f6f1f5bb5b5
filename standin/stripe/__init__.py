"""A stand-in for Stripe: our proxy in front of localstripe.

localstripe is GPL software. It runs strictly as a process of its own
(`python -m localstripe`) and is spoken to over HTTP; nothing here imports it.
See `standin/stripe/README.md` for what the proxy adds and what stays different from Stripe.
"""
