import { DAY_MS, HOUR_MS, isWorkday, localHourMs, MINUTE_MS } from './calendar.ts';
import { collectorOf } from './habits.ts';
import { labelOf, type Incidents, type Stage } from './incident-plan.ts';
import { addressIn, FOREIGN } from './networks.ts';
import { homeAddress, ORG, REPOS, type Key } from './organisation.ts';
import type { Call, Model, SimItem } from './traffic.ts';

/** Programs that take a stolen key: clients for scripts, and agents as anybody has them. */
const STOLEN_WITH = ['python-requests', 'curl', 'claude-code', 'openai-python', 'axios'] as const;

/** Calls from one place with one key, the gateway reporting them. */
function calls(stage: Stage, key: Key, count: number, atMs: number, everyMs: number, fields: Partial<Call>): SimItem[] {
  const { random, make } = stage;
  let at = atMs;
  return Array.from({ length: count }, () => {
    const item = make({
      atMs: at,
      ...{ fingerprint: key.fingerprint, hint: key.hint, org: ORG, model: 'claude-sonnet-4-6', agent: 'claude-code' },
      collector: 'gateway',
      environment: key.record.environment,
      ...fields,
    });
    at += random.spread(everyMs, 0.7);
    return item;
  });
}

/** Keys in hands that they are not meant for. */
export const MISUSE = {
  leaked_key: {
    perFortnight: 3,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder(random.chance(0.7) ? 'personal' : 'service');
      const items = calls(stage, key, random.int(40, 240), stage.moment(8 * HOUR_MS), 45_000, {
        ip: addressIn(random.pick(FOREIGN), random),
        agent: random.pick(STOLEN_WITH),
        model: random.pick<Model>(['claude-opus-4-6', 'claude-sonnet-4-6']),
      });
      return {
        items,
        label: labelOf(items, ['R06', 'R07', 'R13', 'R14'], 'A leaked key is used from a foreign network.'),
      };
    },
  },
  outside_network: {
    perFortnight: 1,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder('service', ({ key: { record } }) => record.allowed_cidrs.length > 0);
      const items = calls(stage, key, random.int(10, 60), stage.moment(4 * HOUR_MS), 60_000, {
        ip: addressIn(random.pick(FOREIGN), random),
        agent: 'northwind-assistant',
      });
      return { items, label: labelOf(items, ['R08'], 'A key bound to a network is used from outside of it.') };
    },
  },
  enumeration: {
    perFortnight: 1,
    make(stage) {
      const { random, makeKey } = stage;
      const key = makeKey(`stolen-${random.text('0123456789', 6)}`, random);
      const ip = addressIn(random.pick(FOREIGN), random);
      const atMs = stage.moment(4 * HOUR_MS);
      const items = [
        ...calls(stage, key, 2, atMs, 5_000, { ip, agent: 'curl', listsModels: true }),
        ...calls(stage, key, random.int(20, 60), atMs + 2 * MINUTE_MS, 20_000, { ip, agent: 'python-requests' }),
      ];
      return { items, label: labelOf(items, ['R01', 'R15'], 'An unregistered key lists models, then uses them.') };
    },
  },
  personal_key: {
    perFortnight: 2,
    make(stage) {
      const { random, makeKey } = stage;
      const person = stage.takePerson();
      const key = makeKey(`private-${person.email}`, random);
      const from = stage.workingMoment(person, 3 * DAY_MS);
      const items: SimItem[] = [];
      for (let dayMs = from - (from % DAY_MS); dayMs < from + 3 * DAY_MS; dayMs += DAY_MS) {
        if (!isWorkday(dayMs, person.site)) continue;
        const atMs = Math.max(from, localHourMs(dayMs, random.between(person.from, person.to - 2), person.site));
        items.push(
          ...calls(stage, key, random.int(8, 30), atMs, 60_000, {
            user: person.email,
            ip: homeAddress(stage.organisation.seed, person, dayMs),
            host: person.host,
            collector: collectorOf(person),
            repo: person.repos[0]!,
            session: random.text('0123456789abcdef', 16),
          }),
        );
      }
      return { items, label: labelOf(items, ['R01', 'R12'], 'Somebody works with a key of their own.') };
    },
  },
  shared_key: {
    perFortnight: 2,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder('personal');
      const others = Array.from({ length: random.int(1, 3) }, () => stage.takePerson());
      let from = stage.workingMoment(others[0]!, 4 * DAY_MS);
      const first = from;
      const items: SimItem[] = [];
      for (const other of others) {
        for (let dayMs = from - (from % DAY_MS); dayMs < first + 4 * DAY_MS; dayMs += DAY_MS) {
          if (!isWorkday(dayMs, other.site)) continue;
          const atMs = Math.max(from, localHourMs(dayMs, random.between(other.from, other.to - 2), other.site));
          items.push(
            ...calls(stage, key, random.int(5, 25), atMs, 50_000, {
              user: other.email,
              ip: other.site.office,
              host: other.host,
              collector: collectorOf(other),
              repo: random.pick(other.repos),
              session: random.text('0123456789abcdef', 16),
            }),
          );
        }
        from += DAY_MS;
      }
      return { items, label: labelOf(items, ['R05'], 'A personal key is passed around.') };
    },
  },
  dormant_key: {
    perFortnight: 2,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder('unused');
      const ago = stage.organisation.startMs - random.int(36, 60) * DAY_MS;
      const usual = { ip: '217.110.44.18', agent: 'claude-code', repo: random.pick(REPOS) };
      const before = calls(stage, key, 30, ago, 3 * HOUR_MS, usual);
      const items = calls(stage, key, random.int(10, 50), stage.moment(4 * HOUR_MS), 40_000, {
        ip: addressIn(random.pick(FOREIGN), random),
        agent: random.pick(['openai-python', 'claude-code', 'aider']),
      });
      const label = labelOf(items, ['R19'], 'A key that was idle for weeks wakes up elsewhere.');
      return { items: [...before, ...items], label };
    },
  },
  key_stuffing: {
    perFortnight: 2,
    make(stage) {
      const { random, makeKey } = stage;
      const ip = addressIn(random.pick(FOREIGN), random);
      const atMs = stage.moment(2 * HOUR_MS);
      const items = Array.from({ length: random.int(6, 25) }, (_unused, index) => {
        const key = makeKey(`tried-${random.text('0123456789', 8)}`, random);
        const outcome = random.chance(0.1) ? 'success' : 'denied';
        return calls(stage, key, random.int(1, 3), atMs + index * 20_000, 4_000, {
          ip,
          outcome,
          agent: 'python-requests',
          org: '',
        });
      }).flat();
      return { items, label: labelOf(items, ['R25'], 'One address tries many keys.') };
    },
  },
  slow_exfiltration: {
    perFortnight: 2,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder(random.pick(['service', 'personal']));
      const ip = addressIn(random.pick(FOREIGN), random);
      const from = stage.moment(7 * DAY_MS);
      const items: SimItem[] = [];
      for (let day = 0; day < random.int(5, 7); day++) {
        const atMs = from - (from % DAY_MS) + day * DAY_MS + random.between(0, 5) * HOUR_MS;
        if (atMs < stage.fromMs) continue;
        items.push(
          ...calls(stage, key, random.int(6, 14), atMs, 20 * MINUTE_MS, {
            ip,
            host: 'mirror-1',
            agent: random.pick(['rsync-llm', 'claude-code']),
            size: 2,
          }),
        );
      }
      return { items, label: labelOf(items, ['R06', 'R07', 'R13'], 'A few large requests a night from elsewhere.') };
    },
  },
} satisfies Partial<Incidents>;

export { calls };
