import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from 'node:zlib';
import { USAGE_ROW_VERSION } from '../../contract/index.ts';
import { FRAME_BYTES_MAX, frameOf } from './frames.ts';
import { RefusedFullError } from './refused-file.ts';
import { openSpool, type Spool, type SpoolOptions } from './spool.ts';
import { SpoolInUseError } from './spool-lock.ts';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'lanewatch-spool-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (more: Partial<SpoolOptions> = {}) => openSpool({ directory, bytesMax: 1_000_000, ...more });
const framed = (rows: string[]) => ({ rows, version: USAGE_ROW_VERSION });
const rowOf = (number: number) => `[${number},"${'ü'.repeat(number % 40)}"]`;
/** All files but the one that holds the lock, which stays. */
const filesIn = async (path: string) => (await readdir(path)).filter((name) => name !== 'lock').sort();
const segments = async () => (await filesIn(directory)).filter((name) => name !== 'position');

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
    for (let at = 0; at < expected.length; at += 5) await first.append(framed(expected.slice(at, at + 5)));
    expect(first.isEmpty).toBe(false);
    expect((await segments()).length).toBeGreaterThan(5);
    await first.close();

    const second = await open({ segmentBytesMax: 1_000 });
    expect(second.bytes).toBe(first.bytes);
    await second.append(framed([rowOf(500)]));
    expect(await drain(second)).toEqual([...expected, rowOf(500)]);
    expect(second.isEmpty).toBe(true);
    expect(second.bytes).toBe(0);
    expect(await segments()).toEqual([]);
    await second.close();
  });

  test('what was dropped is not given again by the same process', async () => {
    const spool = await open();
    await spool.append(framed(['[1]']));
    await spool.append(framed(['[2]']));
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
              await spool.append(framed([rowOf(written++)]));
              await dropping;
            } else {
              const rows = Array.from({ length: (step as { append: number }).append }, () => rowOf(written++));
              await spool.append(framed(rows));
            }
          }
          read.push(...(await drain(spool)));
          expect(read).toEqual(Array.from({ length: written }, (_, number) => rowOf(number)));
          expect(await filesIn(own)).toEqual([]);
          await spool.close();
          await rm(own, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('takes no more than it may hold, keeps what it has, and takes again once there is room', async () => {
    const spool = await open({ bytesMax: 100 });
    expect(await spool.append(framed(['x'.repeat(60)]))).toBe(1);
    expect(await spool.append(framed(['y'.repeat(60)]))).toBe(0);
    expect(await drain(spool)).toEqual(['x'.repeat(60)]);
    expect(await spool.append(framed(['y'.repeat(60)]))).toBe(1);
    expect(await drain(spool)).toEqual(['y'.repeat(60)]);
    await spool.close();
  });

  test('takes the first rows of more than it may hold, and says that it is full until some of them are gone', async () => {
    const spool = await open({ bytesMax: 2 ** 20 });
    const rows = Array.from({ length: 3_000 }, (_, number) => `[${number},"${'x'.repeat(1_000)}"]`);
    expect(spool.fullBecause).toBeNull();
    const stored = await spool.append(framed(rows));
    expect(stored).toBeGreaterThan(900);
    expect(stored).toBeLessThan(rows.length);
    expect(spool.fullBecause).toMatch(/not reachable/);
    // Whoever is told that there is room finds it, whatever a frame may take.
    expect(spool.bytes).toBeGreaterThan(2 ** 20 - FRAME_BYTES_MAX);
    expect(await drain(spool)).toEqual(rows.slice(0, stored));
    expect(spool.fullBecause).toBeNull();
    await spool.close();
  });

  test('writes what is added as frames of bounded size, and none that it could not read back', async () => {
    const spool = await open({ bytesMax: 10 * 2 ** 20 });
    const rows = Array.from({ length: 1_000 }, (_, number) => `[${number},"${'漢'.repeat(700)}"]`);
    expect(await spool.append(framed(rows))).toBe(rows.length);
    const read: string[] = [];
    for (let chunk = await spool.peek(1); chunk !== null; chunk = await spool.peek(1)) {
      expect(frameOf(chunk.rows, chunk.version).length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
      read.push(...chunk.rows);
      await spool.drop(chunk.end);
    }
    expect(read).toEqual(rows);
    await spool.close();
    expect(() => frameOf(['x'.repeat(65 * 2 ** 20)], USAGE_ROW_VERSION)).toThrow(RangeError);
  });

  test('rows of several row versions come apart, each with its own; those of the first form of frames too', async () => {
    const payload = Buffer.from('["old"]\n["older"]');
    const header = Buffer.alloc(12);
    header.write('LWS1');
    header.writeUInt32LE(payload.length, 4);
    header.writeUInt32LE(crc32(payload), 8);
    const later = frameOf(['["later"]'], '2');
    await writeFile(join(directory, '000000000001.rows'), Buffer.concat([header, payload, later, later]));
    const spool = await open();
    await spool.append(framed(['["now"]']));
    const chunks = [];
    for (let chunk = await spool.peek(10_000); chunk !== null; chunk = await spool.peek(10_000)) {
      chunks.push([chunk.version, chunk.rows]);
      await spool.drop(chunk.end);
    }
    expect(chunks).toEqual([
      ['1', ['["old"]', '["older"]']],
      ['2', ['["later"]', '["later"]']],
      [USAGE_ROW_VERSION, ['["now"]']],
    ]);
    await spool.close();
  });
});

describe('what the bus refuses', () => {
  const refused = (text: string, version = USAGE_ROW_VERSION) => ({ rows: [text], version });

  test('has a limit of its own: the room of the others is theirs, now and after a restart', async () => {
    const limits = { bytesMax: 2 * FRAME_BYTES_MAX, refusedBytesMax: 3 * FRAME_BYTES_MAX };
    const spool = await open(limits);
    const text = 'x'.repeat(FRAME_BYTES_MAX - 100);
    for (let times = 0; times < 3; times++) await spool.putAside(refused(text));
    await expect(spool.putAside(refused(text))).rejects.toThrow(RefusedFullError);
    expect([spool.bytes, spool.fullBecause]).toEqual([0, null]);
    expect(spool.refusedBytes).toBeGreaterThan(2 * FRAME_BYTES_MAX);
    await spool.close();

    const again = await open(limits);
    expect([again.hasUnread, again.fullBecause]).toEqual([true, null]);
    expect(await again.append(framed(['[1]']))).toBe(1);
    // What is refused again fits again.
    for (let times = 0; times < 3; times++) {
      const { rows, version, end } = (await again.peek(1))!;
      await again.putAside({ rows, version });
      await again.drop(end);
    }
    expect(await drain(again)).toEqual(['[1]']);
    await again.close();
  });

  test('is named as the reason where it keeps the spool from being emptied', async () => {
    const spool = await open({ bytesMax: FRAME_BYTES_MAX, refusedBytesMax: 10 });
    await spool.append(framed(['[1]']));
    expect(spool.fullBecause).toMatch(/not reachable/);
    await expect(spool.putAside(refused('too long for ten bytes'))).rejects.toThrow(/refused\.rows is full/);
    expect(spool.fullBecause).toMatch(/refuses events/);
    await drain(spool);
    expect(spool.fullBecause).toBeNull();
    await spool.close();
  });

  test('keeps its row version', async () => {
    const spool = await open();
    await spool.putAside(refused('["later"]', '7'));
    await spool.close();
    const again = await open();
    expect(await again.peek(1)).toMatchObject({ rows: ['["later"]'], version: '7' });
    await again.close();
  });
});

describe('after a crash', () => {
  test('an end that was cut at any byte costs only the frame it is in', async () => {
    const spool = await open();
    for (let number = 0; number < 3; number++) await spool.append(framed([rowOf(number)]));
    await spool.close();
    const path = join(directory, (await segments())[0]!);
    const whole = await readFile(path);
    const lastFrame = frameOf([rowOf(2)], USAGE_ROW_VERSION).length;
    for (let cut = 1; cut <= lastFrame; cut++) {
      await writeFile(path, whole.subarray(0, whole.length - cut));
      const damage: string[] = [];
      const again = await open({ onDamage: (message) => damage.push(message) });
      expect(damage.length).toBe(cut === lastFrame ? 0 : 1);
      await again.append(framed(['[9]']));
      await again.close();
      const third = await open({ onDamage: (message) => expect.fail(message) });
      expect(await drain(third)).toEqual([rowOf(0), rowOf(1), '[9]']);
      await third.close();
    }
  });

  test('garbage behind the last frame is cut off, wherever a header may seem to be', async () => {
    const spool = await open();
    await spool.append(framed([rowOf(1)]));
    await spool.close();
    const path = join(directory, (await segments())[0]!);
    const torn = frameOf([rowOf(2)], USAGE_ROW_VERSION);
    torn[torn.length - 1]! ^= 1;
    await appendFile(path, torn);
    const again = await open();
    expect(await drain(again)).toEqual([rowOf(1)]);
    await again.close();
  });

  test.each(['the first byte', 'a length', 'the payload'])(
    'damage in %s of a frame costs that frame only, also in the last segment, and the file is kept for a look',
    async (where) => {
      const spool = await open();
      for (let number = 0; number < 5; number++) await spool.append(framed([rowOf(number)]));
      await spool.close();
      const [name] = await segments();
      const path = join(directory, name!);
      const bytes = await readFile(path);
      const second = frameOf([rowOf(0)], USAGE_ROW_VERSION).length;
      bytes[second + { 'the first byte': 0, 'a length': 6, 'the payload': 14 }[where]!]! ^= 0x41;
      await writeFile(path, bytes);
      const damage: string[] = [];
      const again = await open({ onDamage: (message) => damage.push(message) });
      await again.append(framed(['[9]']));
      expect(await drain(again, 1)).toEqual([rowOf(0), rowOf(2), rowOf(3), rowOf(4), '[9]']);
      expect(damage).toEqual([expect.stringMatching(/bytes \d+ to \d+ are no whole frame/)]);
      expect(await segments()).toEqual([`${name!}.damaged`]);
      await again.close();
    },
  );

  test('what turns bad while it is open costs that frame only', async () => {
    const damage: string[] = [];
    const spool = await open({ onDamage: (message) => damage.push(message) });
    for (let number = 0; number < 3; number++) await spool.append(framed([rowOf(number)]));
    const path = join(directory, (await segments())[0]!);
    const bytes = await readFile(path);
    bytes[frameOf([rowOf(0)], USAGE_ROW_VERSION).length + 14]! ^= 1;
    await writeFile(path, bytes);
    expect(await drain(spool, 1)).toEqual([rowOf(0), rowOf(2)]);
    expect(damage).toEqual([expect.stringMatching(/cannot be read back/)]);
    await spool.close();
  });

  test('a damaged segment in the middle gives its whole frames, is kept for a look, and does not stop the next', async () => {
    const spool = await open({ segmentBytesMax: 1 });
    for (let number = 0; number < 3; number++) await spool.append(framed([rowOf(number)]));
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

  test('what was dropped is not given again by the next process, however much is left', async () => {
    const rows = Array.from({ length: 1_000 }, (_, number) => rowOf(number));
    const first = await open({ segmentBytesMax: 4_000 });
    for (let at = 0; at < rows.length; at += 8) await first.append(framed(rows.slice(at, at + 8)));
    await first.close();
    const read: string[] = [];
    for (;;) {
      const spool = await open({ segmentBytesMax: 4_000 });
      const chunk = await spool.peek(3_000);
      if (chunk !== null) await spool.drop(chunk.end);
      await spool.close();
      if (chunk === null) break;
      read.push(...chunk.rows);
    }
    expect(read).toEqual(rows);
    expect(await filesIn(directory)).toEqual([]);
  });

  test.each([
    ['that is cut', (line: string) => line.slice(0, -3)],
    ['of another spool', () => '000000000009 000000000100 00000000\n'],
    ['with a wrong digit', (line: string) => line.replace(/1/, '2')],
    ['that is empty', () => ''],
  ])('a position %s counts as none: rows may come again, none is lost', async (_, damage) => {
    const spool = await open();
    for (let number = 0; number < 10; number++) await spool.append(framed([rowOf(number)]));
    await spool.drop((await spool.peek(1))!.end);
    await spool.close();
    const path = join(directory, 'position');
    await writeFile(path, damage(await readFile(path, 'utf8')));
    const again = await open();
    expect(await drain(again)).toEqual(Array.from({ length: 10 }, (_each, number) => rowOf(number)));
    await again.close();
  });

  test('the position of rows that are gone says nothing about later ones', async () => {
    const spool = await open();
    await spool.append(framed([rowOf(1), rowOf(2)]));
    const chunk = (await spool.peek(1))!;
    await spool.append(framed([rowOf(3)]));
    await spool.drop(chunk.end);
    await spool.close();
    await rm(join(directory, (await segments())[0]!));
    const later = await open();
    await later.append(framed([rowOf(4)]));
    await later.close();
    const last = await open();
    expect(await drain(last)).toEqual([rowOf(4)]);
    await last.close();
  });

  test('a replay that is killed at any moment gives again at most the part it was at', async () => {
    const reader = new URL('../testing/spool-reader.ts', import.meta.url).pathname;
    const spool = await open({ segmentBytesMax: 8_000 });
    const rows = Array.from({ length: 3_000 }, (_, number) => rowOf(number));
    for (let at = 0; at < rows.length; at += 10) await spool.append(framed(rows.slice(at, at + 10)));
    await spool.close();
    for (const killAfterParts of [1, 17, 60]) {
      const child = spawn(process.execPath, [reader, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (part: Buffer) => {
        output += part.toString();
        if (output.split('\n').length > killAfterParts) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const printed = output.trim().split('\n').map(Number);
      const again = await open();
      const chunk = await again.peek(1);
      await again.close();
      // It may have come to the end before the signal arrived.
      const next = chunk === null ? 3_000 : (JSON.parse(chunk.rows[0]!) as [number])[0];
      expect(next).toBeGreaterThan(printed.at(-1)!);
    }
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

describe('one process at a time', () => {
  test('a second one is told so and changes nothing', async () => {
    const spool = await open();
    await spool.append(framed([rowOf(1)]));
    await expect(open()).rejects.toThrow(SpoolInUseError);
    await expect(open()).rejects.toThrow(
      `The spool directory ${directory} is in use by another ingest: stop that one, or set SPOOL_DIR`,
    );
    await spool.append(framed([rowOf(2)]));
    expect(await drain(spool)).toEqual([rowOf(1), rowOf(2)]);
    await spool.close();
    const next = await open();
    await next.close();
  });

  test('the directory of a process that was killed is free at once', async () => {
    const writer = new URL('../testing/spool-writer.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(open()).rejects.toThrow(SpoolInUseError);
    child.kill('SIGSTOP');
    await expect(open()).rejects.toThrow(SpoolInUseError);
    child.kill('SIGKILL');
    await once(child, 'close');
    const spool = await open();
    expect(spool.hasUnread).toBe(true);
    await spool.close();
  });

  test('a lock that cannot be had is explained', async () => {
    await mkdir(join(directory, 'lock'));
    await expect(open()).rejects.toThrow(/^The spool directory .* cannot be locked \(.*\): set SPOOL_DIR to/);
  });

  test('a directory that could not be opened is left free', async () => {
    await mkdir(join(directory, '000000000001.rows'));
    await expect(open()).rejects.toThrow(/EISDIR/);
    await rm(join(directory, '000000000001.rows'), { recursive: true });
    await (await open()).close();
  });
});
