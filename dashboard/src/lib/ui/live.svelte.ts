import { refreshAll } from '$app/navigation';
import type { Change } from '@lanewatch/query-api/contract';
import { unattended } from '#lib/unattended.ts';

/** Shortest time between two refreshes: a busy ledger must not keep every open page loading. */
const REFRESH_PAUSE_MS = 1_000;
/** Pause before a refused stream is asked for again; a dropped one the browser reopens by itself. */
const RECONNECT_MS = 5_000;
/** How often a held refresh looks whether the pointer has left. */
const HOLD_CHECK_MS = 300;

/** Whether a mouse is on a row of a table; a finger only touches. */
const isOnRow = (): boolean =>
  matchMedia('(hover: hover)').matches && document.querySelector('main tbody tr:hover') !== null;

/**
 * Keeps a page up to date: listens to the stream of changes and loads the page's data again when something was stored.
 * Rests while the tab is hidden and catches up once when it is seen again, and holds still while the pointer is on a row of a table.
 */
export class Live {
  /** ledger_away: listening, but nothing that is stored now is heard of; held: there is something new, which waits for the pointer. */
  state = $state<'off' | 'connecting' | 'live' | 'held' | 'ledger_away' | 'lost' | 'paused'>('off');
  #isPaused = false;
  #source: EventSource | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #told: string | undefined;
  #storedAt: string | null = null;
  #refreshedMs = 0;
  /** Whether the page was loaded since the stream was refused. */
  #askedWhy = false;
  /** Whether the pointer was moved on this page. One that rests where a link of the last page was aims at nothing. */
  #hasMoved = false;
  #shownUntil: () => string | null | undefined;
  #refresh: () => Promise<void>;

  /**
   * @param shownUntil when the newest row on the page was stored, for pages that may lag behind the stream
   * @param refresh loads the page's data again
   */
  constructor(shownUntil: () => string | null | undefined, refresh: () => Promise<void> = refreshAll) {
    this.#shownUntil = shownUntil;
    this.#refresh = refresh;
  }

  /** Starts in the browser. @returns the teardown */
  start(): () => void {
    const follow = () => this.#follow();
    const moved = () => (this.#hasMoved = true);
    document.addEventListener('visibilitychange', follow);
    document.addEventListener('pointermove', moved, { once: true });
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      document.removeEventListener('pointermove', moved);
      this.#stop();
    };
  }

  /** Leaves the page as it is until the next call, which lets it follow again; somebody's choice. */
  toggle(): void {
    this.#isPaused = !this.#isPaused;
    this.#follow();
  }

  #follow(): void {
    if (this.#isPaused || document.visibilityState === 'hidden') this.#stop();
    else this.#open();
  }

  #open(): void {
    if (this.#source) return;
    this.state = 'connecting';
    const source = new EventSource('/live');
    this.#source = source;
    source.onopen = () => {
      this.state = 'live';
      this.#askedWhy = false;
    };
    source.addEventListener('change', (message: MessageEvent<string>) => this.#changed(message.data));
    source.onerror = () => {
      this.state = 'lost';
      if (source.readyState !== EventSource.CLOSED) return;
      this.#source = undefined;
      clearTimeout(this.#reconnectTimer);
      this.#reconnectTimer = setTimeout(() => this.#open(), RECONNECT_MS);
      this.#askWhy();
    };
  }

  /**
   * A refused stream does not say why, and what stands on the page may not be true any more. Loading it once does: a session that
   * ended leads to the sign-in page, an outage to the page that names it.
   */
  #askWhy(): void {
    if (this.#askedWhy) return;
    this.#askedWhy = true;
    this.#refreshSoon();
  }

  /** The stream repeats the present state on connecting; only a difference is news. The first one may be, too: the page was
   * rendered before it was listened to. */
  #changed(data: string): void {
    const { ledger_answers: ledgerAnswers, ...change } = JSON.parse(data) as Change;
    if (!ledgerAnswers) this.state = 'ledger_away';
    else if (this.state !== 'held') this.state = 'live';
    const told = JSON.stringify(change);
    if (told === this.#told) return;
    this.#told = told;
    this.#storedAt = change.last_stored_at;
    this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (this.#refreshTimer !== undefined) return;
    const waitMs = Math.max(0, this.#refreshedMs + REFRESH_PAUSE_MS - Date.now());
    this.#refreshTimer = setTimeout(() => this.#refreshOnceFree(), waitMs);
  }

  #refreshOnceFree(): void {
    if (this.#hasMoved && isOnRow()) {
      if (this.state === 'live') this.state = 'held';
      this.#refreshTimer = setTimeout(() => this.#refreshOnceFree(), HOLD_CHECK_MS);
      return;
    }
    if (this.state === 'held') this.state = 'live';
    this.#refreshTimer = undefined;
    this.#refreshedMs = Date.now();
    // Where the data can't be had an error page takes this one's place, and tries again by itself.
    void unattended(this.#refresh).then(
      () => this.#catchUp(),
      () => undefined,
    );
  }

  /** query-api may answer with figures that it made just before what the stream told of: nothing else would bring the rest. */
  #catchUp(): void {
    const shown = this.#shownUntil();
    if (shown === undefined || this.#storedAt === null || !this.#source) return;
    if (shown === null || shown < this.#storedAt) this.#refreshSoon();
  }

  #stop(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#reconnectTimer);
    this.#refreshTimer = undefined;
    // A refresh that was still to come goes with it: whoever listens again must not take what it was told before for old news.
    this.#told = undefined;
    this.state = this.#isPaused ? 'paused' : 'off';
  }
}
