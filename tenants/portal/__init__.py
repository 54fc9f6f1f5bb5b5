"""The portal: where a business signs up and is administered. It runs as tenant zero."""
