import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { frameOf } from './frames.ts';
import { openSpool, type Spool, SpoolFullError, type SpoolOptions } from './spool.ts';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'lanewatch-spool-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (more: Partial<SpoolOptions> = {}) => openSpool({ directory, bytesMax: 1_000_000, ...more });
const rowOf = (number: number) => `[${number},"${'ü'.repeat(number % 40)}"]`;
const segments = async () => (await readdir(directory)).sort();

async function drain(spool: Spool, bytesMax = 1_000): Promise<string[]> {
  const rows: string[] = [];
  for (let chunk = await spool.peek(bytesMax); chunk !== null; chunk = await spool.peek(bytesMax)) {
    rows.push(...chunk.rows);
    await spool.drop(chunk.end);
  }
  return rows;
}

describe('the spool', () => {
  test('gives rows back in order, across segments and a restart', async () => {
    const expected = Array.from({ length: 500 }, (_, number) => rowOf(number));
    const first = await open({ segmentBytesMax: 1_000 });
    expect(first.isEmpty).toBe(true);
    for (let at = 0; at < expected.length; at += 5) await first.append(expected.slice(at, at + 5));
    expect(first.isEmpty).toBe(false);
    expect((await segments()).length).toBeGreaterThan(5);
    await first.close();

    const second = await open({ segmentBytesMax: 1_000 });
    expect(second.bytes).toBe(first.bytes);
    await second.append([rowOf(500)]);
    expect(await drain(second)).toEqual([...expected, rowOf(500)]);
    expect(second.isEmpty).toBe(true);
    expect(second.bytes).toBe(0);
    expect(await segments()).toEqual([]);
    await second.close();
  });

  test('what was dropped is not given again by the same process', async () => {
    const spool = await open();
    await spool.append(['[1]']);
    await spool.append(['[2]']);
    const chunk = await spool.peek(1);
    expect(chunk?.rows).toEqual(['[1]']);
    expect((await spool.peek(1))?.rows).toEqual(['[1]']);
    await spool.drop(chunk!.end);
    expect((await spool.peek(1))?.rows).toEqual(['[2]']);
    await spool.close();
  });

  test('rows can be added while others are read and dropped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.record({ append: fc.integer({ min: 1, max: 4 }) }), fc.constant('read'))),
        async (steps) => {
          const own = await mkdtemp(join(tmpdir(), 'lanewatch-spool-'));
          const spool = await openSpool({ directory: own, bytesMax: 1e6, segmentBytesMax: 120 });
          let written = 0;
          const read: string[] = [];
          for (const step of steps) {
            if (step === 'read') {
              const chunk = await spool.peek(100);
              if (chunk === null) continue;
              read.push(...chunk.rows);
              // The next append runs while the drop is under way, as in the publisher.
              const dropping = spool.drop(chunk.end);
              await spool.append([rowOf(written++)]);
              await dropping;
            } else {
              const rows = Array.from({ length: (step as { append: number }).append }, () => rowOf(written++));
              await spool.append(rows);
            }
          }
          read.push(...(await drain(spool)));
          expect(read).toEqual(Array.from({ length: written }, (_, number) => rowOf(number)));
          expect(await readdir(own)).toEqual([]);
          await spool.close();
          await rm(own, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('refuses more than it may hold, keeps what it has, and takes again once there is room', async () => {
    const spool = await open({ bytesMax: 100 });
    await spool.append(['x'.repeat(60)]);
    await expect(spool.append(['y'.repeat(60)])).rejects.toBeInstanceOf(SpoolFullError);
    expect(await drain(spool)).toEqual(['x'.repeat(60)]);
    await spool.append(['y'.repeat(60)]);
    expect(await drain(spool)).toEqual(['y'.repeat(60)]);
    await spool.close();
  });
});

describe('after a crash', () => {
  test('an end that was cut at any byte costs only the frame it is in', async () => {
    const spool = await open();
    for (let number = 0; number < 3; number++) await spool.append([rowOf(number)]);
    await spool.close();
    const path = join(directory, (await segments())[0]!);
    const whole = await readFile(path);
    const lastFrame = frameOf([rowOf(2)]).length;
    for (let cut = 1; cut <= lastFrame; cut++) {
      await writeFile(path, whole.subarray(0, whole.length - cut));
      const damage: string[] = [];
      const again = await open({ onDamage: (message) => damage.push(message) });
      expect(damage.length).toBe(cut === lastFrame ? 0 : 1);
      await again.append(['[9]']);
      await again.close();
      const third = await open({ onDamage: (message) => expect.fail(message) });
      expect(await drain(third)).toEqual([rowOf(0), rowOf(1), '[9]']);
      await third.close();
    }
  });

  test('garbage behind the last frame is cut off, wherever a header may seem to be', async () => {
    const spool = await open();
    await spool.append([rowOf(1)]);
    await spool.close();
    const path = join(directory, (await segments())[0]!);
    const torn = frameOf([rowOf(2)]);
    torn[torn.length - 1]! ^= 1;
    await appendFile(path, torn);
    const again = await open();
    expect(await drain(again)).toEqual([rowOf(1)]);
    await again.close();
  });

  test('a damaged segment in the middle gives its whole frames, is kept for a look, and does not stop the next', async () => {
    const spool = await open({ segmentBytesMax: 1 });
    for (let number = 0; number < 3; number++) await spool.append([rowOf(number)]);
    await spool.close();
    const [, middle] = await segments();
    await truncate(join(directory, middle!), 5);
    const damage: string[] = [];
    const again = await open({ onDamage: (message) => damage.push(message) });
    expect(await drain(again)).toEqual([rowOf(0), rowOf(2)]);
    expect(damage).toHaveLength(1);
    expect(await segments()).toEqual([`${middle!}.damaged`]);
    await again.close();
  });

  test('kill -9 at any moment loses no confirmed row and keeps the order', async () => {
    const writer = new URL('../testing/spool-writer.ts', import.meta.url).pathname;
    for (const killAfterRows of [1, 40, 150]) {
      const own = join(directory, String(killAfterRows));
      const child = spawn(process.execPath, [writer, own], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > killAfterRows) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const confirmed = output.split('\n').length - 1;
      expect(confirmed).toBeGreaterThanOrEqual(killAfterRows);
      const spool = await openSpool({ directory: own, bytesMax: 1e9 });
      const numbers = (await drain(spool, 10_000)).map((row) => (JSON.parse(row) as [number])[0]);
      expect(numbers.length).toBeGreaterThanOrEqual(confirmed);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, number) => number));
      await spool.close();
    }
  });
});
