import type { RequestHandler } from './$types';

/** Streams stay open for hours; without this they would hold up a shutdown until its time limit. */
const shutdown = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => shutdown.abort());

/**
 * query-api's stream of what happens, passed through so that the browser needs only this origin and its one cookie. After a cut it goes on
 * where it was; `since` is when the page was made, so that nothing between the two is missed.
 */
export const GET: RequestHandler = async ({ locals, request, url }) => {
  const since = url.searchParams.get('since') ?? '';
  const upstream = await locals.api.stream(AbortSignal.any([request.signal, shutdown.signal]), {
    lastEventId: request.headers.get('last-event-id') ?? '',
    since: Number.isNaN(Date.parse(since)) ? '' : new Date(since).toISOString(),
  });
  if (!upstream.ok || upstream.body === null) {
    await upstream.body?.cancel();
    return new Response('The stream of changes is not available.\n', { status: upstream.status === 401 ? 401 : 502 });
  }
  return new Response(untilEnd(upstream.body), { headers: { 'content-type': 'text/event-stream' } });
};

/** The stream, ending quietly where the original breaks off: the browser connects again by itself. */
function untilEnd(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
