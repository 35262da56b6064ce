/** Settings of an installation, as the help of the commands that start one tells them. */
export const SETTINGS = `
Settings (environment):
  LANEWATCH_HOME               where data, secrets and logs live      (default ./.lanewatch)
  DASHBOARD_PORT               port of the dashboard                  (4600; 0 takes a free one, here and below)
  QUERY_API_PORT               port of query-api                      (4610)
  INGEST_PORT                  port of ingest                         (4618)
  INGEST_GRPC_PORT             port of OTLP over gRPC, or off          (4317 where it is free)
  DETECTOR_PORT                port of the detector's health          (4614)
  CLICKHOUSE_PORT              port of the embedded ClickHouse        (4623)
  DASHBOARD_HOST, QUERY_API_HOST, INGEST_HOST
                               address each listens on                (127.0.0.1; 0.0.0.0 is every one of this machine)
  DASHBOARD_URL, INGEST_URL    http(s) address by which people and collectors reach them, for links and lines to paste
  BUS_URL                      kafka://host:port,host:port instead of the embedded bus; with TLS and a user
                               kafka://user:password@host:port?ssl=true[&ca=/ca.pem][&sasl=plain|scram-sha-256|scram-sha-512]
  CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD
                               a ClickHouse server instead of the embedded engine
  CLICKHOUSE_ANALYST_USER, CLICKHOUSE_ANALYST_PASSWORD
                               its read-only user for --ready-file    (the user above)
  CLICKHOUSE_DATABASE          database of the ledger                 (lanewatch)
  DATABASE_URL                 postgres://… instead of the embedded database
Everything listens on 127.0.0.1 unless a _HOST setting above says otherwise; the embedded ClickHouse and the detector's health
always do. Nothing here speaks TLS: before you open a port to a network, put a proxy that does in front of it.`;
