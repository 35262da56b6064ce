import { resolve } from 'node:path';

/**
 * A path as it was meant by the person who typed it: npm runs scripts in the package's folder and names the folder that the person
 * is in. Settings of the environment that name files are meant so, too.
 */
export function fromCaller(path: string, environment: Record<string, string | undefined> = process.env): string {
  return resolve(environment['INIT_CWD'] ?? '.', path);
}
