import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentOf, type AnalystConnection } from './connection.ts';
import { jdbcClassPath, pythonWith, run, toolFile } from './fetched.ts';

/** A person, their requests and what these cost, as a tool reads it: `tools/question.sql`. */
export type Answer = [person: string, requests: number, usd: string];

/** A tool that analysts have, as its registry serves it. */
export interface Tool {
  name: string;
  /** Programs that must be there, each with an argument that makes it say what it is. */
  needs: readonly (readonly [program: string, argument: string])[];
  /** Asks the question with it. Throws with what the tool said where that fails. */
  ask(connection: AnalystConnection): Promise<Answer[]>;
}

const PYTHON = [['python3', '--version']] as const;
const JAVA = [
  ['java', '-version'],
  ['mvn', '--version'],
] as const;
const WITH_MORE = [toolFile('requirements.txt'), toolFile('requirements-more.txt')];
const TOOL_TIMEOUT_MS = 120_000;

async function answerOf(
  connection: AnalystConnection,
  program: string,
  args: string[],
  more: Record<string, string> = {},
): Promise<Answer[]> {
  const env = { ...process.env, ...environmentOf(connection), ...more };
  const { stdout } = await run(program, args, { env, timeout: TOOL_TIMEOUT_MS });
  return JSON.parse(stdout.slice(stdout.indexOf('['))) as Answer[];
}

const python =
  (script: string) =>
  async (connection: AnalystConnection): Promise<Answer[]> =>
    answerOf(connection, join(await pythonWith(toolFile('requirements.txt')), 'python'), [toolFile(script)]);

async function askJdbc(connection: AnalystConnection): Promise<Answer[]> {
  const classPath = await jdbcClassPath();
  return answerOf(connection, 'java', ['-cp', classPath, toolFile('Jdbc.java'), toolFile('question.sql')]);
}

/** Its module is fetched and built by `go run`, which keeps both. */
const askGo = (connection: AnalystConnection): Promise<Answer[]> =>
  answerOf(connection, 'go', ['-C', toolFile('.'), 'run', '.', toolFile('question.sql')]);

/** dbt over its sources: an analyst may build nothing, and can ask everything. */
async function askDbt(connection: AnalystConnection): Promise<Answer[]> {
  const programs = await pythonWith(...WITH_MORE);
  const scratch = mkdtempSync(join(tmpdir(), 'lanewatch-dbt-'));
  const project = toolFile('dbt');
  const question =
    "select person, sum(calls) as requests, toString(sum(cost_usd)) as usd from {{ source('lanewatch', 'usage') }} group by person order by person";
  const show = ['show', '--quiet', '--output', 'json', '--limit', '-1', '--inline', question];
  const places = ['--project-dir', project, '--profiles-dir', project, '--target-path', scratch, '--log-path', scratch];
  try {
    const env = { ...process.env, ...environmentOf(connection), DBT_SEND_ANONYMOUS_USAGE_STATS: 'false' };
    const { stdout } = await run(join(programs, 'dbt'), [...show, ...places], { env, timeout: TOOL_TIMEOUT_MS });
    const { show: rows } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      show: { person: string | null; requests: number; usd: string | number }[];
    };
    return rows.map(({ person, requests, usd }) => [person ?? '', Number(requests), String(usd)]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export const TOOLS: readonly Tool[] = [
  { name: 'clickhouse-connect', needs: PYTHON, ask: python('connect.py') },
  { name: 'sqlalchemy', needs: PYTHON, ask: python('alchemy.py') },
  { name: 'jdbc', needs: JAVA, ask: askJdbc },
  { name: 'clickhouse-go', needs: [['go', 'version']], ask: askGo },
  { name: 'dbt', needs: PYTHON, ask: askDbt },
];

/** The notebooks, each with what it needs beyond Python. */
export const NOTEBOOKS = ['clickhouse-connect', 'jdbc'] as const;

/** Runs a notebook whole against an installation and keeps it, with its answers, where it is told to. */
export async function runNotebook(
  name: (typeof NOTEBOOKS)[number],
  connection: AnalystConnection,
  target: string,
): Promise<void> {
  const programs = await pythonWith(...WITH_MORE);
  const classPath = name === 'jdbc' ? await jdbcClassPath() : '';
  const env = { ...process.env, ...environmentOf(connection), LANEWATCH_JDBC_CLASS_PATH: classPath };
  const source = join(import.meta.dirname, 'notebooks', `${name}.ipynb`);
  await run(join(programs, 'python'), [toolFile('notebook.py'), source, target], {
    env,
    timeout: 2 * TOOL_TIMEOUT_MS,
  });
}
