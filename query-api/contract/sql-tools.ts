import type { SqlConnection } from './sql.ts';

/** How one tool reads the ledger: lines to paste, which take the password from the environment or from a field of the tool. */
export interface SqlTool {
  name: string;
  text: string;
}

/** Variable that the lines take the password from; it is never written into them. */
export const SQL_PASSWORD_VARIABLE = 'LANEWATCH_ANALYST_PASSWORD';

/**
 * Lines by which tools that analysts have read the published views, over the engine's HTTP interface as the user that may only read. Each
 * of them is run against the engine by the tests of `deploy/tools`.
 */
export function sqlTools({ url, user, database }: SqlConnection): SqlTool[] {
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === 'https:';
  const at = port === '' ? (isSecure ? '443' : '80') : port;
  const secret = `$${SQL_PASSWORD_VARIABLE}`;
  const jdbc = `jdbc:clickhouse:${protocol}//${hostname}:${at}/${database}`;
  return [
    {
      name: 'Python (clickhouse-connect)',
      text: `import os, clickhouse_connect
ledger = clickhouse_connect.get_client(host='${hostname}', port=${at}, secure=${isSecure ? 'True' : 'False'}, username='${user}',
    password=os.environ['${SQL_PASSWORD_VARIABLE}'], database='${database}')
print(ledger.query('SELECT person, sum(cost_usd) AS usd FROM usage GROUP BY person ORDER BY usd DESC LIMIT 10').result_rows)`,
    },
    {
      name: 'SQLAlchemy, Superset',
      text: `clickhousedb://${user}:${secret}@${hostname}:${at}/${database}${isSecure ? '?secure=true' : ''}`,
    },
    {
      name: 'JDBC (DBeaver, Metabase, Java)',
      text: `${jdbc}
user=${user}
password=${secret}`,
    },
    {
      name: 'Go (clickhouse-go)',
      text: `ledger := clickhouse.OpenDB(&clickhouse.Options{
	Protocol: clickhouse.HTTP,
	Addr:     []string{"${hostname}:${at}"},
	Auth:     clickhouse.Auth{Database: "${database}", Username: "${user}", Password: os.Getenv("${SQL_PASSWORD_VARIABLE}")},${isSecure ? '\n\tTLS:      &tls.Config{},' : ''}
})`,
    },
    {
      name: 'dbt (profiles.yml, sources only)',
      text: `lanewatch:
  target: ledger
  outputs:
    ledger:
      type: clickhouse
      driver: http
      host: ${hostname}
      port: ${at}
      secure: ${isSecure}
      user: ${user}
      password: "{{ env_var('${SQL_PASSWORD_VARIABLE}') }}"
      schema: ${database}`,
    },
    {
      name: 'Grafana (plug-in grafana-clickhouse-datasource)',
      text: `export LANEWATCH_CLICKHOUSE_HOST=${hostname} LANEWATCH_CLICKHOUSE_PORT=${at} LANEWATCH_CLICKHOUSE_SECURE=${isSecure}
export LANEWATCH_CLICKHOUSE_USER=${user} LANEWATCH_CLICKHOUSE_DATABASE=${database}
grafana server --homepath /usr/share/grafana cfg:paths.provisioning=deploy/grafana/analyst`,
    },
    {
      name: 'curl',
      text: `curl -sS '${url.replace(/\/$/, '')}/?database=${database}' -u "${user}:${secret}" \\
  --data-binary 'SELECT day, sum(cost_usd) AS usd FROM usage GROUP BY day ORDER BY day FORMAT CSVWithNames'`,
    },
  ];
}
