import type { Resource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';

/** Where the spans of this process go. */
export interface Tracing {
  readonly resource: Resource;
  readonly processor: SpanProcessor;
  /** Sends what is left; a collector that does not answer is waited for a few seconds. */
  close(): Promise<void>;
}

/** How {@link startTracing} begins. */
export interface TracingOptions {
  /** `service.name` of the spans, unless `OTEL_SERVICE_NAME` names another. */
  readonly service: string;
  /** Told when spans could not be delivered. */
  readonly onProblem: (message: string) => void;
}

/** True when somebody said where traces go. */
export function isTraced(env: NodeJS.ProcessEnv): boolean {
  // an empty variable is one that compose was not told
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}

function ignore(): void {
  // only problems are worth a line
}

/**
 * Begins to send the spans of this process by OTLP over HTTP, as the environment says (`OTEL_EXPORTER_OTLP_ENDPOINT` and its
 * relatives); null, and nothing is loaded, when it says nothing. Once a process.
 */
export async function startTracing(env: NodeJS.ProcessEnv, options: TracingOptions): Promise<Tracing | null> {
  if (!isTraced(env)) return null;
  const [{ diag, DiagLogLevel }, otlp, resources, sdk, hooks] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/context-async-hooks'),
  ]);
  const problem = (message: string): void => options.onProblem(message);
  const logger = { error: problem, warn: problem, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const named = resources.detectResourcesSync({ detectors: [resources.envDetectorSync] });
  const resource = new resources.Resource({ 'service.name': options.service }).merge(named);
  const processor = new sdk.BatchSpanProcessor(new otlp.OTLPTraceExporter());
  const provider = new sdk.BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new hooks.AsyncLocalStorageContextManager() });
  return { resource, processor, close: () => provider.shutdown() };
}
