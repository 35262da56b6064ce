import { expect, it } from 'vitest';
import { createStops } from './stops.ts';

it('what came last ends first, and one that fails keeps none of the others', async () => {
  const ended: string[] = [];
  const complaints: unknown[] = [];
  const stops = createStops((error) => complaints.push(error));
  const failure = new Error('it hangs');
  stops.add(() => Promise.resolve(ended.push('engine')));
  stops.add(() => Promise.reject(failure));
  stops.add(() => Promise.resolve(ended.push('detector')));
  await stops.all();
  await stops.all();
  expect(ended).toEqual(['detector', 'engine']);
  expect(complaints).toEqual([failure]);
});

it('who asks for the end while everything ends waits for that end', async () => {
  const stops = createStops();
  const { promise: slow, resolve: finish } = Promise.withResolvers<undefined>();
  stops.add(() => slow);
  let over = false;
  void stops.all();
  const second = stops.all().then(() => (over = true));
  await new Promise(setImmediate);
  expect(over).toBe(false);
  finish(undefined);
  await second;
});
