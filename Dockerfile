# mutiny-edge as a service: `docker build -t mutiny-edge .`, then
# `docker run --stop-timeout 30 -p 8080:8080 -v "$PWD/rules:/rules:ro" -v mutiny-edge-data:/data mutiny-edge`.
# Everything else that the command does, too: `docker run … mutiny-edge check`.

FROM python:3.13-slim AS build
# Of pyproject.toml, by commas: `--build-arg EXTRAS=s3,otel`.
ARG EXTRAS=""
RUN python -m venv /opt/mutiny-edge
WORKDIR /source
COPY pyproject.toml README.md ./
COPY engine engine
COPY rules rules
RUN /opt/mutiny-edge/bin/pip install --no-cache-dir ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.13-slim
COPY --from=build /opt/mutiny-edge /opt/mutiny-edge
# The example rules, so that the image answers as it is; mount your own over them.
COPY rules /rules
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin edge \
    && install --directory --owner=edge --group=edge /data
ENV PATH=/opt/mutiny-edge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MUTINY_EDGE_RULES=/rules \
    MUTINY_EDGE_DATA=/data
# By number, so that Kubernetes can see that it is not root.
USER 10001
VOLUME ["/rules", "/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; from os import environ as e; c = C('127.0.0.1', int(e.get('MUTINY_EDGE_PORT') or 8080), timeout=2); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# No shell in between: SIGTERM reaches the service itself.
ENTRYPOINT ["mutiny-edge"]
CMD ["serve", "--host", "0.0.0.0"]
