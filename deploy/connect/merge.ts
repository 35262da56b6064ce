import { isMap, isSeq, parseDocument, parse as parseYaml } from 'yaml';
import { parse as parseToml } from 'smol-toml';
import type { ClientFileFormat } from '@lanewatch/ingest/contract/client-configuration';

/** A file that is not changed, because nobody could say what would come of it. */
export class MergeProblem extends Error {}

/**
 * A file's text with a client's lines in it: everything else stays, and doing it again changes nothing.
 * @param existing the file as it is; '' when there is none
 * @throws MergeProblem when the file cannot be read, or says the same in a way that is not understood here
 */
export function merged(existing: string, addition: string, format: ClientFileFormat): string {
  if (existing.trim() === '') return addition;
  const merge = { json: mergedJson, yaml: mergedYaml, toml: mergedToml, env: mergedEnv, text: refuse }[format];
  return merge(existing, addition);
}

function refuse(): never {
  throw new MergeProblem('holds something already, and these lines belong inside of it: put them there by hand');
}

type Plain = Record<string, unknown>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function mergedJson(existing: string, addition: string): string {
  let value: unknown;
  try {
    value = JSON.parse(existing);
  } catch {
    throw new MergeProblem('is not plain JSON (comments, perhaps): put the lines in by hand');
  }
  if (!isPlain(value)) throw new MergeProblem('holds no JSON object');
  const indent = /^\s*\{\r?\n(\s+)"/.exec(existing)?.[1] ?? '  ';
  return `${JSON.stringify(mergedObject(value, JSON.parse(addition) as Plain), null, indent)}\n`;
}

function mergedObject(target: Plain, addition: Plain): Plain {
  const result = { ...target };
  for (const [key, value] of Object.entries(addition)) {
    const old = result[key];
    if (isPlain(value) && isPlain(old)) result[key] = mergedObject(old, value);
    else if (key === 'OTEL_RESOURCE_ATTRIBUTES') result[key] = mergedAttributes(old, String(value));
    else result[key] = value;
  }
  return result;
}

/** Attributes of others stay, those of the same names are replaced. */
function mergedAttributes(old: unknown, ours: string): string {
  const names = new Set(ours.split(',').map((pair) => pair.split('=', 1)[0]!.trim()));
  const kept = (typeof old === 'string' ? old.split(',') : [])
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !names.has(pair.split('=', 1)[0]!.trim()));
  return [...kept, ours].join(',');
}

/** By the document, so that comments and order stay. Lists get what they lack; an entry of ours is known by its label and replaced. */
function mergedYaml(existing: string, addition: string): string {
  const document = parseDocument(existing);
  if (document.errors.length > 0) throw new MergeProblem('is not valid YAML');
  if (document.contents !== null && !isMap(document.contents)) throw new MergeProblem('holds no YAML mapping');
  put([], parseYaml(addition) as Plain);
  return document.toString({ lineWidth: 0 });

  function put(path: string[], value: unknown): void {
    const old = path.length === 0 ? document.contents : document.getIn(path, true);
    if (isPlain(value) && (path.length === 0 || isMap(old))) {
      for (const [key, inner] of Object.entries(value)) put([...path, key], inner);
    } else if (Array.isArray(value) && isSeq(old)) {
      const entries = old.toJSON() as unknown[];
      for (const entry of value) {
        const at = entries.findIndex((other) => isSameEntry(other, entry));
        document.setIn([...path, at === -1 ? entries.length : at], document.createNode(entry));
        if (at === -1) entries.push(entry);
      }
    } else document.setIn(path, document.createNode(value));
  }
}

function isSameEntry(one: unknown, other: unknown): boolean {
  if (!isPlain(one) || !isPlain(other)) return one === other;
  const label = (entry: Plain) => entry.alias ?? entry.instance_name;
  return label(one) !== undefined && label(one) === label(other);
}

/** The keys of one table, line by line, because no writer of TOML keeps comments. */
function mergedToml(existing: string, addition: string): string {
  parsedToml(existing);
  const [header, ...lines] = addition.trim().split('\n') as [string, ...string[]];
  const table = header.slice(1, -1);
  let result = existing.replace(/\n*$/, '\n');
  for (const line of lines) {
    const key = line.split('=', 1)[0]!.trim();
    if (new RegExp(`^\\s*\\[\\s*${table}\\s*\\.\\s*"?${key}"?\\b`, 'm').test(existing)) {
      throw new MergeProblem(`holds a table [${table}.${key}]: take it out, because ${key} is set as one line`);
    }
    result = withTomlLine(result, header, key, line);
  }
  const { [table]: ours } = parsedToml(addition);
  const { [table]: theirs } = parsedToml(result);
  for (const [key, value] of Object.entries(ours as Plain)) {
    if (JSON.stringify((theirs as Plain | undefined)?.[key]) !== JSON.stringify(value)) {
      throw new MergeProblem(`writes [${table}] in a form that is not understood here: put the lines in by hand`);
    }
  }
  return result;
}

function withTomlLine(text: string, header: string, key: string, line: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((candidate) => candidate.replace(/#.*/, '').trim() === header);
  if (start === -1) return `${text}${text === '\n' ? '' : '\n'}${header}\n${line}\n`;
  const after = lines.findIndex((candidate, index) => index > start && /^\s*\[/.test(candidate));
  const end = after === -1 ? lines.length : after;
  const at = lines.findIndex(
    (candidate, index) => index > start && index < end && new RegExp(`^\\s*"?${key}"?\\s*=`).test(candidate),
  );
  if (at === -1) lines.splice(start + 1, 0, line);
  else lines[at] = line;
  return lines.join('\n');
}

function parsedToml(text: string): Plain {
  try {
    return parseToml(text);
  } catch {
    throw new MergeProblem('is not valid TOML, or would not be with these lines: put them in by hand');
  }
}

/** Lines of the same names are replaced, others stay. */
function mergedEnv(existing: string, addition: string): string {
  const lines = existing.replace(/\n*$/, '').split('\n');
  for (const line of addition.trim().split('\n')) {
    const name = line.split('=', 1)[0]!;
    const at = lines.findIndex((candidate) => new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(candidate));
    if (at === -1) lines.push(line);
    else
      lines[at] =
        name === 'OTEL_RESOURCE_ATTRIBUTES'
          ? `${name}="${mergedAttributes(valueIn(lines[at]!), valueIn(line))}"`
          : line;
  }
  return `${lines.join('\n')}\n`;
}

const valueIn = (line: string) =>
  line
    .slice(line.indexOf('=') + 1)
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2');
