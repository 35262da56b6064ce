import { Duplex } from 'node:stream';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';

/** Of text that says the same again and again, such as tables; images and fonts are compressed as they are. */
const COMPRESSIBLE = /^(text\/(html|css|plain|javascript)|application\/(json|javascript|problem\+json))\b/;
/** Below this compressing costs more than it saves. */
const BYTES_MIN = 1_024;
/** A page of 100 KB takes about 2 ms so; the best quality takes a hundred times as long for a tenth less. */
const BROTLI_QUALITY = 4;

type Encoding = 'br' | 'gzip';

/**
 * What an answer is compressed with: brotli before gzip where both are welcome alike, null where neither is.
 * @param accepted the request's `Accept-Encoding`
 */
export function encodingFor(accepted: string | null): Encoding | null {
  const weights = new Map(
    (accepted ?? '').split(',').map((part): [string, number] => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='));
      return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
    }),
  );
  const weightOf = (name: Encoding) => weights.get(name) ?? weights.get('*') ?? 0;
  const best = weightOf('br') >= weightOf('gzip') ? 'br' : 'gzip';
  return weightOf(best) > 0 ? best : null;
}

/**
 * An answer as it goes to whoever accepts it compressed, piece by piece as the page makes them: what is sent early arrives early. Answers
 * to anything but reading are left alone, because they may show a secret beside what a form sent, and a length tells of both; so are
 * streams of events, which have no end to compress towards.
 */
export function compressed(request: Request, response: Response): Response {
  const type = response.headers.get('content-type') ?? '';
  const bytes = Number(response.headers.get('content-length') ?? Infinity);
  if (request.method !== 'GET' || response.body === null || !COMPRESSIBLE.test(type)) return response;
  if (response.headers.has('content-encoding') || response.headers.get('cache-control')?.includes('no-transform'))
    return response;
  const headers = new Headers(response.headers);
  headers.append('vary', 'Accept-Encoding');
  const encoding = bytes < BYTES_MIN ? null : encodingFor(request.headers.get('accept-encoding'));
  if (encoding === null) return new Response(response.body, { status: response.status, headers });
  headers.set('content-encoding', encoding);
  headers.delete('content-length');
  // What an entity tag named is another sequence of bytes now, with the same meaning.
  const tag = headers.get('etag');
  if (tag !== null && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`);
  const packer =
    encoding === 'br'
      ? createBrotliCompress({
          flush: constants.BROTLI_OPERATION_FLUSH,
          params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
        })
      : createGzip({ flush: constants.Z_SYNC_FLUSH });
  const body = response.body.pipeThrough(
    Duplex.toWeb(packer) as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>,
  );
  return new Response(body, { status: response.status, headers });
}
