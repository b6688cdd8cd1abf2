import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openModel } from '../../activities/index/models/embedder.ts';
import { toUnitLength } from '../../activities/index/models/unit-length.ts';

/** A request that the endpoint received. */
export interface EmbeddingRequest {
  /** Milliseconds on the clock of `performance`. */
  readonly at: number;
  readonly inputs: readonly string[];
  readonly authorization: string | undefined;
}

/** A fault of the endpoint instead of a correct answer. */
export type Misbehaviour =
  | { readonly status: number; readonly message: string; readonly headers?: Readonly<Record<string, string>> }
  /** Omits half of the vectors, returns them in reverse order, longer, with NaN or null, or without base64. */
  | 'half'
  | 'backwards'
  | 'wide'
  | 'nan'
  | 'null'
  | 'floats'
  /** Closes the connection in the middle of the answer. */
  | 'cut';

/** `/v1/embeddings` on loopback as OpenAI describes it, with the packaged MiniLM behind it. */
export interface EmbeddingEndpoint {
  /** `http://127.0.0.1:<port>`, without `/v1`. */
  readonly origin: string;
  readonly requests: EmbeddingRequest[];
  /** The highest number of concurrent requests. */
  readonly mostAtOnce: () => number;
  /** Forgets the requests so far, for the next test. */
  forget(): void;
  /** Called for every request with its number from 1; returns the fault to apply. */
  misbehave: ((number: number) => Misbehaviour | null | Promise<Misbehaviour | null>) | null;
  /** All requested texts, including repetitions. */
  texts(): string[];
  close(): Promise<void>;
}

const MODEL = 'minilm';

/** Starts the endpoint. Its model is called `minilm`; requests without the key are refused. */
export async function startEmbeddingEndpoint(
  model: { readonly folder: string; readonly cacheDir: string },
  key: string,
): Promise<EmbeddingEndpoint> {
  const minilm = await openModel({ kind: 'onnx', ...model });
  const known = new Map<string, Float32Array>();
  let underWay = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++underWay);
    answer(request, response)
      .catch((error: unknown) => response.destroy(error as Error))
      .finally(() => underWay--);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const endpoint: EmbeddingEndpoint = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    mostAtOnce: () => mostAtOnce,
    forget() {
      endpoint.requests.length = 0;
      mostAtOnce = underWay;
    },
    misbehave: null,
    texts: () => endpoint.requests.flatMap(({ inputs }) => inputs),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await minilm.close();
    },
  };

  async function vectorOf(text: string): Promise<Float32Array> {
    const [vector = new Float32Array()] = known.has(text) ? [known.get(text)] : await minilm.embed([text]);
    known.set(text, vector);
    return vector;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = JSON.parse(Buffer.concat(parts).toString()) as {
      readonly input: string | string[];
      readonly model: string;
      readonly dimensions?: number;
      readonly encoding_format?: string;
    };
    const inputs = [body.input].flat();
    const { authorization } = request.headers;
    const number = endpoint.requests.push({ at: performance.now(), inputs, authorization });
    const fault = (await endpoint.misbehave?.(number)) ?? null;
    if (fault !== null && typeof fault === 'object') return refuse(response, fault);
    if (authorization !== `Bearer ${key}`) {
      return refuse(response, { status: 401, message: `Incorrect API key provided: ${authorization}.` });
    }
    if (request.url !== '/v1/embeddings' || body.model !== MODEL) {
      return refuse(response, { status: 404, message: `The model \`${body.model}\` does not exist` });
    }
    if (inputs.some((text) => text === '')) return refuse(response, { status: 400, message: '$.input is invalid' });

    const data: object[] = [];
    for (const [index, text] of inputs.entries()) {
      const whole = await vectorOf(text);
      const vector = toUnitLength(whole.slice(0, body.dimensions ?? whole.length));
      data.push({ object: 'embedding', index, embedding: encode(vector, fault, body.encoding_format) });
    }
    if (fault === 'half') data.splice(data.length >> 1);
    if (fault === 'backwards') data.reverse();
    // letters: more tokens than estimated
    const tokens = inputs.join('').length;
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    const text = JSON.stringify({ object: 'list', model: MODEL, data, usage });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    if (fault !== 'cut') return void response.end(text);
    response.write(text.slice(0, text.length >> 1), () => response.destroy());
  }

  return endpoint;
}

function encode(vector: Float32Array, fault: Misbehaviour | null, format: string | undefined): unknown {
  const numbers: (number | null)[] = [...vector, ...(fault === 'wide' ? [0.5] : [])];
  if (fault === 'nan') numbers[0] = Number.NaN;
  if (fault === 'null') numbers[0] = null;
  if (format !== 'base64' || fault === 'floats' || fault === 'null') return numbers;
  return Buffer.from(Float32Array.from(numbers as number[]).buffer).toString('base64');
}

function refuse(response: ServerResponse, { status, message, headers = {} }: Exclude<Misbehaviour, string>): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message, type: 'error', param: '', code: String(status) } }));
}
