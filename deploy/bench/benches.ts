import { acceptance } from './acceptance.ts';
import type { Bench } from './bench.ts';
import { bombs } from './bombs.ts';
import { engineInsert } from './engine-insert.ts';
import { laneMemory, ruleMemory } from './lane-memory.ts';
import { formats } from './formats.ts';
import { latency } from './latency.ts';
import { allRules, detection, packedPath, path } from './path.ts';
import { policies } from './policies.ts';
import { proxy } from './proxy.ts';
import { producer } from './producer.ts';
import { reads } from './reads/reads.ts';
import { verify } from './verify.ts';

/** Every bench, in the order of the table. The next one is a file and a line. */
export const benches: Bench[] = [
  path,
  packedPath,
  detection,
  allRules,
  producer,
  acceptance,
  formats,
  engineInsert,
  latency,
  laneMemory,
  ruleMemory,
  reads,
  proxy,
  verify,
  policies,
  bombs,
];
