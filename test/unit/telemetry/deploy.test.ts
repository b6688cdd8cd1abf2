import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { deployedQueries } from '../../support/deployed-queries.ts';
import { metricsIn } from '../../support/promql.ts';

const RULES = fileURLToPath(new URL('../../../deploy/prometheus/', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

describe('alert rules and dashboard', () => {
  test('are valid PromQL that selects something', () => {
    const queries = deployedQueries();
    expect(queries.length).toBeGreaterThan(20);
    for (const { where, metrics } of queries) expect(metrics, where).not.toEqual([]);
  });

  test.for(['max by group (x)', 'x{', 'rate(x[5m)', 'sum(x) >'])('%j would be refused', (expression) => {
    expect(() => metricsIn(expression)).toThrow(/no PromQL/);
  });

  test('every alert has a severity and a description, and is in the documentation and in the tests of the rules', () => {
    const { groups } = parse(readFileSync(`${RULES}longhaul-rules.yml`, 'utf8')) as {
      groups: { rules: { alert?: string; labels?: object; annotations?: object }[] }[];
    };
    const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);
    const docs = readFileSync(new URL('../../../docs/observability.md', import.meta.url), 'utf8');
    const tests = readFileSync(`${RULES}longhaul-rules.test.yml`, 'utf8');
    expect(alerts.length).toBeGreaterThan(5);
    for (const { alert = '', labels, annotations } of alerts) {
      expect(labels, alert).toMatchObject({ severity: expect.stringMatching(/^(critical|warning)$/) as string });
      expect(annotations, alert).toMatchObject({ summary: expect.any(String) as string });
      expect(docs).toContain(`\`${alert}\``);
      expect(tests.split(alert).length, alert).toBeGreaterThanOrEqual(3);
    }
  });

  // only where it is installed: it takes minutes to build, and no package registry has binaries of it
  test.skipIf(!hasPromtool)('promtool confirms the tests of the rules', () => {
    for (const args of [
      ['check', 'rules', 'longhaul-rules.yml'],
      ['test', 'rules', 'longhaul-rules.test.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: RULES, encoding: 'utf8' });
      expect(status, `${stdout}${stderr}`).toBe(0);
    }
  });
});
