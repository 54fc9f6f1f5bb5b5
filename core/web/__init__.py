"""The web: edge, application, page shell and what every page and API stands on."""
