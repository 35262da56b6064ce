import { instantNow, newerAddress } from './newer/address.ts';
import { unattended } from '#lib/unattended.ts';
import type { ShownRow } from './columns.ts';

/** Rows that a page which follows the ledger holds beside its own; older ones go. */
const ROWS_MAX = 200;
/** Shortest time between two looks. */
const PAUSE_MS = 1_000;

/**
 * Follows the ledger: when something was stored, asks for the rows since, and keeps the newest. Rests while the tab is hidden, and then
 * asks for all that it missed.
 */
export class Tail {
  rows = $state.raw<ShownRow[]>([]);
  isOn = $state(false);
  #source: EventSource | undefined;
  #readAt = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #search = '';

  /** @param search of the page, whose filters hold for what is followed @param readAt up to when rows are shown */
  start(search: string, readAt: string): void {
    this.stop();
    this.#search = search;
    this.#readAt = readAt || instantNow();
    this.isOn = true;
    document.addEventListener('visibilitychange', this.#follow);
    this.#follow();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#follow);
    this.#close();
    this.isOn = false;
    this.rows = [];
  }

  #follow = (): void => {
    if (document.visibilityState === 'hidden') return this.#close();
    if (this.#source) return;
    this.#source = new EventSource('/live');
    this.#source.addEventListener('change', () => this.#soon());
  };

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void unattended(() => this.#look());
    }, PAUSE_MS);
  }

  async #look(): Promise<void> {
    const answer = await fetch(newerAddress(this.#search, this.#readAt), { redirect: 'error' }).catch(() => null);
    if (answer?.ok !== true || !this.isOn) return;
    const { items, readAt } = (await answer.json()) as { items: ShownRow[]; readAt: string };
    if (readAt !== '') this.#readAt = readAt;
    if (items.length > 0) this.rows = [...items, ...this.rows].slice(0, ROWS_MAX);
  }
}
