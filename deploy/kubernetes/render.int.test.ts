import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { topicsOf } from '@lanewatch/ingest/contract';
import { describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { composeText, EXAMPLE_SETTINGS } from '../compose/testing.ts';
import { tempDir } from '../testing/helpers.ts';
import { type ServiceName, SERVICES, unknownSettings } from '../testing/service-settings.ts';

const run = promisify(execFile);
const CHART = join(import.meta.dirname, 'lanewatch');
const tools = inject('clusterTools');

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    template?: { spec: { containers: { env: { name: string }[]; command?: string[]; securityContext: object }[] } };
    maxReplicaCount?: number;
    partitions?: number;
    config?: Record<string, unknown>;
  };
}

describe.skipIf(tools === null).each([
  ['the defaults', []],
  ['every other branch', ['--values', join(CHART, 'ci/strimzi-values.yaml')]],
])('the chart with %s', (_what, values: string[]) => {
  const helm = async (...args: string[]) =>
    (await run(join(tools!, 'helm'), args, { maxBuffer: 16 * 1024 * 1024 })).stdout;

  it('is free of lint, and what it renders is valid Kubernetes with settings that the services have', async () => {
    expect(await helm('lint', CHART, '--strict', ...values)).toContain('0 chart(s) failed');
    const text = await helm('template', 'lanewatch', CHART, ...values);
    const file = join(await tempDir(), 'rendered.yaml');
    writeFileSync(file, text);
    const env = { ...process.env, PYTHONPATH: join(tools!, 'python') };
    await run('python3', ['-m', 'kubernetes_validate', '--strict', '--no-warn', '--quiet', file], { env });

    const manifests = parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
    for (const service of SERVICES) {
      const pods = manifests.find(({ metadata, spec }) => metadata.name === `lanewatch-${service}` && spec.template);
      const [container] = pods!.spec.template!.spec.containers;
      const names = container!.env.map(({ name }) => name);
      expect(unknownSettings(service satisfies ServiceName, names)).toEqual([]);
      expect(container!.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    }
    expect(manifests.find(({ kind }) => kind === 'ScaledObject')?.spec.maxReplicaCount).toBe(12);
    const topics = manifests.filter(({ kind }) => kind === 'KafkaTopic');
    if (topics.length > 0)
      expect(
        topics.map(({ metadata, spec }) => ({
          name: metadata.name,
          partitions: spec.partitions,
          compacted: spec.config!['cleanup.policy'] === 'compact',
        })),
      ).toEqual(expect.arrayContaining(Object.values(topicsOf('', 12))));
  });
});

it.skipIf(tools === null)(
  'the compose files, alone, with TLS and with Prometheus, are what compose takes',
  async () => {
    const folder = await tempDir();
    const files = ['compose.yaml', 'compose.tls.yaml', 'compose.observability.yaml'].map((name) => {
      writeFileSync(join(folder, name), composeText(name, EXAMPLE_SETTINGS));
      return join(folder, name);
    });
    for (const some of [files.slice(0, 1), files.slice(0, 2), files])
      expect((await run(join(tools!, 'compose'), ['-format', 'json', ...some])).stdout).toContain('"query-api"');
  },
);
