import { DAY_MS, HOUR_MS, isWorkday, localHourMs } from './calendar.ts';
import type { Incident, Incidents, Stage } from './incident-plan.ts';
import { MISUSE } from './incidents-misuse.ts';
import { OPERATION } from './incidents-operation.ts';
import { INCIDENT_KINDS } from './label.ts';
import { keyMaker, type Holder, type Organisation, type Person } from './organisation.ts';
import { randomOf } from './random.ts';
import { eventMaker } from './traffic.ts';

const INCIDENTS: Incidents = { ...MISUSE, ...OPERATION };
const TRIES = 1_000;

/** The incidents of a seed within the scored time. Each has keys and people of its own, so that labels do not overlap. */
export function incidentsOf(organisation: Organisation, fromMs: number, toMs: number): Incident[] {
  const { seed, startMs } = organisation;
  const taken = new Set<Holder | Person>();
  const days = (toMs - fromMs) / DAY_MS;
  const incidents: Incident[] = [];

  for (const kind of INCIDENT_KINDS) {
    const { perFortnight, make } = INCIDENTS[kind];
    const count = Math.max(1, Math.round((perFortnight * days) / 14));
    for (let number = 1; number <= count; number++) {
      const random = randomOf('incident', seed, kind, number);
      const stage: Stage = {
        ...{ organisation, random, fromMs, toMs },
        make: eventMaker(`${kind}-${number}`, random),
        makeKey: keyMaker(seed, startMs),
        takeHolder(holderKind, isFit = () => true) {
          const free = organisation.holders.filter(
            (holder) =>
              holder.kind === holderKind &&
              !taken.has(holder) &&
              !holder.people.some((one) => taken.has(one)) &&
              isFit(holder),
          );
          if (free.length === 0) throw new Error(`${kind}: no ${holderKind} key is left; simulate more people`);
          const holder = random.pick(free);
          taken.add(holder);
          for (const person of holder.people) taken.add(person);
          return holder;
        },
        takePerson() {
          const free = organisation.people.filter((person) => !taken.has(person) && person.joinedMs === 0);
          if (free.length === 0) throw new Error(`${kind}: nobody is left; simulate more people`);
          const person = random.pick(free);
          taken.add(person);
          return person;
        },
        moment: (marginMs) => random.between(fromMs, Math.max(fromMs + HOUR_MS, toMs - marginMs)),
        workingMoment(person, marginMs) {
          for (let tries = 0; tries < TRIES; tries++) {
            const dayMs =
              fromMs + random.int(0, Math.max(0, Math.floor((toMs - marginMs - fromMs) / DAY_MS) - 1)) * DAY_MS;
            if (!isWorkday(dayMs, person.site)) continue;
            return localHourMs(dayMs, random.between(person.from + 0.5, person.to - 3), person.site);
          }
          throw new Error(`${kind}: the scored time has no working day of ${person.email}`);
        },
      };
      const incident = make(stage);
      incidents.push({ ...incident, label: { id: `${kind}-${number}`, kind, ...incident.label } });
    }
  }
  return incidents;
}
