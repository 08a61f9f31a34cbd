# One image for every role; `--target sandbox` adds what the demo needs.
# Packages come from the index that pip is told of (PIP_INDEX_URL, PIP_CERT … as build arguments), each checked by hash.

FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin lockstep
WORKDIR /app
ENV PYTHONPATH=/app

FROM base AS sandbox
COPY requirements-dev.txt ./
RUN pip install --require-hashes -r requirements-dev.txt
COPY schemas schemas
COPY kernel kernel
COPY streams streams
COPY connectors connectors
COPY sandbox sandbox
COPY lockstep lockstep
USER 10001
ENTRYPOINT ["python", "-m", "lockstep"]
CMD ["--help"]

FROM base AS production
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY schemas schemas
COPY kernel kernel
COPY streams streams
COPY connectors connectors
COPY lockstep lockstep
USER 10001
ENTRYPOINT ["python", "-m", "lockstep"]
CMD ["--help"]
