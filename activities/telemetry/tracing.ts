import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';

/** The span exporter of this process. */
export interface Tracing {
  readonly resource: Resource;
  readonly processor: SpanProcessor;
  /** Sends the remaining spans; waits a few seconds for a collector that does not answer. */
  close(): Promise<void>;
}

/** Options of {@link startTracing}. */
export interface TracingOptions {
  /** `service.name` of the spans, unless `OTEL_SERVICE_NAME` is set. */
  readonly service: string;
  /** Called when spans could not be delivered. */
  readonly onProblem: (message: string) => void;
}

/** True when a destination for traces is set. */
export function isTraced(env: NodeJS.ProcessEnv): boolean {
  // compose passes an empty variable when it is not set
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}

function ignore(): void {
  // only problems are logged
}

/**
 * Starts sending the spans of this process by OTLP over HTTP, as the environment configures
 * (`OTEL_EXPORTER_OTLP_ENDPOINT` and related variables). Null, and nothing is loaded, when it is not configured. Call
 * it once per process.
 */
export async function startTracing(env: NodeJS.ProcessEnv, options: TracingOptions): Promise<Tracing | null> {
  if (!isTraced(env)) return null;
  const [{ diag, DiagLogLevel }, { createSpanExporter }, resources, sdk, hooks] = await Promise.all([
    import('@opentelemetry/api'),
    import('./span-exporter.ts'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/context-async-hooks'),
  ]);
  const problem = (message: string): void => options.onProblem(message);
  const logger = { error: problem, warn: problem, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const named = resources.detectResourcesSync({ detectors: [resources.envDetectorSync] });
  const resource = new resources.Resource({ 'service.name': options.service }).merge(named);
  const processor = new sdk.BatchSpanProcessor(createSpanExporter());
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new hooks.AsyncLocalStorageContextManager() });
  return { resource, processor, close: () => provider.shutdown() };
}
