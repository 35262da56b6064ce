import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientConfigurations } from '@lanewatch/ingest/contract/client-configuration';

const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
/** The README shows how their lines are printed. */
const PRINTED_ONLY = new Set(['claude-code', 'envoy', 'nginx']);

test.each(clientConfigurations('http://127.0.0.1:4618', 'COLLECTOR_KEY'))(
  'the README tells how to point $name here, with the very lines that connect prints',
  ({ name, files }) => {
    if (PRINTED_ONLY.has(name)) expect(README).toContain(`connect ${name}`);
    else for (const { text } of files) expect(README).toContain(text);
  },
);
