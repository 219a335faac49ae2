"""Trying how quickly a fleet follows a load: a Locust scenario for a service of one's own."""
