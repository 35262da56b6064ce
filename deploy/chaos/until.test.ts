import { expect, it } from 'vitest';
import { until } from './until.ts';

it('what was waited for is told as it is when the wait has failed', async () => {
  const faults: string[] = [];
  const look = () => {
    faults.push(`fault ${faults.length + 1}`);
    return Promise.resolve(false);
  };
  const failed = until(() => `the end (${faults.join(', ')})`, 0, look);
  await expect(failed).rejects.toThrow(/^waited 0 ms for the end \(fault 1/);
});
