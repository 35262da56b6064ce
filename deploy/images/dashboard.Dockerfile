# The dashboard.
#
#   docker build -f deploy/images/dashboard.Dockerfile -t lanewatch-dashboard .
ARG BASE=node:24.21.0-bookworm-slim

FROM ${BASE} AS build
WORKDIR /source
COPY . .
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run build -w dashboard
RUN sh deploy/images/assemble.sh dashboard /app

FROM ${BASE}
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn* /usr/local/bin/yarn*
ENV NODE_ENV=production DASHBOARD_HOST=0.0.0.0 HEALTH_URL=http://127.0.0.1:4600/healthz
COPY --from=build /app /app
WORKDIR /app
USER 1000:1000
EXPOSE 4600
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "deploy/images/health.mjs"]
CMD ["node", "dashboard/src/main.ts"]
