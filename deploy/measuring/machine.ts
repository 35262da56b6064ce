import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';

/** Where a result was measured. */
export interface Machine {
  line: string;
  cores: number;
  cpu: string;
  memoryGib: number;
  versions: Record<string, string>;
}

/** The libraries that a figure depends on. */
const PACKAGES = ['chdb', 'lmdb', 'kafkajs', '@clickhouse/client', 'fastify'];

const require = createRequire(import.meta.url);

/** This machine and the versions that run on it. */
export function machineOf(): Machine {
  const cpus = os.cpus();
  const cpu = cpus[0]?.model.trim() ?? 'unknown processor';
  const memoryGib = Math.round(os.totalmem() / 1024 ** 3);
  const versions = {
    node: process.versions.node,
    ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    kafka: kafkaVersion(),
  };
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return {
    line: `${cpus.length} × ${cpu}, ${memoryGib} GiB, ${os.type()} ${os.release()}; ${named.join(', ')}`,
    cores: cpus.length,
    cpu,
    memoryGib,
    versions,
  };
}

/** Not every package lets its package.json be imported, so it is found beside the package's entry. */
function versionOf(name: string): string {
  for (const directory of require.resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(`${directory}/${name}/package.json`, 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // It is installed further up.
    }
  }
  return 'unknown';
}

function kafkaVersion(): string {
  const pom = readFileSync(new URL('../kafka/pom.xml', import.meta.url), 'utf8');
  return /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? 'unknown';
}
