import { claudeCodeEnvironment, curlLine } from '@lanewatch/ingest/contract/client-environment';
import type { Installation } from './supervisor.ts';
import type { Terminal } from './terminal.ts';

/** What a person needs after the start: how to get in, and what to paste where. */
export function sayWelcome(
  terminal: Terminal,
  { config }: Pick<Installation, 'config'>,
  signInUrl: string,
  collectorKey: string | null,
): void {
  terminal.say('');
  if (collectorKey === null) {
    terminal.say(`${terminal.bold('Collector key')}: the keys issued earlier go on working;`);
    terminal.say('  "npm run -s lanewatch -- collector-key" issues another and prints what to paste');
  } else {
    sayCollectorKey(terminal, config.ingestUrl, collectorKey);
  }
  terminal.say('');
  terminal.say(`Dashboard ${config.dashboardUrl} · events to ${config.ingestUrl} · Ctrl-C stops everything`);
  terminal.say('');
  // Last, where it is still in sight when everything else has scrolled by.
  terminal.say(
    `${terminal.bold('Sign in')} (once, within a day; "npm run -s lanewatch -- sign-in" prints another link)`,
  );
  terminal.say(`  ${signInUrl}`);
}

/** A collector key with the lines that use it. */
export function sayCollectorKey(terminal: Terminal, ingestUrl: string, collectorKey: string): void {
  terminal.say(`${terminal.bold('Collector key')} (shown this once; it may send events and nothing else)`);
  terminal.say(`  ${collectorKey}`);
  terminal.say('');
  terminal.say(
    `${terminal.bold('Claude Code')}: paste this into the shell that starts it; your provider key stays on your machine`,
  );
  terminal.say('');
  terminal.say(claudeCodeEnvironment(ingestUrl, collectorKey));
  terminal.say('');
  terminal.say(`${terminal.bold('One event by hand')}`);
  terminal.say('');
  terminal.say(curlLine(ingestUrl, collectorKey));
}
