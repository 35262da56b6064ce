import {
  CHANNEL_KINDS,
  CHANNEL_PACES,
  SEVERITIES,
  type Channel,
  type ChannelEdit,
  type ChannelKind,
  type Problem,
} from '@lanewatch/query-api/contract';
import { fail } from '@sveltejs/kit';

const textIn = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();
const listIn = (form: FormData, name: string): string[] =>
  textIn(form, name)
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** The kind that a form names; a webhook when it names none. */
export const kindIn = (form: FormData): ChannelKind =>
  CHANNEL_KINDS.find((one) => one === textIn(form, 'kind')) ?? 'webhook';

/** What a filled-in form says of a channel of this kind. An address that is left empty is left out: the channel keeps its own. */
export function channelIn(form: FormData, kind: ChannelKind) {
  const address = textIn(form, 'address');
  const where = kind === 'email' ? { to: listIn(form, 'address') } : { url: address };
  return {
    name: textIn(form, 'name'),
    ...(address !== '' && where),
    severity: SEVERITIES.find((one) => one === textIn(form, 'severity')) ?? 'high',
    pace: CHANNEL_PACES.find((one) => one === textIn(form, 'pace')) ?? 'each',
    ...{ orgs: listIn(form, 'orgs'), projects: listIn(form, 'projects'), owners: listIn(form, 'owners') },
    ...{ quiet_from: textIn(form, 'quiet_from') || null, quiet_to: textIn(form, 'quiet_to') || null },
  } satisfies ChannelEdit;
}

/** What a form of an edited channel asks for, made on the version that was seen. */
export const editIn = (form: FormData, { kind }: Pick<Channel, 'kind'>): ChannelEdit => ({
  ...channelIn(form, kind),
  version: Number(textIn(form, 'version')),
});

const FIELD_NAMES: Record<string, string> = {
  url: 'Address',
  to: 'Address',
  quiet_from: 'Quiet from',
  quiet_to: 'Quiet to',
};

/** Answers a form with what is wrong. */
export const refusal = ({ status, detail, title, errors }: Problem) =>
  fail(status >= 500 ? 502 : status, {
    complaint:
      errors.map(({ path, message }) => `${FIELD_NAMES[path] ?? path} ${message}`).join(', ') || detail || title,
  });
