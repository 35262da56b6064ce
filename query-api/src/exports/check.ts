import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { auditItemSchema, evidenceSchema, exportReceiptSchema } from '../../contract/index.ts';
import type { Evidence, ExportReceipt, Signature } from '../../contract/index.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import { entryOf, hashOf } from '../audit/chain.ts';
import { rowCountOf } from './row-count.ts';

/** What is kept beside an exported file: its receipt alone, or evidence with the receipt in it. */
export interface Proof {
  receipt: ExportReceipt;
  evidence: Evidence | null;
}

/** Reads a receipt or evidence. @throws {Error} for text that is neither */
export function proofOf(text: string): Proof {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('what should be the receipt or evidence is no JSON');
  }
  const evidence = evidenceSchema.safeParse(value);
  if (evidence.success) return { receipt: evidence.data.receipt, evidence: evidence.data };
  const receipt = exportReceiptSchema.safeParse(value);
  if (receipt.success) return { receipt: receipt.data, evidence: null };
  const { path, message } = receipt.error.issues[0]!;
  throw new Error(`what should be the receipt or evidence is neither: ${path.join('.')} ${message}`);
}

/**
 * Compares a file with its receipt, with nothing but the two.
 * @returns what is wrong, a sentence each; empty when the file is the one that was exported
 */
export async function checkExport(path: string, { receipt, evidence }: Proof): Promise<string[]> {
  const wrong: string[] = [];
  const hash = createHash('sha256');
  const count = rowCountOf(receipt.format);
  let bytes = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    count.add(chunk);
    bytes += chunk.length;
  }
  const sha256 = hash.digest('hex');
  if (bytes !== receipt.bytes) wrong.push(`The file has ${bytes} bytes; the receipt says ${receipt.bytes}.`);
  if (sha256 !== receipt.sha256) wrong.push(`The file's SHA-256 is ${sha256}; the receipt says ${receipt.sha256}.`);
  const rows = rowsOf(count);
  if (rows !== receipt.rows) wrong.push(`The file has ${rows ?? 'unreadable'} rows; the receipt says ${receipt.rows}.`);
  if (!isSigned(receipt)) wrong.push('The receipt is not as it was signed.');
  if (evidence !== null && !isSigned(evidence)) wrong.push('The evidence is not as it was signed.');
  if (wrong.length === 0 && receipt.what === 'audit' && receipt.format === 'json') {
    wrong.push(...(await checkTrail(path, receipt)));
  }
  return wrong;
}

/** Whether a file lies under the name that its receipt gives it. */
export const isNamedSo = (path: string, receipt: ExportReceipt): boolean => basename(path) === receipt.file_name;

function rowsOf(count: { rows(): number }): number | null {
  try {
    return count.rows();
  } catch {
    return null;
  }
}

/** True for one without a signature: that it has none is said beside the result. */
function isSigned({ signature, ...unsigned }: { signature: Signature | null }): boolean {
  if (signature === null) return true;
  const der = Buffer.from(signature.public_key, 'base64');
  if (createHash('sha256').update(der).digest('hex').slice(0, 16) !== signature.key_id) return false;
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, Buffer.from(canonicalJson(unsigned)), key, Buffer.from(signature.value, 'base64'));
}

/** Rows of the trail hash to what they say, newest first; where nothing was filtered out each continues the next one. */
async function checkTrail(path: string, receipt: ExportReceipt): Promise<string[]> {
  const isWhole = Object.keys(receipt.filters).length === 0;
  let previous: string | null = null;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const item = auditItemSchema.parse(JSON.parse(line));
    if (hashOf(entryOf(item)) !== item.hash) return [`Row ${item.seq} of the trail was changed.`];
    if (isWhole && previous !== null && previous !== item.hash) return [`A row after row ${item.seq} is not its next.`];
    previous = item.previous;
  }
  return [];
}
