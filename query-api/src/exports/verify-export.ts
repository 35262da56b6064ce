import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkExport, isNamedSo, proofOf } from './check.ts';

/** `npm run verify-export -- FILE RECEIPT`: 0 when the file is the one that was exported, 1 when not, 2 for a wrong call. */
// npm runs in the repository's folder and names the one that the person is in.
const [path, receiptPath] = process.argv.slice(2).map((given) => resolve(process.env['INIT_CWD'] ?? '.', given));
if (path === undefined || receiptPath === undefined) {
  console.error('npm run verify-export -- FILE RECEIPT: name the exported file, and its receipt or evidence.');
  process.exitCode = 2;
} else {
  try {
    const proof = proofOf(await readFile(receiptPath, 'utf8'));
    const { receipt, evidence } = proof;
    const wrong = await checkExport(path, proof);
    for (const sentence of wrong) console.error(sentence);
    if (wrong.length > 0) {
      console.error('REFUSED: this is not what was exported.');
      process.exitCode = 1;
    } else {
      const { rows, from, to, chain_head: head, signature } = receipt;
      console.log(`Verified: ${rows} rows, ${from ?? 'the beginning'} to ${to}, as exported by ${receipt.made_by}.`);
      if (evidence !== null) {
        console.log(`Evidence ${evidence.id}: ${evidence.runs_total} runs, captured by ${evidence.captured_by}.`);
      }
      console.log(`The audit trail stood at row ${head.seq} with hash ${head.hash}.`);
      console.log(
        signature === null
          ? 'The receipt is not signed: key signing was not set up.'
          : `Signed by key ${signature.key_id}: compare it with the one that Lanewatch shows under Exports.`,
      );
      if (!isNamedSo(path, receipt)) console.log(`It was exported under the name ${receipt.file_name}.`);
    }
  } catch (error) {
    console.error(`It can't be verified: ${(error as Error).message}`);
    process.exitCode = 2;
  }
}
