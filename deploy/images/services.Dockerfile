# ingest, detector and query-api in one image; the command says which one runs.
#
#   docker build -f deploy/images/services.Dockerfile -t lanewatch-services .
#
# BASE can name a mirror or a digest (node:24.21.0-bookworm-slim@sha256:…).
ARG BASE=node:24.21.0-bookworm-slim

FROM ${BASE} AS build
WORKDIR /source
COPY . .
RUN sh deploy/images/assemble.sh services /app

FROM ${BASE}
# The runtime needs no package manager, and one that is there is one to attack.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* /usr/local/bin/yarn*
ENV NODE_ENV=production LANEWATCH_HOME=/var/lib/lanewatch
COPY --from=build /app /app
# The one folder that is written: ingest's spool. Mount a volume there; everything else may be read-only.
# Everybody may write: a new volume takes over this mode, and compose runs the services as whoever made the secrets.
RUN mkdir -p /var/lib/lanewatch && chmod 1777 /var/lib/lanewatch
WORKDIR /app
USER 1000:1000
VOLUME /var/lib/lanewatch
ENV HEALTH_URL=
# Whoever starts the image names the address; without one the check says nothing. An orchestrator with probes of its own needs none.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=6 \
  CMD ["node", "deploy/images/health.mjs"]
CMD ["node", "ingest/src/main.ts"]
