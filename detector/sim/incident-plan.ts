import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { IncidentKind, Label } from './label.ts';
import type { Holder, MakeKey, Organisation, Person } from './organisation.ts';
import type { Random } from './random.ts';
import type { MakeEvent, SimItem } from './traffic.ts';

/** An incident: its label, and what it adds to or takes from ordinary traffic. */
export interface Incident {
  label: Label;
  items: SimItem[];
  /** Ordinary items that it keeps from arriving. */
  loses?: (item: SimItem & { kind: 'event' }) => boolean;
  /** Keys that ordinary work goes on with while the registry says otherwise are kept from being rotated. */
  holder?: Holder;
}

/** What incidents are made from. */
export interface Stage {
  organisation: Organisation;
  random: Random;
  /** When the scored time begins and ends. */
  fromMs: number;
  toMs: number;
  make: MakeEvent;
  makeKey: MakeKey;
  /** A holder of this kind that no other incident has. */
  takeHolder(kind: Holder['kind'], isFit?: (holder: Holder) => boolean): Holder;
  takePerson(): Person;
  /** A working moment within the scored time, at least `marginMs` before its end. */
  workingMoment(person: Person, marginMs: number): number;
  /** Any moment of it. */
  moment(marginMs: number): number;
}

/** Makes one incident of a kind. */
export type MakeIncident = (stage: Stage) => Omit<Incident, 'label'> & { label: Omit<Label, 'id' | 'kind'> };
export type Incidents = Record<IncidentKind, { perFortnight: number; make: MakeIncident }>;

/** The label of what these items do on these lanes. */
export function labelOf(items: readonly SimItem[], rules: readonly string[], note: string): Omit<Label, 'id' | 'kind'> {
  const events = items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
  const times = events.map(({ time }) => time);
  return stateLabel(rules, note, {
    from: iso(times.reduce((least, time) => Math.min(least, time))),
    to: iso(times.reduce((most, time) => Math.max(most, time))),
    lanes: [...new Set(events.map(({ fingerprint }) => fingerprint))],
  });
}

/** The label of something that is so for a time, whatever events there are. */
export function stateLabel(
  rules: readonly string[],
  note: string,
  { from, to, lanes = [], collectors = [] }: Pick<Label, 'from' | 'to'> & Partial<Label>,
): Omit<Label, 'id' | 'kind'> {
  return { from, to, lanes, collectors, rules: [...rules], note };
}

/** The next version of a registry record, as an item of the stream. */
export function changed(
  record: CredentialRecord,
  atMs: number,
  fields: Partial<CredentialRecord>,
): SimItem & { kind: 'record' } {
  return { kind: 'record', atMs, record: { ...record, ...fields, version: record.version + 1 } };
}

export const iso = (ms: number) => new Date(ms).toISOString();
