import type { Bench } from './bench.ts';
import { detection, packedPath, path } from './path.ts';

/** Every bench, in the order of the table. The next one is a file and a line. */
export const benches: Bench[] = [path, packedPath, detection];
