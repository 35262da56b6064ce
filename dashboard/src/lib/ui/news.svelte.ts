import { refreshAll } from '$app/navigation';
import type { StreamFinding, StreamTriage } from '@lanewatch/query-api/contract';
import { unattended } from '#lib/unattended.ts';

/** Pause before a refused stream is asked for again; a dropped one the browser resumes by itself. */
const RECONNECT_MS = 5_000;

/**
 * What happened to findings since a page was made, told as it happens. It loads nothing by itself: the page says how much is new, and
 * whoever reads it decides when it moves. An open tab costs one connection that is silent while nothing happens; a hidden one none, and it
 * resumes where it was.
 */
export class News {
  /** Ids of findings that came since. */
  arrived = $state<readonly string[]>([]);
  /** Something else is not as it is shown: keys were changed, or the stream could not be resumed. */
  isStale = $state(false);
  state = $state<'off' | 'connecting' | 'live' | 'lost'>('off');
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastEventId = '';
  /** Whether the page was loaded since the stream was refused. */
  #askedWhy = false;
  #since: string;
  #onTriage: (act: StreamTriage) => void;
  #isWanted: (finding: StreamFinding) => boolean;

  /**
   * @param options.since when the page was made, RFC 3339
   * @param options.isWanted whether a new finding would be on the page
   */
  constructor(options: {
    since: string;
    onTriage: (act: StreamTriage) => void;
    isWanted?: (finding: StreamFinding) => boolean;
  }) {
    this.#since = options.since;
    this.#onTriage = options.onTriage;
    this.#isWanted = options.isWanted ?? (() => true);
  }

  /** Starts in the browser. @returns the teardown */
  start(): () => void {
    const follow = () => (document.visibilityState === 'hidden' ? this.#stop() : this.#open());
    document.addEventListener('visibilitychange', follow);
    follow();
    return () => {
      document.removeEventListener('visibilitychange', follow);
      this.#stop();
    };
  }

  /** The page was loaded anew. */
  seen(since: string): void {
    this.arrived = [];
    this.isStale = false;
    this.#since = since;
  }

  #open(): void {
    if (this.#source) return;
    this.state = 'connecting';
    const source = new EventSource(`/live?since=${encodeURIComponent(this.#since)}`);
    this.#source = source;
    source.onopen = () => {
      this.state = 'live';
      this.#askedWhy = false;
    };
    const hear = <Data>(event: string, take: (data: Data) => void) =>
      source.addEventListener(event, ({ data, lastEventId }: MessageEvent<string>) => {
        // Told again after a tab was hidden: its connection was closed, so that the browser does not resume it.
        if (lastEventId !== '' && !isAfter(lastEventId, this.#lastEventId)) return;
        if (lastEventId !== '') this.#lastEventId = lastEventId;
        take(JSON.parse(data) as Data);
      });
    hear<StreamFinding>('finding', (finding) => {
      if (!finding.is_new || !this.#isWanted(finding) || this.arrived.includes(finding.id)) return;
      this.arrived = [...this.arrived, finding.id];
    });
    hear<StreamTriage>('triage', (act) => this.#onTriage(act));
    hear('registry', () => (this.isStale = true));
    hear('gap', () => (this.isStale = true));
    source.onerror = () => {
      this.state = 'lost';
      if (source.readyState !== EventSource.CLOSED) return;
      this.#source = undefined;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#open(), RECONNECT_MS);
      this.#askWhy();
    };
  }

  /**
   * A refused stream does not say why. Loading the page once does: a session that ended leads to the sign-in page, an outage to the page that
   * names it.
   */
  #askWhy(): void {
    if (this.#askedWhy) return;
    this.#askedWhy = true;
    void unattended(refreshAll).catch(() => undefined);
  }

  #stop(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
    this.state = 'off';
  }
}

/** Whether an event came after another one; events of another run of query-api are new. Ids are a run and a number. */
function isAfter(id: string, other: string): boolean {
  const [[run, number], [otherRun, otherNumber]] = [id.split('-'), other.split('-')];
  return run !== otherRun || Number(number) > Number(otherNumber);
}
