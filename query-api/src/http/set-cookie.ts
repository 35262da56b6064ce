/** Name and value of a Set-Cookie line. */
export function parseSetCookie(line: string): { name: string; value: string } {
  const pair = line.split(';', 1)[0] ?? '';
  const at = pair.indexOf('=');
  return { name: pair.slice(0, at), value: decodeURIComponent(pair.slice(at + 1)) };
}
