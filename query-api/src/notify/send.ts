import { createTransport } from 'nodemailer';
import type { ChannelKind } from '../../contract/index.ts';
import { headlineOf, signatureOf, slackBody, textOf, webhookBody } from './message.ts';
import type { Message } from './message.ts';
import { post } from './post.ts';
import type { Attempt } from './post.ts';

/** Where a channel goes, unsealed. */
export type Destination = { url: string; secret: string } | { to: string[] };

export interface SendOptions {
  allowPrivate: boolean;
  /** `smtp://user:password@host:port`; null where no mail can be sent. */
  smtpUrl: string | null;
  mailFrom: string;
}

const MAIL_TIMEOUT_MS = 10_000;

/** Sends a message once. What fails is told, never thrown. */
export async function send(
  kind: ChannelKind,
  destination: Destination,
  message: Message,
  options: SendOptions,
  nowMs: number,
): Promise<Attempt> {
  if ('to' in destination) return mail(destination.to, message, options);
  const body = kind === 'slack' ? slackBody(message) : webhookBody(message, nowMs);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'Lanewatch',
    'idempotency-key': message.deliveryId,
  };
  if (kind === 'webhook') headers['lanewatch-signature'] = signatureOf(body, destination.secret, nowMs);
  return post(destination.url, body, headers, options);
}

async function mail(to: string[], message: Message, { smtpUrl, mailFrom }: SendOptions): Promise<Attempt> {
  if (smtpUrl === null) return { ok: false, detail: 'No SMTP server is set: see SMTP_URL_FILE.' };
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: MAIL_TIMEOUT_MS,
    greetingTimeout: MAIL_TIMEOUT_MS,
    socketTimeout: MAIL_TIMEOUT_MS,
  });
  try {
    const { response } = await transport.sendMail({
      from: mailFrom,
      to,
      subject: headlineOf(message),
      text: textOf(message),
      // The same message again is one that mail programs know already.
      messageId: `<${message.deliveryId}@lanewatch>`,
      // Nothing of a message is a path or an address to be read here.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return { ok: true, detail: `Taken: ${response.slice(0, 100)}` };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
    return { ok: false, detail: `Not taken: ${code}.` };
  } finally {
    transport.close();
  }
}
