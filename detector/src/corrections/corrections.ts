import { entryOf, joinsOf, refOf, REFS_MAX, refText, reversalOf, type Report, type ReportRef } from './correction.ts';
import { bestOf } from './merge.ts';
import { APART_MS_MAX, areApart, areOfTwoKeys, likeness } from './same-request.ts';

/** What is to be entered first, and taken back once that is certain to be stored. */
export interface Corrections {
  entries: Report[];
  reversals: Report[];
}

/** What counts as one request at present: a report, or the entry of several. */
interface Request {
  /** Reports and entries that count. */
  live: Report[];
  refs: ReportRef[];
  /** Who has reported it: nobody reports a request twice. */
  reporters: Set<string>;
}

/**
 * Which corrections rows still need so that each request counts once. A function of the rows alone: with what it says stored it says nothing
 * more, with a part of that stored it says the rest, so that whoever runs it may end at any moment. Pure.
 * @param rows of one stretch of time, corrections among them
 */
export function correctionsOf(rows: readonly Report[]): Corrections {
  const byRef = new Map(rows.map((row) => [refText(refOf(row)), row]));
  const requests = joined(requestsOf(rows, byRef));
  const entries: Report[] = [];
  const reversals: Report[] = [];
  for (const { live, refs } of requests) {
    // Of more than a correction holds the entry would be refused.
    if (live.length < 2 || refs.length > REFS_MAX) continue;
    // What is taken back stays so, also when more of the request shows before that does. So only an entry of all its reports may stay: whoever
    // took that back had entered more before.
    const kept = live.find((report) => joinsOf(report).length === refs.length);
    const entry = kept ?? entryOf(bestOf(reportsOf(live, refs, byRef)), refs);
    if (kept === undefined) entries.push(entry);
    for (const report of live)
      if (report !== kept) reversals.push(reversalOf(report, refs, areOfTwoKeys(report, entry)));
  }
  return { entries, reversals };
}

/** The reports themselves where all are at hand, so that it is the same which of them were joined first; else what counts of them. */
function reportsOf(live: Report[], refs: readonly ReportRef[], byRef: ReadonlyMap<string, Report>): Report[] {
  const reports = refs.flatMap((ref) => byRef.get(refText(ref)) ?? []);
  return reports.length === refs.length ? reports : live;
}

/** Everything that counts, by time, what shares a report already together: an entry and a report that it was made of. */
function requestsOf(rows: readonly Report[], byRef: ReadonlyMap<string, Report>): Request[] {
  const takenBack = new Set(rows.flatMap((row) => (row.calls < 0 ? joinsOf(row).slice(0, 1).map(refText) : [])));
  const requests = new Map<string, Request>();
  const sorted = rows
    .filter((row) => row.calls > 0 && !takenBack.has(refText(refOf(row))))
    .toSorted((left, right) => left.time - right.time || (refText(refOf(left)) < refText(refOf(right)) ? -1 : 1));
  for (const row of sorted) {
    const refs = row.joins === '' ? [refOf(row)] : joinsOf(row);
    const reporters = new Set(refs.map((ref) => reporterOf(byRef.get(refText(ref)) ?? row)));
    const request: Request = { live: [row], refs, reporters };
    for (const ref of refs) {
      const other = requests.get(refText(ref));
      if (other !== undefined) absorb(request, other);
    }
    for (const ref of request.refs) requests.set(refText(ref), request);
  }
  return [...new Set(requests.values())].sort((left, right) => left.live[0]!.time - right.live[0]!.time);
}

/** A request may pass several proxies, and stand in several logs of its provider; the other kinds report it once. */
const reporterOf = ({ reporter, source }: Report): string =>
  reporter === 'proxy' || reporter === 'import' ? `${reporter} ${source}` : reporter;

function absorb(request: Request, other: Request): void {
  if (request === other) return;
  const known = new Set(request.refs.map(refText));
  request.live = [...new Set([...request.live, ...other.live])];
  request.refs = [...request.refs, ...other.refs.filter((ref) => !known.has(refText(ref)))];
  request.reporters = request.reporters.union(other.reporters);
}

/** Joins requests of different reporters while there are two alike, the surest pair first, each with one other at a time. */
function joined(requests: Request[]): Request[] {
  for (;;) {
    const pairs = pairsOf(requests);
    if (pairs.length === 0) return requests;
    const taken = new Set<Request>();
    for (const { left, right } of pairs) {
      if (taken.has(left) || taken.has(right)) continue;
      taken.add(left).add(right);
      absorb(left, right);
      requests = requests.filter((request) => request !== right);
    }
  }
}

interface Pair {
  left: Request;
  right: Request;
  likeness: number;
}

function pairsOf(requests: readonly Request[]): Pair[] {
  const pairs: Pair[] = [];
  for (const bucket of bucketsOf(requests))
    for (const [at, left] of bucket.entries())
      for (let next = at + 1; next < bucket.length; next++) {
        const right = bucket[next]!;
        if (right.live[0]!.time - left.live[0]!.time > APART_MS_MAX) break;
        if (!left.reporters.isDisjointFrom(right.reporters) || left.refs.length + right.refs.length > REFS_MAX)
          continue;
        const found = likenessOf(left, right);
        if (found !== null) pairs.push({ left, right, likeness: found });
      }
  return pairs.sort(
    (one, other) =>
      one.likeness - other.likeness ||
      one.left.live[0]!.time - other.left.live[0]!.time ||
      one.right.live[0]!.time - other.right.live[0]!.time,
  );
}

/** Requests that may be one, in order of time: only those with something in common are compared. */
function bucketsOf(requests: readonly Request[]): Request[][] {
  const buckets = new Map<string, Request[]>();
  for (const request of requests)
    for (const key of new Set(request.live.flatMap(keysOf))) {
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, [request]);
      else bucket.push(request);
    }
  return [...buckets.values()].filter(({ length }) => length > 1);
}

function keysOf({ request_id, response_id, session, agent, ip, tokens_output }: Report): string[] {
  return [
    ...(request_id === '' ? [] : [`request ${request_id}`]),
    ...(response_id === '' ? [] : [`response ${response_id}`]),
    ...(session === '' ? [] : [`session ${session}`]),
    ...(agent === '' || tokens_output === 0 ? [] : [`alike ${JSON.stringify([agent, ip, tokens_output])}`]),
  ];
}

/**
 * The surest likeness of two of their reports, unless any two can't be of one request. Where they name two keys, two that do must themselves
 * be alike: what a report without a key has in common with both says nothing about that.
 */
function likenessOf(left: Request, right: Request): number | null {
  let least: number | null = null;
  let leastOfTwoKeys: number | null = null;
  let areTwoKeys = false;
  for (const one of left.live)
    for (const other of right.live) {
      if (areApart(one, other)) return null;
      const found = likeness(one, other);
      if (found !== null && (least === null || found < least)) least = found;
      if (!areOfTwoKeys(one, other)) continue;
      areTwoKeys = true;
      if (found !== null && (leastOfTwoKeys === null || found < leastOfTwoKeys)) leastOfTwoKeys = found;
    }
  return areTwoKeys ? leastOfTwoKeys : least;
}
