"""An example worker of a queue fleet."""
