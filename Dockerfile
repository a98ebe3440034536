FROM python:3.12-slim AS build
WORKDIR /srv/rollcall
RUN python -m venv .venv
COPY requirements.lock .
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE wsgi.py ./
COPY app app
COPY scim scim
COPY sso sso
COPY migrations migrations
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-index --no-build-isolation --editable .

FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /var/lib/rollcall rollcall
WORKDIR /srv/rollcall
COPY --from=build /srv/rollcall /srv/rollcall
USER rollcall
ENV PATH=/srv/rollcall/.venv/bin:$PATH ROLLCALL_DATA_DIR=/var/lib/rollcall ROLLCALL_HOST=0.0.0.0
VOLUME /var/lib/rollcall
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=3)"]
CMD ["rollcall", "serve"]
