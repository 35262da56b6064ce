import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../../deploy/testing/helpers.ts';
import { withSecretFiles } from './settings.ts';

test('a secret comes from its file, without the line end that editors put there', async () => {
  const file = join(await tempDir(), 'bus-url');
  writeFileSync(file, 'kafka://lanewatch:secret@broker:9093\n');
  expect(withSecretFiles({ BUS_URL_FILE: file, OTHER_FILE: '/absent', EMPTY: '' }, ['BUS_URL'])).toEqual({
    given: { BUS_URL: 'kafka://lanewatch:secret@broker:9093', BUS_URL_FILE: file, OTHER_FILE: '/absent' },
    problems: [],
  });
});

test('a file that is not there, and one beside the variable itself, are told by name', async () => {
  const file = join(await tempDir(), 'bus-url');
  writeFileSync(file, 'kafka://broker');
  const { problems } = withSecretFiles({ A_FILE: '/absent/secret', B: 'b', B_FILE: file }, ['A', 'B']);
  expect(problems).toEqual([
    expect.stringMatching(/^A_FILE: can't be read \(ENOENT/),
    'B_FILE: is set beside B; leave one of them out',
  ]);
});
