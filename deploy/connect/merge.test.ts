import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type ClientFile, clientConfigurations } from '@lanewatch/ingest/contract/client-configuration';
import { merged } from './merge.ts';

const CLIENTS = clientConfigurations(
  'http://127.0.0.1:4618',
  'lw_dev_key',
  'apikey.hint=sk-...wxyz,enduser.id=ada@example.com',
);
const FILES = CLIENTS.flatMap(({ name, files }) => files.map((file) => ({ name, ...file })));
const fileOf = (client: string, index = 0): ClientFile => CLIENTS.find(({ name }) => name === client)!.files[index]!;
const mergedInto = (existing: string, client: string, index = 0) => {
  const { text, format } = fileOf(client, index);
  return merged(existing, text, format);
};

describe.each(FILES.filter(({ format }) => format !== 'text'))('$name: $path ($format)', ({ text, format }) => {
  test('what is written is what the format can read, and writing it again changes nothing', () => {
    const parse = { json: JSON.parse, yaml: parseYaml, toml: parseToml, env: String, text: String }[format] as (
      text: string,
    ) => unknown;
    expect(parse(text)).toBeTruthy();
    const once = merged('', text, format);
    expect(parse(merged(once, text, format))).toEqual(parse(once));
    expect(merged(merged(once, text, format), text, format)).toBe(merged(once, text, format));
  });
});

describe('what stands in a file already stays', () => {
  test('JSON: other keys, and attributes of others; ours are replaced', () => {
    const mine = { model: 'opus', env: { FOO: '1', OTEL_RESOURCE_ATTRIBUTES: 'team=a,enduser.id=old' } };
    const result = JSON.parse(mergedInto(JSON.stringify(mine), 'claude-code')) as typeof mine;
    expect(result).toMatchObject({ model: 'opus', env: { FOO: '1', CLAUDE_CODE_ENABLE_TELEMETRY: '1' } });
    expect(result.env.OTEL_RESOURCE_ATTRIBUTES).toBe('team=a,apikey.hint=sk-...wxyz,enduser.id=ada@example.com');
  });

  test('YAML: comments, order, other exporters of a pipeline', () => {
    const mine = '# mine\nservice:\n  pipelines:\n    logs:\n      receivers: [otlp] # all\n      exporters: [debug]\n';
    const result = mergedInto(mine, 'otel-collector');
    expect(result).toMatch(/^# mine\nservice:[\s\S]*# all/);
    expect(parseYaml(result)).toMatchObject({
      service: { pipelines: { logs: { receivers: ['otlp'], exporters: ['debug', 'otlphttp/lanewatch'] } } },
    });
  });

  test('YAML: an entry of ours with an old key is replaced, entries of others stay', () => {
    const mine =
      'plugins:\n  - name: rate-limiting\n  - name: http-log\n    instance_name: lanewatch\n    config: { http_endpoint: old }\n';
    const { plugins } = parseYaml(mergedInto(mine, 'kong')) as { plugins: { name: string; config?: object }[] };
    expect(plugins.map(({ name }) => name)).toEqual(['rate-limiting', 'http-log']);
    expect(plugins[1]!.config).toMatchObject({ http_endpoint: 'http://127.0.0.1:4618/v1/kong' });
  });

  test('TOML: comments and the other keys of the table and of the file', () => {
    const mine = 'model = "gpt-5" # mine\n\n[otel]\nenvironment = "prod"\nexporter = "none"\n\n[tui]\nx = 1\n';
    const result = mergedInto(mine, 'codex');
    expect(result).toContain('# mine');
    expect(parseToml(result)).toMatchObject({
      model: 'gpt-5',
      otel: { environment: 'prod', exporter: { 'otlp-http': { endpoint: 'http://127.0.0.1:4618/v1/logs' } } },
      tui: { x: 1 },
    });
  });

  test('environment: other lines', () => {
    const result = mergedInto('# mine\nexport OTEL_EXPORTER_OTLP_HEADERS=old\nGEMINI_API_KEY=x\n', 'gemini-cli', 1);
    expect(result).toMatch(/^# mine\nOTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer lw_dev_key"\nGEMINI_API_KEY=x\n/);
  });

  test('whatever JSON object it is, every other key of it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== 'env'),
          fc.jsonValue(),
        ),
        (mine) => {
          const { env, ...others } = JSON.parse(mergedInto(JSON.stringify(mine), 'claude-code')) as Record<
            string,
            unknown
          >;
          expect(env).toBeTruthy();
          expect(others).toEqual(JSON.parse(JSON.stringify(mine)));
        },
      ),
    );
  });
});

test.each([
  ['claude-code', '{ // mine\n}', /not plain JSON/],
  ['claude-code', '[]', /no JSON object/],
  ['litellm', 'a: [', /not valid YAML/],
  ['codex', '[otel.exporter.otlp-http]\nendpoint = "x"\n', /holds a table \[otel.exporter\]/],
  ['codex', 'otel = { environment = "x" }\n', /by hand/],
  ['codex', '[otel', /not valid TOML/],
  ['nginx', 'http { }', /by hand/],
])('%s does not touch a file that it does not understand: %s', (client, existing, reason) => {
  expect(() => mergedInto(existing, client)).toThrow(reason);
});
