import type { AlertChanges } from '../../../domain/catalog/groups/alerts.ts';
import type { ChannelMessage } from '../../alerts/channels.ts';

/** Alerts raised and resolved, as sent to a channel. */
export interface AlertMessage extends AlertChanges {
  /** Identifies this message, so that a receiver can drop duplicates. */
  readonly id: string;
  /** `index.name` in longhaul.yaml. */
  readonly index: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The message for a channel. */
export function alertsAsMessage(alerts: AlertMessage): ChannelMessage {
  const { id, index, raised, settled } = alerts;
  const lines = [...raised.map(({ text }) => `ALERT ${text}`), ...settled.map(({ text }) => `resolved: ${text}`)];
  const title = `Longhaul ${index}: ${raised.length} alerts, ${settled.length} resolved`;
  return { id, body: alerts, text: [title, ...lines].join('\n') };
}
