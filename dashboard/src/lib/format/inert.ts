/**
 * Characters that draw nothing, or move what is drawn: controls, formats (bidirectional overrides among them), line and paragraph
 * separators, and whatever Unicode says to ignore. They could make one name look like another.
 */
const TREACHEROUS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

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
  return text.toWellFormed().replace(TREACHEROUS, visible);
}

/** The first `charsMax` code points with an ellipsis when there is more; never splits a pair of surrogates. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const characters = Array.from(text);
  return characters.length <= charsMax ? text : `${characters.slice(0, charsMax - 1).join('')}…`;
}
