import { readFileSync } from 'node:fs';
import { identifyPlan } from '../activities/workspace/workspace-ids.ts';
import { planWorkspace } from '../domain/workspace/plan-workspace.ts';
import type { WorkspaceSnapshot } from '../domain/workspace/workspace-snapshot.ts';

// started by workspace-planning.ts, so that its memory is only that of planning
const [current = '', desired = ''] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const timesOf = (work: () => unknown): number => {
  const started = performance.now();
  work();
  return performance.now() - started;
};
const json = (): unknown => [current, desired].map((text) => JSON.stringify(JSON.parse(text)));
const states = [current, desired].map((text) => JSON.parse(text) as WorkspaceSnapshot);
const [from, to] = states;
if (from === undefined || to === undefined) throw new Error('two snapshots are needed');
const plan = () => identifyPlan(planWorkspace(from, to), '2026-01-01T00:00:00.000Z');
// the first of each compiles
json();
const { id, operations } = plan();
const [jsonMs, planMs] = [timesOf(json), timesOf(plan)];
const { maxRSS } = process.resourceUsage();
process.stdout.write(JSON.stringify({ id, operations: operations.length, jsonMs, planMs, megabytes: maxRSS / 1_000 }));
