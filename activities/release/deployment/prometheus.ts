import { z } from 'zod';
import type { Measured } from '../../../domain/release/deployment/watch.ts';

/** How long an answer may take. */
const LONGEST_MS = 10_000;
const MOST_BYTES = 1_000_000;

const sample = z.tuple([z.number(), z.string()]);

/** An answer of the HTTP API of Prometheus to an instant query. */
const answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('error'), error: z.string() }),
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
      z.object({ resultType: z.literal('scalar'), result: sample }),
      z.object({ resultType: z.literal('matrix'), result: z.array(z.unknown()) }),
      z.object({ resultType: z.literal('string'), result: z.unknown() }),
    ]),
  }),
]);

/**
 * The one number that a query has as its result now. Everything else is no data, with the reason: no answer, no sample,
 * several, not a number. Rejects only when it is aborted.
 */
export async function askPrometheus(address: string, query: string, signal: AbortSignal): Promise<Measured> {
  const url = new URL('api/v1/query', address.endsWith('/') ? address : `${address}/`);
  let text;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
    });
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      // leaving the loop ends the transfer
      if (bytes > MOST_BYTES) return { none: `the answer has more than ${MOST_BYTES} bytes` };
      pieces.push(piece);
    }
    text = Buffer.concat(pieces).toString('utf8');
    // 400 and 422 explain what is wrong with the query
    if (!response.ok && !text.startsWith('{')) return { none: `Prometheus answered with ${response.status}` };
  } catch (error) {
    signal.throwIfAborted();
    return { none: `Prometheus did not answer: ${reasonOf(error)}` };
  }
  const parsed = answer.safeParse(jsonOf(text));
  if (!parsed.success) return { none: 'the answer is not one of Prometheus' };
  if (parsed.data.status === 'error') return { none: `Prometheus refuses the query: ${parsed.data.error}` };
  const { data } = parsed.data;
  if (data.resultType === 'scalar') return numberOf(data.result[1]);
  if (data.resultType !== 'vector') return { none: `the query has a ${data.resultType} as its result` };
  const [first, second] = data.result;
  if (first === undefined) return { none: 'the query has no sample' };
  if (second !== undefined) return { none: `the query has ${data.result.length} samples: sum them` };
  return numberOf(first.value[1]);
}

function numberOf(text: string): Measured {
  const value = Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
  return Number.isFinite(value) ? value : { none: `the result is ${text}` };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
