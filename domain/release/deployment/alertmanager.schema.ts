import { z } from 'zod';
import { matchesWildcards } from '../../git/pattern.ts';
import { isRepositoryId } from '../../git/repository.ts';
import { type FiringAlert, LONGEST_NAME, LONGEST_SUMMARY, plainText } from './alert.ts';

const texts = z.record(z.string(), z.string());

/** A message of Alertmanager, version 4 of its webhooks, as far as it is read. */
const message = z.object({
  version: z.literal('4'),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: texts,
        annotations: texts.default({}),
        startsAt: z.iso.datetime({ offset: true }),
        fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
      }),
    )
    .max(10_000),
});

/** The names of the labels that say what an alert is about, and what that may be. */
export interface AlertLabels {
  /** Ids of repositories, with `*` and `?`. */
  readonly repositories: readonly string[];
  readonly repository: string;
  readonly environment: string;
}

/** The alerts of a message that fire and name a repository and an environment. */
export interface AlertsOfEnvironment {
  readonly repository: string;
  readonly environment: string;
  readonly alerts: readonly FiringAlert[];
}

/** Alerts of one environment that are answered together, those that began last: more are one incident. */
const MOST_ALERTS = 50;

/**
 * The alerts of a message by environment. Those that are resolved, or do not name an environment of these repositories, are left out. Null for
 * what is not a message of Alertmanager.
 */
export function firingAlerts(given: unknown, names: AlertLabels): readonly AlertsOfEnvironment[] | null {
  const parsed = message.safeParse(given);
  if (!parsed.success) return null;
  const found = new Map<string, { repository: string; environment: string; alerts: FiringAlert[] }>();
  const latest = parsed.data.alerts.toSorted((one, other) => Date.parse(other.startsAt) - Date.parse(one.startsAt));
  for (const { status, labels, annotations, startsAt, fingerprint } of latest) {
    const { [names.repository]: repository, [names.environment]: environment } = labels;
    if (status !== 'firing' || repository === undefined || environment === undefined) continue;
    if (!isRepositoryId(repository) || !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(environment)) continue;
    if (!names.repositories.some((each) => matchesWildcards(each.toLowerCase(), repository.toLowerCase()))) continue;
    const key = `${repository} ${environment}`;
    const place = found.get(key) ?? { repository, environment, alerts: [] };
    found.set(key, place);
    if (place.alerts.length >= MOST_ALERTS) continue;
    place.alerts.push({
      name: plainText(labels['alertname'] ?? '', LONGEST_NAME) || 'alert',
      summary: plainText(
        annotations['summary'] ?? annotations['description'] ?? annotations['message'] ?? '',
        LONGEST_SUMMARY,
      ),
      fingerprint,
      startsAt: new Date(startsAt).toISOString(),
    });
  }
  return [...found.values()];
}
