import { SvelteSet } from 'svelte/reactivity';
import type { FindingItem, StreamTriage, TriageAnswer } from '@lanewatch/query-api/contract';
import {
  afterAct,
  changedBy,
  commentedWords,
  doneWords,
  undoOf,
  type CommentCommand,
  type TriageCommand,
} from '#lib/triage.ts';

/** How long an act can be taken back from where it was done. */
const TOAST_MS = 12_000;

/**
 * The queue as somebody works on it: what is shown, chosen and being done. Rows stay where they are when they change, by one's own
 * act or by somebody else's: the order is that of the last load.
 */
export class Queue {
  selected = new SvelteSet<string>();
  /** Row that keys act on; -1 before the first. */
  cursor = $state(-1);
  toast = $state<{ text: string; undo: TriageCommand[] } | null>(null);
  complaint = $state('');
  isBusy = $state(false);
  #changed = $state<Readonly<Record<string, FindingItem>>>({});
  #loaded: () => readonly FindingItem[];
  #toastTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(loaded: () => readonly FindingItem[]) {
    this.#loaded = loaded;
  }

  get items(): FindingItem[] {
    return this.#loaded().map((item) => this.#changed[item.id] ?? item);
  }

  /** Those that an act is about: what is chosen, else the row under the cursor. */
  get targets(): FindingItem[] {
    const { items } = this;
    if (this.selected.size > 0) return items.filter(({ id }) => this.selected.has(id));
    const under = items[this.cursor];
    return under === undefined ? [] : [under];
  }

  /** The page was loaded anew: what it shows now is what is true. */
  reset(): void {
    this.#changed = {};
    for (const id of this.selected) if (!this.#loaded().some((item) => item.id === id)) this.selected.delete(id);
  }

  toggle(id: string): void {
    if (!this.selected.delete(id)) this.selected.add(id);
  }

  /** Somebody else acted. */
  hear(act: StreamTriage): void {
    const item = this.items.find(({ id }) => id === act.finding_id);
    if (item !== undefined) this.#changed = { ...this.#changed, [item.id]: afterAct(item, act) };
  }

  /** Does an act on the targets. @returns whether it was done */
  async act(command: Omit<TriageCommand, 'ids' | 'versions'>): Promise<boolean> {
    const before = this.targets;
    const chosen = [...this.selected];
    if (before.length === 0) {
      this.complaint = 'Choose findings first: x chooses, j and k move.';
      return false;
    }
    const versions = Object.fromEntries(before.map(({ id, version }) => [id, version]));
    const whole = { ...command, ids: before.map(({ id }) => id), versions };
    const answer = await this.#send(whole);
    if (answer === null) return false;
    const done = changedBy(answer);
    this.complaint = refusals(answer);
    // What was chosen while the answer was on its way stays chosen.
    for (const id of chosen) this.selected.delete(id);
    this.#show({
      text: doneWords(whole, done.length),
      undo: undoOf(command, done),
    });
    return true;
  }

  /** Says the same about each of the targets; they stay chosen, because a comment decides nothing. */
  async comment(text: string): Promise<void> {
    const answer = await this.#send({ ids: this.targets.map(({ id }) => id), text });
    if (answer === null) return;
    this.complaint = refusals(answer);
    this.#show({ text: commentedWords(answer.done), undo: [] });
  }

  async undo(): Promise<void> {
    const commands = this.toast?.undo ?? [];
    this.toast = null;
    for (const command of commands) {
      const answer = await this.#send(command);
      if (answer === null) return;
      this.complaint = refusals(answer);
    }
    if (commands.length > 0) this.#show({ text: 'Undone.', undo: [] });
  }

  async #send(command: TriageCommand | CommentCommand): Promise<TriageAnswer | null> {
    this.isBusy = true;
    try {
      const response = await fetch('/findings/triage', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(command),
      });
      // A session that ended leads to the sign-in page.
      if (response.redirected) location.assign(response.url);
      const told = (await response.json()) as TriageAnswer | { complaint: string };
      if ('complaint' in told) {
        this.complaint = told.complaint;
        return null;
      }
      const items = told.items.flatMap(({ finding }) => (finding === null ? [] : [[finding.id, finding] as const]));
      this.#changed = { ...this.#changed, ...Object.fromEntries(items) };
      return told;
    } catch {
      this.complaint = 'It did not get through. Nothing may have been done: try again.';
      return null;
    } finally {
      this.isBusy = false;
    }
  }

  #show(toast: { text: string; undo: TriageCommand[] }): void {
    this.toast = toast;
    clearTimeout(this.#toastTimer);
    this.#toastTimer = setTimeout(() => (this.toast = null), TOAST_MS);
  }
}

function refusals({ items }: TriageAnswer): string {
  const refused = items.filter(({ outcome }) => outcome === 'refused' || outcome === 'missing');
  return [...new Set(refused.map(({ detail }) => detail))].join(' ');
}
