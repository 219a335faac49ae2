"""A whole deployment on this machine: the sandbox cloud, Airflow, and the fleets of `include/fleets`.

`make demo` shows it to a person, `make demo-check` verifies it, and the tests start the same parts.
"""
