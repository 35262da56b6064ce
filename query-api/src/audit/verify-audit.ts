import { readFile } from 'node:fs/promises';
import { proofOf } from '../exports/check.ts';
import { openDatabase } from '../registry/database.ts';
import { verifyAudit } from './verify.ts';

/** Checks the trail in the database of DATABASE_URL; arguments are receipts and evidence that were kept outside. 0: it holds, 1: not, 2: unread. */
try {
  const url = process.env['DATABASE_URL'];
  if (url === undefined) throw new Error('set DATABASE_URL to the registry’s database');
  const proofs = await Promise.all(process.argv.slice(2).map(async (path) => proofOf(await readFile(path, 'utf8'))));
  const database = await openDatabase(url);
  const { holds, rows, head, broken } = await verifyAudit(
    database.db,
    Date.now(),
    proofs.flatMap(({ receipt, evidence }) => [
      receipt.chain_head,
      ...(evidence === null ? [] : [evidence.chain_head]),
    ]),
  );
  await database.close();
  if (holds) console.log(`The audit trail holds: ${rows} rows, the last one with hash ${head.hash}.`);
  else {
    console.error(`The audit trail is BROKEN at row ${broken!.seq}: ${broken!.reason}.`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`The audit trail can't be read: ${(error as Error).message}`);
  process.exitCode = 2;
}
