import { type Attributes, SpanStatusCode, trace } from '@opentelemetry/api';
import { redact } from '../../domain/shared/redact.ts';

const tracer = trace.getTracer('longhaul');

/** Runs a step in a span of the current trace; without tracing it just runs the step. */
export function inSpan<Result>(name: string, attributes: Attributes, step: () => Promise<Result>): Promise<Result> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await step();
    } catch (error) {
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: redact(error instanceof Error ? error.message : String(error)),
      });
      throw error;
    } finally {
      span.end();
    }
  });
}
