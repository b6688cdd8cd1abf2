import { z } from 'zod';
import { redact } from '../../domain/shared/redact.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Signal } from './forge-requests.ts';
import { failureOfRefusal, waitOf } from './refusal.ts';
import { createRestClient, nextLink, type RestClientOptions, spoken } from './rest-client.ts';
import type { ForgeTurn } from './turn.ts';
import { failureOfWrite, type ForgeClient, type ForgeWrite, lostAnswer } from './forge-client.ts';

/** Timeout of a write without an answer. */
const SILENCE_MS = 60_000;
/** The same for the content of a file: a worker's network may be slow. */
const UPLOAD_MS = 15 * 60_000;

/** Options of the client. */
export interface RestWriterOptions extends RestClientOptions {
  /** Requests that create content wait for this. */
  readonly contentTurn: ForgeTurn;
}

/** A client of a forge's REST API that reads and writes. A write is sent once, and follows no redirect. */
export function createRestWriter(options: RestWriterOptions): ForgeClient {
  const { provider, apiUrl, headers, turn } = options;
  const reader = createRestClient(options);

  async function answerTo(
    write: ForgeWrite,
    signal: Signal,
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const { method, path, body, file } = write;
    const silence = AbortSignal.timeout(file ? UPLOAD_MS : SILENCE_MS);
    const sent = { accept: 'application/json', 'user-agent': 'longhaul', ...headers() };
    const content = file
      ? { 'content-type': file.contentType, 'content-length': String(file.size) }
      : body === undefined
        ? {}
        : { 'content-type': 'application/json' };
    const stream = await file?.open();
    const init = {
      method,
      headers: { ...sent, ...content },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, silence]) : silence,
      ...(stream
        ? { body: stream, duplex: 'half' as const }
        : body === undefined
          ? {}
          : { body: JSON.stringify(body) }),
    } as const;
    try {
      const response = await fetch((write.base ?? apiUrl) + path, init);
      return { status: response.status, headers: response.headers, text: await response.text() };
    } finally {
      stream?.destroy();
    }
  }

  return {
    get: (path, schema, signal) => reader.get(path, schema, signal),
    items: (path, schema, signal) =>
      reader.list(
        path,
        { page: z.array(schema), items: (page) => page, next: (_page, found) => nextLink(found) },
        signal,
      ),
    async send(write, schema, signal) {
      const wait = write.method === 'DELETE' ? turn : options.contentTurn;
      const answer = await wait(() => answerTo(write, signal), signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (error instanceof LonghaulError) throw error;
        const { message, cause } = error as Error;
        throw lostAnswer(
          write,
          provider,
          redact(cause instanceof Error && cause.message ? cause.message : message),
          error,
        );
      });
      const { status, text } = answer;
      const said = spoken(text, headers());
      if (status < 200 || status > 299) {
        const isAskedToWait = waitOf(status, answer.headers) !== null;
        const refusal = { provider, status, headers: answer.headers, said };
        throw isAskedToWait ? failureOfRefusal(refusal) : failureOfWrite(write, refusal);
      }
      return answered(write, provider, text, schema);
    },
  };
}

/** The answer to a write that was done. One that cannot be read counts as lost. */
export function answered<Answer>(write: ForgeWrite, provider: string, text: string, schema: z.ZodType<Answer>): Answer {
  try {
    return schema.parse(text === '' ? undefined : JSON.parse(text));
  } catch (error) {
    throw lostAnswer(write, provider, 'its answer cannot be read', error);
  }
}
