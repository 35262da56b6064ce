/**
 * Marks requests that a page makes by itself, so that they do not count as use of the session: a page left open would keep it
 * from ever ending. A cookie, because SvelteKit's own requests for data take no header from us.
 */
export const UNATTENDED_COOKIE = 'lanewatch_unattended';

/** Longer than any refresh takes; the end of one removes the mark, this is for a page that is closed meanwhile. */
const MARK_SECONDS = 30;

const mark = (seconds: number) =>
  (document.cookie = `${UNATTENDED_COOKIE}=1; Path=/; SameSite=Strict; Max-Age=${seconds}`);

/** Runs a refresh that nobody asked for. In the browser. */
export async function unattended(refresh: () => Promise<void>): Promise<void> {
  mark(MARK_SECONDS);
  try {
    await refresh();
  } finally {
    mark(0);
  }
}
