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

/** What compose makes of several files. */
type MergedServices = Record<
  string,
  {
    environment: string[] | Record<string, string>;
    ports?: unknown[];
    networks: Record<string, { ipv4_address?: string } | null>;
  }
>;

/** Lines where several files were merged, names and values where one alone had them. */
const settingsOf = ({ environment }: MergedServices[string]): Record<string, string> =>
  Array.isArray(environment)
    ? Object.fromEntries(environment.map((line) => line.split(/=(.*)/s, 2) as [string, string]))
    : environment;

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
    const merged = async (some: string[]) =>
      (
        JSON.parse((await run(join(tools!, 'compose'), ['-format', 'json', ...some])).stdout) as {
          services: MergedServices;
        }
      ).services;
    const [plain, withTls, all] = await Promise.all([1, 2, 3].map((count) => merged(files.slice(0, count))));
    for (const services of [plain!, withTls!, all!])
      for (const name of SERVICES)
        expect(unknownSettings(name, Object.keys(settingsOf(services[name]!))), name).toEqual([]);
    expect(all).toHaveProperty('prometheus');

    // Who reached the dashboard beside the proxy could claim any address as theirs.
    expect(plain!['dashboard']!.ports).toHaveLength(1);
    expect(withTls!['dashboard']!.ports ?? []).toEqual([]);
    const of = (name: string) => settingsOf(withTls![name]!);
    const people = 'https://lanewatch.example.com';
    const collectors = 'https://ingest.example.com';
    const proxy = withTls!['tls']!.networks['front']!.ipv4_address;
    expect(of('ingest')).toMatchObject({ TRUSTED_PROXIES: proxy });
    expect(of('query-api')).toMatchObject({ DASHBOARD_URL: people, SECURE_COOKIES: 'true' });
    expect(of('dashboard')).toMatchObject({ DASHBOARD_ORIGIN: people, INGEST_URL: collectors });
    expect(of('link')).toMatchObject({ INGEST_URL: collectors });
  },
);
