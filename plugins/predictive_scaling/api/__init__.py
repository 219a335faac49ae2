"""The REST API under `/scaling/api/v1`, inside Airflow's API server.

Routes are thin: they look things up through `Records` and hand them to pure functions, which shape the views.
Nothing here writes: whoever wants to act triggers a DAG, with their own rights, through Airflow's own API.
"""
