import { expect, it } from 'vitest';
import { moduleChoices } from './modules.ts';

const item = (module: string, label: string) => ({ module, label, scopes: [], keys: 0, keys_active: 0 });
const answering = { modules: () => Promise.resolve({ items: [item('', 'none'), item('agents', 'Agents')] }) };
const silent = { modules: () => Promise.reject(new Error('away')) };

it('offers the module that is filtered by, also where the registry does not have it or can’t be asked', async () => {
  const agents = { module: 'agents', label: 'Agents' };
  expect(await moduleChoices(answering as never, undefined)).toEqual([agents]);
  expect(await moduleChoices(answering as never, 'agents')).toEqual([agents]);
  expect(await moduleChoices(answering as never, 'old')).toEqual([agents, { module: 'old', label: 'old' }]);
  expect(await moduleChoices(silent as never, 'agents')).toEqual([{ module: 'agents', label: 'agents' }]);
});
