import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AUDIT_SUBJECTS, instantSchema } from '../../contract/index.ts';
import type { AuditItem, ChainHead } from '../../contract/index.ts';
import { canonicalJson } from './canonical-json.ts';

/** The place before the first row. */
export const CHAIN_START: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** The hashed content of a row. */
const contentShape = z.strictObject({
  seq: z.number().int().min(1),
  at: instantSchema,
  actor: z.string(),
  action: z.string(),
  subject: z.strictObject({ kind: z.enum(AUDIT_SUBJECTS), id: z.string() }),
  credential_id: z.string(),
  detail: z.string(),
  changes: z.array(z.strictObject({ field: z.string(), before: z.unknown(), after: z.unknown() })),
  previous: z.string(),
});
type AuditContent = Omit<AuditItem, 'hash'>;

/** A row as it is stored. */
export interface StoredEntry {
  seq: number;
  entry: string;
  hash: string;
}

export const hashOf = (entry: string): string => createHash('sha256').update(entry, 'utf8').digest('hex');

/** Makes the row that comes after `head`. */
export function sealed(content: Omit<AuditContent, 'seq' | 'previous'>, head: ChainHead): StoredEntry {
  const seq = head.seq + 1;
  const entry = canonicalJson({ ...content, seq, previous: head.hash });
  return { seq, entry, hash: hashOf(entry) };
}

/** A stored row as readers see it. Throws when its text is none that was ever written. */
export function itemOf({ entry, hash }: Pick<StoredEntry, 'entry' | 'hash'>): AuditItem {
  return { ...(contentShape.parse(JSON.parse(entry)) as AuditContent), hash };
}

/** The hashed text of an item, as an export holds it. */
export const entryOf = ({ hash: _hash, ...content }: AuditItem): string => canonicalJson(content);

/** What is wrong with a trail: the row it shows at, and how. */
export interface Break {
  seq: number;
  reason: string;
}

/** Follows rows in their order, and keeps nothing but the place it is at. */
export interface ChainWalk {
  /** The next row; what is wrong with it, or null. After a break nothing more is to be given. */
  next(row: StoredEntry): Break | null;
  /** After the last row: places that somebody has written down and that it did not come to, or null. */
  end(): Break | null;
  readonly head: ChainHead;
}

/**
 * Checks a trail from its start.
 * @param known places of it that are written down elsewhere, such as on receipts
 */
export function walkChain(known: readonly ChainHead[]): ChainWalk {
  const heads = known.filter(({ seq }) => seq > 0).toSorted((one, other) => one.seq - other.seq);
  let passed = 0;
  let head = CHAIN_START;
  return {
    get head() {
      return head;
    },
    next(row) {
      const found = faultOf(row, head);
      if (found !== null) return found;
      head = { seq: row.seq, hash: row.hash };
      for (; heads[passed]?.seq === head.seq; passed += 1) {
        if (heads[passed]!.hash !== head.hash)
          return {
            seq: head.seq,
            reason: `row ${head.seq} is another one than a receipt or the stored head says: it and what follows were written anew`,
          };
      }
      return null;
    },
    end() {
      const missed = heads.at(-1);
      if (missed === undefined || missed.seq <= head.seq) return null;
      return {
        seq: head.seq + 1,
        reason: `row ${head.seq + 1} is missing: the trail ends at ${head.seq}, and a receipt or the stored head knows row ${missed.seq}`,
      };
    },
  };
}

function faultOf({ seq, entry, hash }: StoredEntry, head: ChainHead): Break | null {
  const expected = head.seq + 1;
  if (seq !== expected)
    return { seq: expected, reason: `row ${expected} is missing: row ${seq} comes after row ${head.seq}` };
  if (hashOf(entry) !== hash) return { seq, reason: `row ${seq} was changed: its hash is not that of its content` };
  const content = contentShape.safeParse(parsed(entry));
  if (!content.success) return { seq, reason: `row ${seq} was not written by Lanewatch: its content has another form` };
  if (content.data.seq !== seq)
    return { seq, reason: `row ${seq} stands in another's place: it was written as row ${content.data.seq}` };
  if (content.data.previous !== head.hash)
    return {
      seq,
      reason: `row ${seq} does not continue row ${head.seq}: one of the two was changed, inserted or moved`,
    };
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
