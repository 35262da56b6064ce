import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ANSWER_DEADLINE_MS = 5_000;

/** Whether a Docker engine answers. Asked through the client, which knows contexts and DOCKER_HOST. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    const { stdout } = await run('docker', ['version', '--format', '{{.Server.Version}}'], {
      timeout: ANSWER_DEADLINE_MS,
    });
    return stdout.trim() !== '';
  } catch {
    return false;
  }
}
