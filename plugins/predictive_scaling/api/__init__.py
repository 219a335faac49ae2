"""The REST API under `/scaling/api/v1`, inside Airflow's API server.

Routes are thin: they look things up through `Records` and hand them to pure functions, which shape the views.
Autoscalers are made and deleted here, which writes a row of ours and an event. Whatever touches AWS is a DAG's work,
which people trigger with their own rights through Airflow's own API.
"""
