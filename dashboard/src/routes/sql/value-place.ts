const BEFORE =
  /([A-Za-z_]\w*)\s*(?:=|!=|<>|I?LIKE|(?:NOT\s+)?IN\s*\((?:\s*'(?:[^'\\]|''|\\.)*'\s*,)*)\s*'((?:[^'\\]|'')*)$/i;

/** The column that a value is being typed for, where the text ends inside the quotes of one: `model = 'cla`. */
export function columnBeforeValue(textBefore: string): { column: string; typed: string } | null {
  // Values stand near their column; all of a long text need not be looked at for each key.
  const found = BEFORE.exec(textBefore.slice(-2_000));
  return found === null ? null : { column: found[1]!, typed: found[2]! };
}
