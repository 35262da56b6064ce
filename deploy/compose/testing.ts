import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const HERE = import.meta.dirname;
const VARIABLE = /\$\{(\w+)(?::([-?])([^}]*))?\}/g;

/** What up.sh and a reader of compose.tls.yaml write into .env. */
export const EXAMPLE_SETTINGS: Record<string, string> = {
  ...{ LANEWATCH_UID: '1000', LANEWATCH_GID: '1000' },
  ...{ DASHBOARD_DOMAIN: 'lanewatch.example.com', INGEST_DOMAIN: 'ingest.example.com' },
};

/** A compose file with its variables filled in as docker compose does it. */
export function composeText(name: string, settings: Record<string, string>): string {
  return readFileSync(join(HERE, name), 'utf8').replace(
    VARIABLE,
    (_all, variable: string, kind: string | undefined, text: string | undefined) => {
      const value = settings[variable] ?? '';
      if (value === '' && kind === '?') throw new Error(`${name} needs ${variable}: ${text}`);
      return value === '' && kind === '-' ? (text ?? '') : value;
    },
  );
}

export interface ComposeService {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  ports?: string[];
  healthcheck?: object;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  secrets?: Record<string, { file: string }>;
}

export function composeFile(name: string, settings: Record<string, string>): ComposeFile {
  return parse(composeText(name, settings), { merge: true }) as ComposeFile;
}
