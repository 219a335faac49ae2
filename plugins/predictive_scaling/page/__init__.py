"""Serves the page that `web/` is built into. The built files are no part of the sources: `make page` makes them."""
