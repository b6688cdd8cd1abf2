import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { Forge } from '../../domain/forge/webhook.ts';
import { IGNORED_REASONS, type IgnoredReason } from '../../domain/forge/webhook/action.ts';

/**
 * The result of a delivery. `taken`: Temporal has it. `duplicate`: this gateway took it before. `ignored`: nothing to
 * do. `refused`: the sender's fault (4xx). `failed`: our fault (5xx). The delivery is lost unless the forge sends it
 * again.
 */
export const DELIVERY_RESULTS = ['taken', 'duplicate', 'ignored', 'refused', 'failed'] as const;
/** Who sends webhooks: a forge, or Alertmanager. */
export type WebhookSender = Forge | 'alertmanager';
/** The result of a webhook, as a metric label. */
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/** A request and its response. */
export interface Answered {
  /** The route, such as `/v1/runs/:id`; unknown paths share one label. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** The metrics of a gateway, about requests and itself (docs/observability.md). */
export interface GatewayMetrics {
  /** Counts an answered request, by route and status. */
  answered(answer: Answered): void;
  /** Counts a webhook, by sender and result. */
  delivered(forge: WebhookSender, result: DeliveryResult): void;
  /** Counts an ignored webhook, by forge and reason. */
  ignored(forge: WebhookSender, reason: IgnoredReason): void;
  /**
   * Exports the counters of a forge from now on with value zero: an increase from a missing counter would not be
   * visible.
   */
  expect(forge: WebhookSender): void;
  /** All of them in Prometheus' text format. */
  text(): Promise<string>;
}

/** Seconds: from an immediate answer to a forge's timeout, which is ten. */
const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Creates metrics without values. */
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
    help: `Deliveries of forges by result: ${DELIVERY_RESULTS.join(', ')}`,
    labelNames: ['forge', 'result'],
    registers,
  });
  const ignored = new Counter({
    name: 'longhaul_gateway_ignored_total',
    help: `Ignored deliveries of forges by reason: ${Object.keys(IGNORED_REASONS).join(', ')}`,
    labelNames: ['forge', 'reason'],
    registers,
  });
  return {
    answered({ route, status, seconds: took }) {
      answers.inc({ route, status });
      seconds.observe({ route }, took);
    },
    delivered: (forge, result) => deliveries.inc({ forge, result }),
    ignored: (forge, reason) => ignored.inc({ forge, reason }),
    expect(forge) {
      for (const result of DELIVERY_RESULTS) deliveries.inc({ forge, result }, 0);
      for (const reason of Object.keys(IGNORED_REASONS)) ignored.inc({ forge, reason }, 0);
    },
    text: () => registry.metrics(),
  };
}
