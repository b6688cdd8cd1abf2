import { readFileSync } from 'node:fs';
import { checkWorkspacePlan } from '../../../activities/workspace/apply-plan.ts';
import { siteOf } from './plan-site.ts';

// looks at a plan as the machine does for a dry run, in a process that can be traced
const order = JSON.parse(process.argv[2] ?? '') as {
  readonly scratch: string;
  readonly root: string;
  readonly plan: string;
};
const { plan, operations } = await checkWorkspacePlan(readFileSync(order.plan), siteOf(order));
process.stdout.write(JSON.stringify({ plan, operations }));
