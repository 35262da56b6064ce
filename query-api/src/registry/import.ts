import { parse } from 'csv-parse/sync';
import type { z } from 'zod';
import { credentialCreateSchema, IMPORT_COLUMNS, IMPORT_LINES_MAX } from '../../contract/index.ts';
import type { CredentialImported, credentialImportSchema } from '../../contract/index.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import { addInChange } from './add.ts';
import { answerOf, countDecided, readOpenOn } from './answers.ts';
import type { OpenFinding } from './answers.ts';
import { draftCredential } from './draft.ts';
import type { CredentialDraft } from './draft.ts';
import { isWeaklyGoverned } from './record.ts';
import type { CredentialRow } from './record.ts';
import { openBefore } from './register.ts';
import type { RegisterParts } from './register.ts';
import { change } from './registry.ts';
import { snapshotOf } from './view.ts';
import type { RegistrySnapshot } from './view.ts';

type Line = CredentialImported['items'][number];
/** A line that can be registered. */
interface Wanted {
  line: Line;
  draft: CredentialDraft;
}

/** Cells that hold several values. */
const LISTS = new Set(['allowed_cidrs', 'expected_agents', 'expected_repos']);
/** Keys that one change registers: other changes wait for it. */
const KEYS_PER_CHANGE = 200;

/**
 * Registers keys that exist already, from CSV. A bad line is told with its reason and stops no other; a key that is in the registry
 * stays as it is.
 * @param snapshot the registry now: it says what is there
 * @returns also the last outbox row, 0 when nothing was written
 * @throws {ProblemError} for a text that is no CSV with the right columns; a raw key anywhere refuses all of it
 */
export async function importCredentials(
  parts: RegisterParts & { snapshot: RegistrySnapshot },
  input: z.output<typeof credentialImportSchema>,
  actor: string,
): Promise<Omit<CredentialImported, 'published'> & { outboxId: number }> {
  const records = recordsOf(input.csv);
  const seen = new Set<string>();
  const wanted: Wanted[] = [];
  const items = records.map(({ cells, line }) => {
    const read = lineOf(cells, line, parts, actor);
    if (read.draft === null) return read.line;
    const { row } = read.draft;
    const there = presentIn(parts.snapshot, row);
    if (there !== null)
      return {
        ...read.line,
        outcome: 'present' as const,
        credential_id: there.id,
        weakly_governed: isWeaklyGoverned(there),
      };
    if (seen.has(row.record_key))
      return bad(read.line, [{ path: '', message: 'names the same key as a line before it' }]);
    seen.add(row.record_key);
    wanted.push({ line: read.line, draft: read.draft });
    // Of a dry run nothing is there afterwards that could be looked up.
    return input.dry_run ? { ...read.line, credential_id: '' } : read.line;
  });
  const written = input.dry_run ? { outboxId: 0, findingsResolved: 0 } : await registerAll(parts, wanted);
  const count = (outcome: Line['outcome']): number => items.filter((item) => item.outcome === outcome).length;
  return {
    dry_run: input.dry_run,
    totals: {
      lines: items.length,
      registered: count('registered'),
      present: count('present'),
      bad: count('bad'),
      weakly_governed: items.filter((item) => item.outcome === 'registered' && item.weakly_governed).length,
    },
    items,
    findings_resolved: written.findingsResolved,
    outboxId: written.outboxId,
  };
}

function recordsOf(csv: string): { cells: Record<string, string>; line: number }[] {
  if (holdsRawKey(csv)) {
    throw new ProblemError(
      'raw_key',
      'A cell looks like a raw key. Hash keys where they lie and send their SHA-256 and masked form. Nothing was stored.',
      [{ path: 'csv', message: 'holds what looks like a raw key' }],
    );
  }
  let rows: { record: string[]; info: { lines: number } }[];
  try {
    // With `info` each row comes with its place, which the library's types do not say.
    rows = parse(csv, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof rows;
  } catch {
    throw fieldProblem('csv', 'is no CSV: check that every quote that is opened is closed');
  }
  const [head, ...body] = rows;
  const columns = head?.record ?? [];
  const unknown = columns.filter((column) => !(IMPORT_COLUMNS as readonly string[]).includes(column));
  if (unknown.length > 0 || new Set(columns).size < columns.length || !columns.includes('name')) {
    throw fieldProblem(
      'csv',
      `must begin with a line of column names, name and others of ${IMPORT_COLUMNS.join(', ')}, each once`,
    );
  }
  if (body.length > IMPORT_LINES_MAX) throw fieldProblem('csv', `must have at most ${IMPORT_LINES_MAX} lines`);
  return body.map(({ record, info }) => {
    const cells = columns.map((column, index) => [column, record[index] ?? ''] as const);
    const extra = record.length > columns.length ? [['', 'extra'] as const] : [];
    return { cells: Object.fromEntries([...cells, ...extra]), line: info.lines };
  });
}

const bad = (line: Line, errors: FieldError[]): Line => {
  return { ...line, outcome: 'bad', credential_id: '', weakly_governed: false, errors };
};

function lineOf(
  cells: Record<string, string>,
  number: number,
  parts: RegisterParts,
  actor: string,
): { line: Line; draft: CredentialDraft | null } {
  const line: Line = {
    line: number,
    outcome: 'registered',
    name: cells['name']?.slice(0, 200) ?? '',
    ...{ hint: '', fingerprint: '', credential_id: '', weakly_governed: false, errors: [] },
  };
  if ('' in cells)
    return { line: bad(line, [{ path: '', message: 'has more cells than there are columns' }]), draft: null };
  const parsed = credentialCreateSchema.strict().safeParse(requestOf(cells));
  if (!parsed.success) {
    const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    return { line: bad(line, errors), draft: null };
  }
  try {
    const draft = draftCredential(parsed.data, actor, parts.nowMs, parts.modules);
    const { hint, fingerprint, id } = draft.row;
    const named = { ...line, hint, fingerprint, credential_id: id, weakly_governed: isWeaklyGoverned(draft.row) };
    return { line: named, draft };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { line: bad(line, error.errors), draft: null };
  }
}

/** The request that a line stands for. An empty cell is one that is not there. */
function requestOf(cells: Record<string, string>): Record<string, unknown> {
  const given = Object.entries(cells).filter(([, value]) => value !== '');
  const { budget_usd: amount, budget_period: period, people_declared: people, ...plain } = Object.fromEntries(given);
  const fields = Object.entries(plain).map(([column, value]) => [
    column,
    LISTS.has(column) ? value.split(/[;\s]+/).filter((part) => part !== '') : value,
  ]);
  return {
    ...(Object.fromEntries(fields) as Record<string, unknown>),
    ...(people === undefined ? {} : { people_declared: Number(people) }),
    ...(amount === undefined && period === undefined
      ? {}
      : { budget: { amount_usd: amount, period: period ?? 'month' } }),
  };
}

function presentIn({ byFingerprint, byHint }: RegistrySnapshot, row: CredentialRow): CredentialRow | null {
  if (row.fingerprint !== '') return byFingerprint.get(row.fingerprint) ?? null;
  return byHint.get(row.hint)?.find(({ record_key: key }) => key === row.record_key) ?? null;
}

/** Open findings that each of some keys could answer. Keys with a fingerprint are asked about together. */
async function openBeforeAll(parts: RegisterParts, wanted: readonly Wanted[]): Promise<OpenFinding[][]> {
  const fingerprints = wanted.flatMap(({ draft }) => (draft.row.fingerprint === '' ? [] : [draft.row.fingerprint]));
  const byLane = Map.groupBy(
    await readOpenOn(parts.store, parts.db, { fingerprints, hint: '', org: '' }).catch((error: unknown) => {
      parts.onFault(error);
      return [];
    }),
    ({ lane }) => lane,
  );
  const open: OpenFinding[][] = [];
  for (const { draft } of wanted) {
    const { fingerprint } = draft.row;
    open.push(fingerprint === '' ? await openBefore(parts, draft.row) : (byLane.get(fingerprint) ?? []));
  }
  return open;
}

async function registerAll(
  parts: RegisterParts,
  wanted: readonly Wanted[],
): Promise<{ outboxId: number; findingsResolved: number }> {
  let outboxId = 0;
  let findingsResolved = 0;
  for (let from = 0; from < wanted.length; from += KEYS_PER_CHANGE) {
    const some = wanted.slice(from, from + KEYS_PER_CHANGE);
    const open = await openBeforeAll(parts, some);
    await change(parts.db, async (transaction) => {
      for (const [index, { draft }] of some.entries()) {
        const added = await addInChange(transaction, draft, (sameHint) => {
          const others = sameHint.filter(({ id }) => id !== draft.row.id);
          const answer = answerOf(draft.row, snapshotOf(0, [...others, draft.row]), open[index]!, parts.nowMs);
          findingsResolved += countDecided(open[index]!, answer, 'resolved');
          return answer;
        });
        outboxId = added.outboxId;
      }
    });
  }
  return { outboxId, findingsResolved };
}
