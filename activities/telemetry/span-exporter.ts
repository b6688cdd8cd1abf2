import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  createOtlpNetworkExportDelegate,
  type IExporterTransport,
  OTLPExporterBase,
} from '@opentelemetry/otlp-exporter-base';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { reachDirectly } from '../../platform/proxy.ts';

/** The answers after which OTLP lets a sender try again. */
const RETRYABLE: readonly number[] = [429, 502, 503, 504];
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5_000;

/**
 * Sends spans by OTLP over HTTP, as the variables `OTEL_EXPORTER_OTLP_…` say. It is OpenTelemetry's exporter with `fetch`
 * as its transport, which uses the proxies and certificate authorities of this process (network.ts); its own uses neither.
 */
export function createSpanExporter(): SpanExporter {
  const contentType = { 'content-type': 'application/x-protobuf' };
  const options = convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', contentType);
  // a collector on this machine needs no proxy
  reachDirectly(options.url);
  return new OTLPExporterBase(
    createOtlpNetworkExportDelegate(options, ProtobufTraceSerializer, createFetchTransport(options)),
  );
}

type TransportOptions = Pick<ReturnType<typeof convertLegacyHttpOptions>, 'url' | 'headers' | 'compression'>;

/** Repeats within the given time what the collector was too busy for. */
function createFetchTransport({ url, headers, compression }: TransportOptions): IExporterTransport {
  return {
    async send(spans, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      const isPacked = compression === 'gzip';
      const request: RequestInit = {
        method: 'POST',
        headers: { ...headers(), ...(isPacked ? { 'content-encoding': 'gzip' } : {}) },
        body: new Uint8Array(isPacked ? await promisify(gzip)(spans) : spans),
        redirect: 'error',
        signal,
      };
      try {
        for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, LONGEST_WAIT_MS)) {
          const response = await fetch(url, request);
          const data = new Uint8Array(await response.arrayBuffer());
          if (response.ok) return { status: 'success', data };
          if (!RETRYABLE.includes(response.status)) {
            return { status: 'failure', error: new Error(`the collector answered ${response.status}`) };
          }
          await sleep(1_000 * Number(response.headers.get('retry-after')) || wait, undefined, { signal });
        }
      } catch (error) {
        const { message, cause } = error as Error;
        // `fetch` names the cause only there
        return {
          status: 'failure',
          error: new Error(cause instanceof Error ? `${message}: ${cause.message}` : message),
        };
      }
    },
    shutdown: () => undefined,
  };
}
