import { join } from 'node:path';
import { pythonWith, run } from '../analyst/fetched.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';

const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
/** Streams don't end by themselves, and signing out ends what the next request needs: they are asked apart. */
const APART = '^/v1/(changes|stream|sign-out)$';
const EXAMPLES = 3;
/** Another seed asks otherwise; a run is to be the same as the one before it. */
const SEED = 1;
const RUN_TIMEOUT_MS = 240_000;

/**
 * Asks a service whatever its OpenAPI allows, and some of what it does not, with schemathesis from PyPI.
 * @param headers of whoever asks
 * @param only path of the one route that is asked; by default all but those that are asked apart
 * @returns what it found, with how to ask it again; '' for nothing
 */
export async function ask(url: string, headers: Record<string, string>, only?: string): Promise<string> {
  const programs = await pythonWith(join(import.meta.dirname, 'requirements.txt'));
  const folder = await makeTempDir();
  const args = [
    ...['run', `${url}/openapi.json`, '--checks', CHECKS],
    ...(only === undefined ? ['--exclude-path-regex', APART] : ['--include-path', only]),
    ...['--phases', 'examples,fuzzing', '--max-examples', String(EXAMPLES), '--seed', String(SEED)],
    ...['--continue-on-failure', '--no-shrink', '--warnings', 'off', '--no-color', '--generation-database', 'none'],
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
  ];
  try {
    await run(join(programs, 'st'), args, { cwd: folder, timeout: RUN_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
    return '';
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}` || String(error);
  } finally {
    await removeDir(folder);
  }
}
