/** Characters that draw nothing, or move what is drawn: they could make one name look like another. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const TREACHEROUS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A visible stand-in: the control pictures of Unicode where there is one, else the code point. */
function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/**
 * Text from events, made safe to read: every control, bidirectional and invisible character becomes visible, so that a name
 * shows what it is. Markup needs no care here: Svelte escapes it.
 * @param text anything a sender wrote
 */
export function inertText(text: string): string {
  return text.replace(LONE_SURROGATE, '�').replace(TREACHEROUS, visible);
}

/** The first `charsMax` code points with an ellipsis when there is more; never splits a pair of surrogates. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const characters = Array.from(text);
  return characters.length <= charsMax ? text : `${characters.slice(0, charsMax - 1).join('')}…`;
}
