import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../registry/database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of an empty registry in PGlite, to be copied: making one anew takes 2 s. */
    registryTemplate: string;
  }
}

/** Before a run: makes the registry that {@link copyOfRegistry} copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-registry-template-'));
  const template = join(directory, 'registry');
  const database = await openDatabase(`pglite:${template}`);
  await database.close();
  project.provide('registryTemplate', template);
  return () => rm(directory, { recursive: true, force: true });
}

/** A registry of a test's own, as a URL and what removes it. */
export async function copyOfRegistry(template: string): Promise<{ url: string; drop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'lanewatch-registry-'));
  const path = join(directory, 'registry');
  // A thousand small files: one after the other at once is twenty times faster than with promises.
  cpSync(template, path, { recursive: true });
  return { url: `pglite:${path}`, drop: () => rm(directory, { recursive: true, force: true }) };
}
