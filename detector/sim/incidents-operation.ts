import { DAY_MS, HOUR_MS } from './calendar.ts';
import { collectorOf } from './habits.ts';
import { changed, iso, labelOf, stateLabel, type Incidents } from './incident-plan.ts';
import { calls } from './incidents-misuse.ts';
import { GRACE_MS, type Holder } from './organisation.ts';
import type { SimItem } from './traffic.ts';

const laneOfHolder = ({ key }: Holder) => key.fingerprint;

/** What goes wrong without anybody meaning harm. */
export const OPERATION = {
  revoked_in_cron: {
    perFortnight: 2,
    make(stage) {
      const holder = stage.takeHolder('batch');
      const atMs = stage.moment(3 * DAY_MS);
      const revoked = { status: 'revoked', revoked_at: iso(atMs) } as const;
      return {
        holder,
        items: [changed(holder.key.record, atMs, revoked)],
        label: stateLabel(['R03'], 'A revoked key goes on being used by a nightly job.', {
          from: iso(atMs),
          to: iso(stage.toMs),
          lanes: [laneOfHolder(holder)],
        }),
      };
    },
  },
  late_rotation: {
    perFortnight: 1,
    make(stage) {
      const holder = stage.takeHolder('service');
      const atMs = stage.moment(GRACE_MS + DAY_MS);
      const graceEnds = { grace_ends_at: iso(atMs + GRACE_MS), is_current: false };
      return {
        holder,
        items: [changed(holder.key.record, atMs, graceEnds)],
        label: stateLabel(['R04', 'R03'], 'A rotated secret is still in use when its grace ends.', {
          from: iso(atMs),
          to: iso(stage.toMs),
          lanes: [laneOfHolder(holder)],
        }),
      };
    },
  },
  runaway_agent: {
    perFortnight: 2,
    make(stage) {
      const { random } = stage;
      const holder = stage.takeHolder('personal');
      const person = holder.people[0]!;
      const items = calls(stage, holder.key, random.int(1_800, 4_000), stage.workingMoment(person, DAY_MS), 4_000, {
        user: person.email,
        ip: person.site.office,
        host: person.host,
        collector: collectorOf(person),
        repo: person.repos[0]!,
        session: random.text('0123456789abcdef', 16),
        model: person.models[0]!,
        agent: person.agents[0]!,
      });
      return { items, label: labelOf(items, ['R10', 'R17'], 'An agent loops for hours.') };
    },
  },
  dev_in_production: {
    perFortnight: 2,
    make(stage) {
      const { random } = stage;
      const { key } = stage.takeHolder('personal');
      const items: SimItem[] = [];
      const from = stage.moment(3 * DAY_MS);
      for (let day = 0; day < 2; day++)
        items.push(
          ...calls(stage, key, random.int(20, 80), from + day * DAY_MS, 120_000, {
            environment: 'production',
            ip: '3.121.7.41',
            host: 'checkout-2',
            agent: 'northwind-assistant',
          }),
        );
      return { items, label: labelOf(items, ['R09'], 'A developer’s key runs in production.') };
    },
  },
  scope_widened: {
    perFortnight: 1,
    make(stage) {
      const holder = stage.takeHolder('unused');
      const atMs = stage.moment(HOUR_MS);
      const scopes = [{ action: 'admin', resource: '*' } as const];
      return {
        holder,
        items: [changed(holder.key.record, atMs, { scopes })],
        label: stateLabel(['R23'], 'A key is given full control.', {
          from: iso(atMs),
          to: iso(atMs + HOUR_MS),
          lanes: [laneOfHolder(holder)],
        }),
      };
    },
  },
  broken_collector: {
    perFortnight: 1,
    make(stage) {
      const person = stage.takePerson();
      const collector = `collector-${collectorOf(person)}`;
      const atMs = stage.workingMoment(person, 6 * HOUR_MS);
      const toMs = atMs + 4 * HOUR_MS;
      return {
        items: [],
        loses: ({ event }) => event.collector === collector && event.time >= atMs && event.time < toMs,
        label: stateLabel(['R27'], 'A collector stops while people work.', {
          from: iso(atMs),
          to: iso(toMs),
          collectors: [collector],
        }),
      };
    },
  },
} satisfies Partial<Incidents>;
