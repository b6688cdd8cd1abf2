import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Forge } from '../../domain/forge/webhook.ts';

/**
 * What became of a message of a forge. `taken`: Temporal has it. `duplicate`: so it had before, from the same gateway. `ignored`:
 * there is nothing to do. `refused`: the sender is at fault. `failed`: we are, and only who delivers it again is heard.
 */
export const DELIVERY_RESULTS = ['taken', 'duplicate', 'ignored', 'refused', 'failed'] as const;
/** What became of a webhook, as the metrics name it. */
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/** One request and how it was answered. */
export interface Answered {
  /** The address as the gateway knows it, such as `/v1/runs/:id`; what somebody asked for besides is no label. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The metrics of a gateway: what it counts of requests and of itself (docs/observability.md). */
export interface GatewayMetrics {
  /** Counts an answered request, by route and status. */
  answered(answer: Answered): void;
  /** Counts a webhook, by forge and what became of it. */
  delivered(forge: Forge, result: DeliveryResult): void;
  /** Shows the messages of a forge from now on, though none came: from a counter that was not there nobody sees it rise. */
  expect(forge: Forge): void;
  /** All of them in Prometheus' text format. */
  text(): Promise<string>;
}

/** Seconds: from an answer out of memory to the patience of a forge, which is ten. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Metrics that begin at nothing. */
export function createGatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: 'longhaul_gateway_answers_total',
    help: 'Requests that were answered, by route and status',
    labelNames: ['route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'longhaul_gateway_answer_seconds',
    help: 'How long an answer took',
    labelNames: ['route'],
    buckets: ANSWER_BUCKETS,
    registers,
  });
  const deliveries = new Counter({
    name: 'longhaul_gateway_deliveries_total',
    help: `Messages of forges by what became of them: ${DELIVERY_RESULTS.join(', ')}`,
    labelNames: ['forge', 'result'],
    registers,
  });
  return {
    answered({ route, status, seconds: took }) {
      answers.inc({ route, status });
      seconds.observe({ route }, took);
    },
    delivered: (forge, result) => deliveries.inc({ forge, result }),
    expect(forge) {
      for (const result of DELIVERY_RESULTS) deliveries.inc({ forge, result }, 0);
    },
    text: () => registry.metrics(),
  };
}
