import { isFailureType, LonghaulError } from '../../../domain/shared/failures.ts';
import { messageOf } from '../../../platform/error-code.ts';
import type { CliContext } from '../../core/context.ts';

/** The environment variable with the API key of the person at this terminal. */
export const KEY_VARIABLE = 'LONGHAUL_PERSON_KEY';

const TIMEOUT_MS = 30_000;

/**
 * Sends a request of the person at this terminal to the gateway (`LONGHAUL_GATEWAY_URL`, else gateway.url or
 * gateway.address of longhaul.yaml). Throws the failure that the gateway names, `AuthenticationFailed` without a key, and
 * `ServerUnavailable`.
 */
export async function askGateway<Answer>({ env, config }: CliContext, path: string, body?: object): Promise<Answer> {
  const key = env[KEY_VARIABLE];
  if (!key) {
    throw new LonghaulError(
      'AuthenticationFailed',
      `People are configured, and ${KEY_VARIABLE} is not set: set it to your key (longhaul person key creates one).`,
    );
  }
  const base = env['LONGHAUL_GATEWAY_URL'] || (config.gateway.url ?? `http://${config.gateway.address}`);
  const address = URL.parse(`/v1${path}`, base);
  if (address === null) {
    throw new LonghaulError('InvalidConfiguration', `The address of the gateway is no URL: "${base}".`);
  }
  const { status, text } = await send(address, { key, body });
  const answer = parsed(text);
  if (status < 300 && answer !== null) return answer as Answer;
  const { type, message } = (answer as { error?: { type?: string; message?: string } } | null)?.error ?? {};
  const sentence = message ?? `The gateway at ${address.origin} answers ${status}, and not as Longhaul does.`;
  if (isFailureType(type)) throw new LonghaulError(type, sentence);
  throw new LonghaulError(status === 403 ? 'AuthenticationFailed' : 'ServerUnavailable', sentence);
}

async function send(
  address: URL,
  { key, body }: { readonly key: string; readonly body: object | undefined },
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const answer = await fetch(address, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // a redirect could take the key to another host
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    throw new LonghaulError(
      'ServerUnavailable',
      `The gateway at ${address.origin} does not answer (${messageOf(error)}): start it with longhaul gateway, or set LONGHAUL_GATEWAY_URL.`,
      { cause: error },
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
