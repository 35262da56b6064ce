import type { Standing } from '@lanewatch/query-api/contract';

/** A lane of the invented organisation, before its rows are made. */
export interface LaneSketch {
  hint: string;
  org: string;
  standing: Standing;
  name?: string;
  owner?: string;
  sharing?: 'personal' | 'team';
  environment?: '';
  users: string[];
  ips: string[];
  agent: [string, string];
  models: string[];
  repos: string[];
  sessions: number;
  cents: number;
  lastMinutesAgo: number;
  host?: string;
}

export const LANES: readonly LaneSketch[] = [
  {
    hint: 'sk-ant-...C001',
    org: '',
    standing: 'unknown',
    users: [''],
    ips: ['10.0.1.44'],
    agent: ['Claude Code', '1.2.0'],
    models: ['claude-sonnet-4-6'],
    repos: [''],
    sessions: 1,
    cents: 61,
    lastMinutesAgo: 2,
    host: '',
  },
  {
    hint: 'sk-ant-...A3F2',
    org: 'qpoint-dev',
    standing: 'known',
    name: 'Developer key',
    owner: 'mira.santos',
    sharing: 'team',
    users: ['mira.santos', 'jonas.weber', 'aiko.tanaka', 'leo.martin'],
    ips: ['10.0.4.12', '10.0.4.19', '10.0.4.31'],
    agent: ['Claude Code', '2.0.14'],
    models: ['claude-sonnet-4-6', 'claude-opus-4-6'],
    repos: ['qpoint/gateway', 'qpoint/console'],
    sessions: 33,
    cents: 4720,
    lastMinutesAgo: 4,
  },
  {
    hint: 'sk-ant-...7B91',
    org: 'qpoint-ci',
    standing: 'known',
    name: 'CI pipeline',
    owner: 'ci-runner',
    sharing: 'personal',
    users: ['ci-runner', 'release-bot'],
    ips: ['10.0.9.3'],
    agent: ['Claude Code', '2.0.14'],
    models: ['claude-haiku-4-5'],
    repos: ['qpoint/gateway'],
    sessions: 11,
    cents: 82,
    lastMinutesAgo: 51,
  },
  {
    hint: 'sk-proj-kT4...9xQa',
    org: 'qpoint-dev',
    standing: 'known',
    name: 'Codex, platform team',
    owner: 'noor.haddad',
    sharing: 'personal',
    users: ['noor.haddad'],
    ips: ['10.0.4.57'],
    agent: ['codex_cli_rs', '0.61.0'],
    models: ['gpt-5.4'],
    repos: ['qpoint/agentless'],
    sessions: 9,
    cents: 1873,
    lastMinutesAgo: 18,
  },
  {
    hint: 'sk-ant-api03-R2D...igAA',
    org: 'qpoint-research',
    standing: 'revoked',
    name: 'Evaluation batch',
    owner: 'eval-service',
    sharing: 'team',
    users: ['eval-service'],
    ips: ['10.2.0.8'],
    agent: ['LiteLLM', '1.80.3'],
    models: ['claude-sonnet-4-6'],
    repos: ['qpoint/evals'],
    sessions: 2,
    cents: 348,
    lastMinutesAgo: 190,
  },
  {
    hint: 'AIzaSyB...m0O8',
    org: 'qpoint-dev',
    standing: 'ambiguous',
    users: ['pia.lund'],
    ips: ['10.0.4.77'],
    agent: ['gemini-cli', '0.19.1'],
    models: ['gemini-3-pro'],
    repos: ['qpoint/docs'],
    sessions: 3,
    cents: 117,
    lastMinutesAgo: 400,
  },
  {
    hint: 'sk-ant-api03-pX7...Kw2A',
    org: 'qpoint-support',
    standing: 'known',
    name: 'Support assistant',
    owner: 'helpdesk',
    sharing: 'team',
    environment: '',
    users: ['helpdesk'],
    ips: ['10.3.1.5'],
    agent: ['support-assistant', '4.11.0'],
    models: ['claude-haiku-4-5'],
    repos: [''],
    sessions: 58,
    cents: 963,
    lastMinutesAgo: 1,
  },
  {
    hint: 'gsk_wR1...t6Zb',
    org: 'qpoint-research',
    standing: 'expired',
    name: 'Latency trial',
    owner: 'yusuf.demir',
    sharing: 'personal',
    users: ['yusuf.demir'],
    ips: ['10.2.0.21'],
    agent: ['groq-sdk', '0.33.0'],
    models: ['llama-4-maverick'],
    repos: ['qpoint/evals'],
    sessions: 1,
    cents: 3,
    lastMinutesAgo: 2900,
  },
];
