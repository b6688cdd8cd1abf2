import { parser } from '@prometheus-io/lezer-promql';

/** The names of the metrics in a PromQL expression. Throws when Prometheus' own grammar rejects it. */
export function metricsIn(expression: string): string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, node, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at "${expression.slice(from, to + 10)}": ${expression}`);
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') {
        names.push(expression.slice(from, to));
      }
    },
  });
  return names;
}

/** A PromQL expression as Grafana sends it: its own variables filled in. */
export function withoutVariables(expression: string): string {
  return expression.replaceAll('$__rate_interval', '1m').replaceAll('"$group"', '".*"');
}
