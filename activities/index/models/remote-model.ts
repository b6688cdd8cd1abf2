import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { createRequestBudget, pauseFor } from './request-budget.ts';
import type { BudgetLimits, RequestBudget } from './request-budget.ts';
import { toUnitLength } from './unit-length.ts';
import { writeWhole } from '../../../platform/whole-file.ts';

/** A model that a server runs: asking it waits for the network instead of keeping a processor busy. */
export interface RemoteModel extends EmbeddingModel {
  /** What one call of `embed` may be given. */
  readonly batch: BatchLimits;
  /** Calls of `embed` that are worth having under way at the same time. */
  readonly concurrency: number;
  /**
   * As {@link EmbeddingModel}, in one request that waits for its turn in the budget and is tried again when that can help.
   * Throws `RateLimited`, `ServerUnavailable`, `AuthenticationFailed` or `InvalidConfiguration`, or the signal's reason.
   */
  embed(texts: readonly string[], options?: { readonly signal?: AbortSignal | undefined }): Promise<Float32Array[]>;
}

/** The most that fits into one request. */
export interface BatchLimits {
  readonly inputs: number;
  /** Bytes of UTF-8. */
  readonly bytes: number;
}

/** A vector as a server gives it. */
export type RawVector = ArrayLike<number>;

/** How {@link openRemoteModel} asks, and what it makes of the answers. */
export interface RemoteModelOptions {
  /** Model and place, for messages. */
  readonly name: string;
  /** All that a vector depends on besides its text and its length. */
  readonly identity: readonly string[];
  /** Null: asked of the server once. */
  readonly dimensions: number | null;
  readonly batch: BatchLimits;
  readonly budget: BudgetLimits;
  /** Longer texts are cut at the last whole character before so many bytes of UTF-8. */
  readonly maxInputBytes: number;
  /** Where the length of the vectors is remembered. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  /**
   * One request: one vector for each text, in order. Throws `RateLimited` or `ServerUnavailable` when trying again may help.
   * Tells `used` how many tokens the server counted, if it does.
   */
  readonly ask: (
    texts: readonly string[],
    options: { readonly signal: AbortSignal; readonly used: (tokens: number) => void },
  ) => Promise<readonly RawVector[]>;
  readonly close: () => Promise<void>;
}

/** Tries of one request. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** A server that asks for a longer wait is left alone: the flow comes back when it is over. */
const LONGEST_PAUSE_MS = 30_000;
/** Source code has three bytes a token or more; what the server then counts corrects it. */
const BYTES_PER_TOKEN = 3;

/** One for each server and model in this process, whoever asks. */
const budgets = new Map<string, RequestBudget>();

/** Opens a model that answers over the network; asks it for one vector when nobody knows yet how long they are. */
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

/** Parts of a list of texts, in order, each of which one request may hold. */
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

/** The beginning of a text that has at most so many bytes, without half a character at its end. */
export function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Milliseconds until a request is worth another try; null when it is not. */
function pauseBefore(error: unknown, attempt: number): number | null {
  if (!(error instanceof LonghaulError) || attempt === TRIES) return null;
  if (error.type !== 'RateLimited' && error.type !== 'ServerUnavailable') return null;
  // with some chance in it, so that those who were refused together do not come back together
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
    new LonghaulError('ServerUnavailable', `${name} gave an answer that cannot be used: ${why}.`);
  if (vectors.length !== expected) throw unusable(`${vectors.length} vectors for ${expected} texts`);
  const length = dimensions ?? vectors[0]?.length ?? 0;
  if (length === 0) throw unusable('a vector without numbers');
  return vectors.map((vector) => {
    if (vector.length !== length) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `${name} gives vectors of ${vector.length} numbers where ${length} were expected: it is another model than before. Correct its dimensions or options in longhaul.yaml.`,
      );
    }
    const copy = Float32Array.from(vector);
    // asked of the numbers as they came: a copy makes 0 of null
    if (!Array.prototype.every.call(vector, Number.isFinite) || !copy.every(Number.isFinite))
      throw unusable('a vector with something that is no finite number');
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
