import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import type { ActivityInterceptorsFactory, WorkerOptions } from '@temporalio/worker';
import type { Tracing } from '../activities/telemetry/tracing.ts';

/** The module that creates the spans of workflows; only the bundle with tracing contains it. */
export const TRACING_MODULE = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';

/** Creates the span of an activity, in the trace of its workflow. */
export const tracedActivities: ActivityInterceptorsFactory = (context) => ({
  inbound: new OpenTelemetryActivityInboundInterceptor(context),
  outbound: new OpenTelemetryActivityOutboundInterceptor(context),
});

/** Creates spans for everything that an activity starts or signals, in the trace of its workflow. */
export function tracedClient(): OpenTelemetryWorkflowClientInterceptor {
  return new OpenTelemetryWorkflowClientInterceptor();
}

/** Sinks that receive the spans of workflows from their isolates. */
export function tracingSinks({ processor, resource }: Tracing): NonNullable<WorkerOptions['sinks']> {
  return { exporter: makeWorkflowExporter(processor, resource) };
}
