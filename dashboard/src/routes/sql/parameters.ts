/** A `{name:Type}` of a text, and which field it gets. */
export interface QueryParameter {
  name: string;
  type: string;
  field: 'text' | 'number' | 'date';
}

const STRING_OR_COMMENT = /'(?:[^'\\]|\\.|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g;
const PARAMETER = /\{\s*([A-Za-z_]\w{0,63})\s*:\s*([A-Za-z][\w() ,']*?)\s*\}/g;

/** The parameters of a text in the order in which they come, each once; what stands in strings and comments is none. */
export function parametersIn(sql: string): QueryParameter[] {
  const found = new Map<string, QueryParameter>();
  for (const [, name, type] of sql.replace(STRING_OR_COMMENT, ' ').matchAll(PARAMETER)) {
    if (!found.has(name!)) found.set(name!, { name: name!, type: type!, field: fieldOf(type!) });
  }
  return [...found.values()];
}

function fieldOf(type: string): QueryParameter['field'] {
  if (/^(Nullable\()?(U?Int|Float|Decimal)/.test(type)) return 'number';
  return /^(Nullable\()?Date(32)?\b(?!Time)/.test(type) ? 'date' : 'text';
}
