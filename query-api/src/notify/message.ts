import { createHmac } from 'node:crypto';
import type { FindingItem } from '../../contract/index.ts';

/** A message to one channel: the findings that it tells of, under an id that stays when it is sent again. */
export interface Message {
  deliveryId: string;
  findings: readonly FindingItem[];
  /** Where the dashboard is. */
  dashboardUrl: string;
  isTest: boolean;
}

/** Findings written out; of more the number is told. */
const FINDINGS_NAMED_MAX = 20;

const urlOf = (id: string, dashboardUrl: string): string =>
  new URL(`/findings/${encodeURIComponent(id)}`, dashboardUrl).href;

/** Text from events on one line and without what steers a terminal or a chat. */
const plain = (text: string, charsMax = 200): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').slice(0, charsMax);

/** What happened, in one line. */
function lineOf(finding: FindingItem): string {
  const { severity, title, hint, lane, org, sentence } = finding;
  return `${severity}: ${title} on ${plain(hint || lane)}${org === '' ? '' : ` (${plain(org)})`}. ${plain(sentence, 400)}`;
}

/** The subject of a mail, and the first line of a chat. */
export function headlineOf({ findings, isTest }: Message): string {
  if (isTest) return 'Lanewatch: this is a test message';
  const [first] = findings;
  if (findings.length === 1 && first !== undefined) {
    const again = first.status === 'reopened' ? ' (again)' : '';
    return `Lanewatch: ${first.severity} finding${again}: ${first.title} on ${plain(first.hint || first.lane)}`;
  }
  return `Lanewatch: ${findings.length} findings`;
}

/** The whole in plain text. */
export function textOf(message: Message): string {
  const { findings, dashboardUrl, isTest } = message;
  if (isTest) return `This channel works. Findings will be told here.\n${new URL('/channels', dashboardUrl).href}\n`;
  const named = findings.slice(0, FINDINGS_NAMED_MAX);
  const rest = findings.length - named.length;
  return [
    ...named.map((finding) => `${lineOf(finding)}\n${urlOf(finding.id, dashboardUrl)}\n`),
    ...(rest > 0 ? [`and ${rest} more: ${new URL('/findings', dashboardUrl).href}\n`] : []),
  ].join('\n');
}

/** Body of a webhook. */
export function webhookBody(message: Message, atMs: number): string {
  const { deliveryId, findings, dashboardUrl, isTest } = message;
  return JSON.stringify({
    type: isTest ? 'test' : 'findings',
    delivery_id: deliveryId,
    at: new Date(atMs).toISOString(),
    findings: findings.map((finding) => ({
      ...{ id: finding.id, rule: finding.rule, title: finding.title, sentence: finding.sentence },
      ...{ severity: finding.severity, risk: finding.risk, status: finding.status, lane: finding.lane },
      ...{ fingerprint: finding.fingerprint, hint: finding.hint, org: finding.org, facts: finding.facts },
      ...{ first_seen: finding.first_seen, last_seen: finding.last_seen, occurrences: finding.occurrences },
      url: urlOf(finding.id, dashboardUrl),
    })),
  });
}

/**
 * The header that proves who sent a webhook and when: `t=<epoch seconds>,v1=<hex>`, HMAC-SHA-256 over `<t>.<body>`. A receiver compares it
 * and refuses what is older than a few minutes.
 */
export function signatureOf(body: string, secret: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Slack's mark-up has three characters of its own; what senders wrote makes no links and calls nobody. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function slackBody(message: Message): string {
  const { findings, dashboardUrl, isTest } = message;
  const named = findings.slice(0, FINDINGS_NAMED_MAX);
  const lines = isTest
    ? ['This channel works. Findings will be told here.']
    : named.map((finding) => `• ${slackText(lineOf(finding))} <${urlOf(finding.id, dashboardUrl)}|Open>`);
  const rest = findings.length - named.length;
  return JSON.stringify({
    text: [`*${slackText(headlineOf(message))}*`, ...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
    unfurl_links: false,
  });
}
