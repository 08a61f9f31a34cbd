# One image for every role; `--target sandbox` adds what the demo needs.
# Packages come from the index that pip is told of, each checked by hash: its address as build argument PIP_INDEX_URL. What
# wants a password, or a certificate, stands in a pip.conf: `docker build --secret id=pip,src=pip.conf`. Build arguments can
# be read in the image for ever.

FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin lockstep
WORKDIR /app
ENV PYTHONPATH=/app

FROM base AS sandbox
COPY requirements-dev.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf pip install --require-hashes -r requirements-dev.txt
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
RUN --mount=type=secret,id=pip,target=/etc/pip.conf pip install --require-hashes -r requirements.txt
COPY schemas schemas
COPY kernel kernel
COPY streams streams
COPY connectors connectors
COPY lockstep lockstep
USER 10001
ENTRYPOINT ["python", "-m", "lockstep"]
CMD ["--help"]
