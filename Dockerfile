# Airflow with the product's dependencies, at the versions of requirements.lock and with its hashes checked. The code
# itself is mounted by docker-compose.yaml: it comes through the plugins folder, so the wheel must not be installed too.
FROM apache/airflow:3.3.2-python3.11

COPY pyproject.toml requirements.lock /tmp/predictive-scaling/

# The lock holds what developers need as well, so it is not installed but obeyed.
RUN pip install --no-cache-dir uv==0.13.8 \
 && uv pip install --no-cache --require-hashes --requirement /tmp/predictive-scaling/pyproject.toml \
    --extra postgres --extra celery --extra s3 --extra sandbox --constraint /tmp/predictive-scaling/requirements.lock

# A new named volume takes over content and owner of the folder it is mounted on.
RUN mkdir -p /opt/airflow/storage /opt/airflow/users
