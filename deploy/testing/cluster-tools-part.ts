import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { missing } from './part.ts';
import type { Part } from './part.ts';

const run = promisify(execFile);

/** Helm and compose's own loader are built from their Go modules; the schemas of Kubernetes come from PyPI. */
const HELM = 'helm.sh/helm/v4/cmd/helm@v4.3.1';
const COMPOSE = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';
const KUBERNETES_VALIDATE = 'kubernetes-validate==1.37.0';
/** Named for what is in it, so that a change of a version never runs on yesterday's. */
const FOLDER = path.join(
  process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'),
  'lanewatch',
  ['cluster-tools', ...[HELM, COMPOSE].map((module) => module.split('@')[1]), KUBERNETES_VALIDATE.split('==')[1]].join(
    '-',
  ),
);

/** A folder with `helm`, `compose` and `kubernetes-validate` in it, made once for every clone. It takes two minutes the first time. */
export async function clusterToolsPart(): Promise<Part> {
  if (existsSync(FOLDER)) return found('made earlier');
  const partial = `${FOLDER}.${process.pid}`;
  try {
    await mkdir(partial, { recursive: true });
    console.log('Building helm from its Go module (once, about two minutes)');
    const env = { ...process.env, GOBIN: partial };
    await Promise.all([
      run('go', ['install', HELM], { env }).then(() => run('go', ['install', COMPOSE], { env })),
      run('python3', [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--target',
        path.join(partial, 'python'),
        KUBERNETES_VALIDATE,
      ]),
    ]);
    await rename(path.join(partial, 'cmd'), path.join(partial, 'compose'));
    await rename(partial, FOLDER).catch((error: unknown) => {
      if (!existsSync(FOLDER)) throw error;
    });
    return found('built from Go modules');
  } catch (error) {
    return missing(
      `Go 1.26 and Python 3.10 with pip make them (${error instanceof Error ? error.message.split('\n')[0] : ''})`,
    );
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function found(how: string): Part {
  return { address: FOLDER, origin: `helm, compose-go and kubernetes-validate, ${how}`, stop: () => Promise.resolve() };
}
