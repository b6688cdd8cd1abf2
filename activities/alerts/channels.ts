import { createHmac } from 'node:crypto';
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';
import type { AlertChannelConfig } from '../../domain/shared/channels.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { isLoopback, shownProxy } from '../../platform/proxy.ts';
import { proxyFor } from '../shared/network.ts';

/** A message to a channel. */
export interface ChannelMessage {
  /** Identifies it, so that a receiver can drop duplicates. */
  readonly id: string;
  /** What a webhook receives, as JSON. */
  readonly body: object;
  /** Lines for people; the first one is the subject of a mail. */
  readonly text: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Sends a message to a channel. Throws `InvalidConfiguration` when the environment lacks a variable of the channel,
 * `AlertNotSent` when the channel does not accept it.
 */
export async function send(
  channel: AlertChannelConfig,
  message: ChannelMessage,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  switch (channel.type) {
    case 'webhook':
      return post(
        channel.name,
        secretOf(env, channel.urlEnv, channel.name),
        message.body,
        signal,
        signatureOf(channel, message, env),
      );
    case 'slack':
      return post(
        channel.name,
        secretOf(env, channel.urlEnv, channel.name),
        { text: inSlack(message.text) },
        signal,
        {},
      );
    case 'email':
      return mail(channel, message, env);
  }
}

/** The text for Slack: names of repositories must not become mentions or links (`<!channel>`). */
export function inSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** `sha256=<hex>` over the body, as forges sign theirs. */
function signatureOf(
  channel: Extract<AlertChannelConfig, { type: 'webhook' }>,
  message: ChannelMessage,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  if (channel.secretEnv === undefined) return {};
  const secret = secretOf(env, channel.secretEnv, channel.name);
  return {
    'x-longhaul-signature-256': `sha256=${createHmac('sha256', secret).update(JSON.stringify(message.body)).digest('hex')}`,
  };
}

async function post(
  name: string,
  url: string,
  body: object,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'longhaul', ...headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch {
    signal.throwIfAborted();
    // the address may be a secret and is part of some error messages
    throw new LonghaulError('AlertNotSent', `The alert channel ${name} cannot be reached.`);
  }
  await response.body?.cancel();
  if (!response.ok) {
    throw new LonghaulError('AlertNotSent', `The alert channel ${name} answered ${response.status}.`);
  }
}

async function mail(
  { name, smtpUrlEnv, from, to }: Extract<AlertChannelConfig, { type: 'email' }>,
  message: ChannelMessage,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const patience = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const url = secretOf(env, smtpUrlEnv, name);
  const transport = createTransport({ url, ...tunnelOptions(url, env), ...patience }, { from });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: message.text.split('\n')[0] ?? '',
      text: message.text,
      messageId: `<${message.id}@${hostname()}>`,
    });
  } catch (error) {
    throw new LonghaulError('AlertNotSent', `The alert channel ${name} did not take the mail: ${saidBy(error)}.`);
  } finally {
    transport.close();
  }
}

/** As curl: `smtp_proxy`, `smtps_proxy` or `all_proxy`, and a tunnel through it. A server on this machine needs none. */
function tunnelOptions(url: string, env: NodeJS.ProcessEnv): { readonly proxy?: string; readonly port?: number } {
  const server = URL.parse(url);
  if (server === null || isLoopback(server.hostname)) return {};
  const proxy = proxyFor(url, env);
  if (proxy === null) return {};
  // the tunnel needs the port that is left out
  const port = Number(server.port) || (server.protocol === 'smtps:' ? 465 : 587);
  if (/^https?:$/.test(proxy.protocol)) return { proxy: proxy.href, port };
  throw new LonghaulError(
    'InvalidConfiguration',
    `Mail cannot be sent through the proxy ${shownProxy(proxy)}: name one with http:// in smtp_proxy, or except ${server.hostname} in no_proxy.`,
  );
}

/** The mail server's answer, which contains no password. */
function saidBy(error: unknown): string {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  return [code, responseCode].filter(Boolean).join(' ') || 'no reason given';
}

function secretOf(env: NodeJS.ProcessEnv, variable: string, channel: string): string {
  const value = env[variable]?.trim();
  if (value) return value;
  throw new LonghaulError(
    'InvalidConfiguration',
    `The environment variable ${variable} of the alert channel ${channel} is not set.`,
  );
}
