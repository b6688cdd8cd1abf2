import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { metricsIn, withoutVariables } from './promql.ts';

/** A query that ships with Longhaul, and its place. */
export interface DeployedQuery {
  readonly where: string;
  readonly expression: string;
  readonly metrics: readonly string[];
}

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

/** Every query of the alert rules and of the dashboard in `deploy/`. Throws when one of them is not PromQL. */
export function deployedQueries(): DeployedQuery[] {
  const read = (path: string): string => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
  const { groups } = parse(read('prometheus/longhaul-rules.yml')) as { groups: { rules: Rule[] }[] };
  const { panels } = JSON.parse(read('grafana/longhaul-dashboard.json')) as { panels: Panel[] };
  const rules = groups.flatMap((group) => group.rules);
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const queries = [
    ...rules.map(({ alert, record, expr }) => ({ where: `rule ${alert ?? record}`, expression: expr })),
    ...panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ where: `panel ${title}`, expression: expr })),
    ),
  ];
  return queries.map(({ where, expression }) => {
    const filled = withoutVariables(expression);
    return { where, expression: filled, metrics: metricsIn(filled).filter((name) => !recorded.has(name)) };
  });
}
