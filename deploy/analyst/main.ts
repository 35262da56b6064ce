import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '@clickhouse/client';
import { SQL_PASSWORD_VARIABLE, sqlTools } from '@lanewatch/query-api/contract';
import { fromCaller } from '../embedded/caller.ts';
import { analystOfRunning } from '../embedded/running.ts';
import type { AnalystConnection } from './connection.ts';
import { NOTEBOOKS, runNotebook, TOOLS } from './tools.ts';

/** `npm run -s lanewatch -- analyst`: how tools that analysts have read the ledger, and whether they do. */
try {
  const { values } = parseArgs({
    options: {
      password: { type: 'boolean', default: false },
      try: { type: 'boolean', default: false },
      notebooks: { type: 'string' },
    },
  });
  const connection = analystOfRunning(process.env);
  if (values.password) console.log(connection.password);
  else if (values.try) process.exitCode = await tryTools(connection);
  else if (values.notebooks !== undefined) await runNotebooks(connection, fromCaller(values.notebooks));
  else sayLines(connection);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function sayLines(connection: AnalystConnection): void {
  console.log(
    `Engine    ${connection.url}\nDatabase  ${connection.database}\nUser      ${connection.user}, who may only read\n`,
  );
  console.log(`export ${SQL_PASSWORD_VARIABLE}=${connection.password}\n`);
  for (const { name, text } of sqlTools(connection)) console.log(`${name}\n\n${text.replace(/^/gm, '  ')}\n`);
}

/** Asks one question with each tool; each must answer what the engine does. Rows come in meanwhile, so that is asked before and after. */
async function tryTools(connection: AnalystConnection): Promise<number> {
  const { url, user: username, password, database } = connection;
  const client = createClient({ url, username, password, database });
  const calls = async (): Promise<number> => {
    const set = await client.query({
      query: 'SELECT toInt32(sum(calls)) AS requests FROM usage',
      format: 'JSONEachRow',
    });
    return (await set.json<{ requests: number }>())[0]!.requests;
  };
  let failed = 0;
  for (const { name, ask } of TOOLS) {
    const before = await calls();
    try {
      const answer = await ask(connection);
      const told = answer.reduce((sum, [, count]) => sum + count, 0);
      const isRight = told >= before && told <= (await calls());
      if (!isRight) failed += 1;
      console.log(`${isRight ? 'reads ' : 'DIFFERS'} ${name}: ${answer.length} people, ${told} requests`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}: ${(error as Error).message}`);
    }
  }
  await client.close();
  return failed === 0 ? 0 : 1;
}

async function runNotebooks(connection: AnalystConnection, folder: string): Promise<void> {
  for (const name of NOTEBOOKS) {
    const target = join(folder, `${name}.ipynb`);
    await runNotebook(name, connection, target);
    console.log(`ran ${name}: ${target} has its answers`);
  }
}
