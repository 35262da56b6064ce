/** A process to be killed: reads the spool in argv[2] in small parts and prints the last number of each part once it is dropped. */
import { openSpool } from '../publish/spool.ts';

const spool = await openSpool({ directory: process.argv[2]!, bytesMax: 1e9 });
for (let chunk = await spool.peek(1_000); chunk !== null; chunk = await spool.peek(1_000)) {
  await spool.drop(chunk.end);
  process.stdout.write(`${(JSON.parse(chunk.rows.at(-1)!) as [number])[0]}\n`);
}
