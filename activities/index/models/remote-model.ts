import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { createRequestBudget, pauseFor } from './request-budget.ts';
import type { BudgetLimits, RequestBudget } from './request-budget.ts';
import { toUnitLength } from './unit-length.ts';
import { writeWhole } from '../../../platform/whole-file.ts';

/** A model on a server: calls wait for the network instead of using a processor. */
export interface RemoteModel extends EmbeddingModel {
  /** Limits of one call of `embed`. */
  readonly batch: BatchLimits;
  /** The useful number of concurrent `embed` calls. */
  readonly concurrency: number;
  /**
   * Like {@link EmbeddingModel}, in one request that waits for the budget and is retried when that can help. Throws
   * `RateLimited`, `ServerUnavailable`, `AuthenticationFailed` or `InvalidConfiguration` (as {@link TextsRefused} when
   * other texts may be accepted), or the signal's reason.
   */
  embed(texts: readonly string[], options?: { readonly signal?: AbortSignal | undefined }): Promise<Float32Array[]>;
}

/** A server that works refuses the texts of a request: at least one of them is not for this model. */
export class TextsRefused extends LonghaulError {
  constructor(message: string) {
    super('InvalidConfiguration', message);
  }
}

/** True for a status that may be due to a single text: too long for the model, or with characters that it refuses. */
export function isRefusalOfTexts(status: number): boolean {
  return status === 400 || status === 413 || status === 422;
}

/** Limits of one request. */
export interface BatchLimits {
  readonly inputs: number;
  /** Bytes of UTF-8. */
  readonly bytes: number;
}

/** A vector as returned by a server. */
export type RawVector = ArrayLike<number>;

/** Options of {@link openRemoteModel}. */
export interface RemoteModelOptions {
  /** Model and server, for messages. */
  readonly name: string;
  /** Everything that a vector depends on except its text and length. */
  readonly identity: readonly string[];
  /** Null: requested from the server once. */
  readonly dimensions: number | null;
  readonly batch: BatchLimits;
  readonly budget: BudgetLimits;
  /** Longer texts are truncated at the last whole character within this many bytes of UTF-8. */
  readonly maxInputBytes: number;
  /** Folder where the vector length is cached. */
  readonly cacheDir: string;
  /** Aborts opening and every request. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends one request and returns one vector per text, in order. Throws `RateLimited` or `ServerUnavailable` when a
   * retry may help. Calls `used` with the number of tokens that the server counted, if it does.
   */
  readonly ask: (
    texts: readonly string[],
    options: { readonly signal: AbortSignal; readonly used: (tokens: number) => void },
  ) => Promise<readonly RawVector[]>;
  readonly close: () => Promise<void>;
}

/** Tries per request. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** For longer waits the activity ends, and the flow tries again later. */
const LONGEST_PAUSE_MS = 30_000;
/** Source code has three bytes per token or more; the server's count corrects it. */
const BYTES_PER_TOKEN = 3;

/** One per server and model in this process, shared by all callers. */
const budgets = new Map<string, RequestBudget>();

/** Opens a remote model; requests one vector from it when the vector length is unknown. */
export async function openRemoteModel(options: RemoteModelOptions): Promise<RemoteModel> {
  const { name, batch, ask, close } = options;
  const identity = [...options.identity, `cut-${options.maxInputBytes}`];
  const budget = budgetOf(JSON.stringify([identity, options.budget]), options.budget);

  async function request(texts: readonly string[], signal: AbortSignal): Promise<readonly RawVector[]> {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const estimate = Math.ceil(bytes / BYTES_PER_TOKEN);
    return budget.spend(estimate, signal, () =>
      ask(texts, { signal, used: (tokens) => budget.correct(tokens - estimate) }),
    );
  }

  async function vectorsOf(
    texts: readonly string[],
    dimensions: number | null,
    signal: AbortSignal,
  ): Promise<Float32Array[]> {
    const inputs = texts.map((text) => cut(text, options.maxInputBytes));
    for (let attempt = 1; ; attempt++) {
      try {
        return checked(name, await request(inputs, signal), inputs.length, dimensions);
      } catch (error) {
        signal.throwIfAborted();
        const pause = pauseBefore(error, attempt);
        if (pause === null) throw error;
        if (isRateLimit(error)) budget.pause(pause);
        else await pauseFor(pause, signal);
      }
    }
  }

  const never = new AbortController().signal;
  const dimensions =
    options.dimensions ??
    (await remembered(path.join(options.cacheDir, 'models', `dimensions-${digestOf(identity)}`), async () => {
      const [vector] = await vectorsOf(['dimensions'], null, options.signal ?? never);
      return vector?.length ?? 0;
    }));
  return {
    digest: digestOf([...identity, String(dimensions)]),
    dimensions,
    batch,
    concurrency: options.budget.concurrency,
    embed: (texts, { signal = never } = {}) => vectorsOf(texts, dimensions, signal),
    close,
  };
}

/** Splits a list of texts, in order, into parts that fit into one request. */
export function requestsOf(texts: readonly string[], { inputs, bytes }: BatchLimits): string[][] {
  const requests: string[][] = [];
  let room = 0;
  for (const text of texts) {
    const size = Buffer.byteLength(text);
    const last = requests.at(-1);
    if (last === undefined || last.length === inputs || size > room) {
      requests.push([text]);
      room = bytes - size;
    } else {
      last.push(text);
      room -= size;
    }
  }
  return requests;
}

/** Truncates a text to at most this many bytes, at a character boundary. */
export function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Milliseconds until a request is tried again; null when it is not. */
function pauseBefore(error: unknown, attempt: number): number | null {
  if (!(error instanceof LonghaulError) || attempt === TRIES) return null;
  if (error.type !== 'RateLimited' && error.type !== 'ServerUnavailable') return null;
  // randomized, so that requests refused together are not retried together
  const pause =
    error.retryAfterMs === undefined
      ? FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())
      : error.retryAfterMs * (1 + Math.random() / 10);
  return pause > LONGEST_PAUSE_MS ? null : pause;
}

function isRateLimit(error: unknown): boolean {
  return error instanceof LonghaulError && error.type === 'RateLimited';
}

function checked(
  name: string,
  vectors: readonly RawVector[],
  expected: number,
  dimensions: number | null,
): Float32Array[] {
  const unusable = (why: string): LonghaulError =>
    new LonghaulError('ServerUnavailable', `${name} returned an invalid answer: ${why}.`);
  if (vectors.length !== expected) throw unusable(`${vectors.length} vectors for ${expected} texts`);
  const length = dimensions ?? vectors[0]?.length ?? 0;
  if (length === 0) throw unusable('a vector without numbers');
  return vectors.map((vector) => {
    if (vector.length !== length) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `${name} returns vectors of ${vector.length} numbers, but ${length} were expected: the model has changed. Correct its dimensions or options in longhaul.yaml.`,
      );
    }
    const copy = Float32Array.from(vector);
    // checks the original numbers: a copy turns null into 0
    if (!Array.prototype.every.call(vector, Number.isFinite) || !copy.every(Number.isFinite))
      throw unusable('a vector with a value that is not a finite number');
    return toUnitLength(copy);
  });
}

function budgetOf(key: string, limits: BudgetLimits): RequestBudget {
  const known = budgets.get(key) ?? createRequestBudget(limits);
  budgets.set(key, known);
  return known;
}

function digestOf(parts: readonly string[]): string {
  return sha256(JSON.stringify(parts)).slice(0, 16);
}

async function remembered(file: string, ask: () => Promise<number>): Promise<number> {
  const known = await readFile(file, 'latin1').catch(() => '');
  if (/^[1-9][0-9]*$/.test(known)) return Number(known);
  const found = await ask();
  await writeWhole(file, String(found));
  return found;
}
