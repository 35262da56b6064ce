import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordRefusedError } from './errors.ts';
import { murmur2, partitionForKey, placementIn } from './partition.ts';

describe('partition of a key', () => {
  // Kafka's own vectors: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j as Kafka does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it("agrees with kafkajs' Java-compatible partitioner on any key", () => {
    const kafkajs = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs');
    const partitioner = kafkajs.Partitioners.JavaCompatiblePartitioner();
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 200 }),
        (key, partitions) => {
          const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
            partitionErrorCode: 0,
            partitionId,
            leader: 1,
            replicas: [1],
            isr: [1],
          }));
          expect(partitionForKey(key, partitions)).toBe(
            partitioner({ topic: 't', partitionMetadata, message: { key, value: null } }),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('where the records of one call go', () => {
  it('by the named partition, else by the key, and without a key together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.string(), fc.nat(), (partitions, key, number) => {
        const partitionOf = placementIn('t', partitions);
        const named = number % partitions;
        expect(partitionOf({ key, partition: named })).toBe(named);
        expect(partitionOf({ key })).toBe(partitionForKey(key, partitions));
        const keyless = partitionOf({ key: null });
        expect(keyless).toBeGreaterThanOrEqual(0);
        expect(keyless).toBeLessThan(partitions);
        expect(partitionOf({ key: null })).toBe(keyless);
      }),
    );
  });

  it.each([-1, 3, NaN])('partition %s of three is refused', (partition) => {
    expect(() => placementIn('t', 3)({ key: null, partition })).toThrow(RecordRefusedError);
  });
});
