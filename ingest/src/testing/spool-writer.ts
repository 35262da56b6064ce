/** A process to be killed: appends numbered rows to the spool in argv[2] and prints each number once it is confirmed. */
import { openSpool } from '../publish/spool.ts';

const spool = await openSpool({ directory: process.argv[2]!, bytesMax: 1e9, segmentBytesMax: 4_096 });
for (let number = 0; ; number++) {
  await spool.append({ rows: [`[${number},"${'x'.repeat(number % 700)}"]`], version: '1' });
  process.stdout.write(`${number}\n`);
}
