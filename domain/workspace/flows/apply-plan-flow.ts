import { defineFlow } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { digest, personName, type RequestFields, requestId } from '../../shared/request.ts';
import { type WorkspaceFields, workspaceFields } from './workspace-fields.ts';

/** Input of `applyPlan`. */
export interface ApplyPlanInput extends RequestFields, WorkspaceFields {
  /** SHA-256 of the plan in the blob store. */
  readonly plan: string;
  /** Refuses a plan that was made more seconds ago. @default any age */
  readonly maxAgeSeconds?: number;
  /** Checks everything and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** What the person has confirmed, by name: `web leaves with unsaved work`. It is in the audit trail. @default nothing */
  readonly confirmed?: readonly string[];
}

/** Result of `applyPlan`. */
export interface ApplyPlanResult {
  /** The id of the plan. */
  readonly plan: string;
  /** `unchanged`: the workspace was as the plan wants it. `verified`: a dry run found nothing in its way. */
  readonly outcome: 'committed' | 'unchanged' | 'verified';
  /** Operations of the plan. */
  readonly operations: number;
  /** What is not as desired afterwards, a sentence each. The workspace is ready when there is none. */
  readonly drift: readonly string[];
  /** Folders of repositories that were taken away and got something new meanwhile. */
  readonly kept: readonly string[];
  /** Links of which no tool has said that they hold, a sentence each; runs of earlier versions have none. */
  readonly unverified?: readonly string[];
}

/** Applies a plan to a workspace of a machine: all of it, or nothing. */
export const applyPlanFlow = defineFlow<ApplyPlanInput, ApplyPlanResult>()({
  type: 'applyPlan',
  act: {
    event: 'workspace',
    resource: 'workspace',
    action: 'apply',
    named: ['host', 'root'],
    subject: (host = '', root = '') => workspaceKey(host, root),
  },
  input: (z) =>
    z.strictObject({
      ...workspaceFields(z),
      plan: digest(z),
      maxAgeSeconds: z.int().min(1).optional(),
      dryRun: z.boolean().default(false),
      confirmed: z.array(z.string().min(1).max(1_000)).max(100).optional(),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'applies [a plan](workspaces.md#plans) to a workspace on a machine, all of it or nothing',
  examples: [{ host: 'build-1', root: '/home/ada/work/login', plan: 'a'.repeat(64) }],
  startedBy: ['people'],
  id: ({ host, root }) => workspaceKey(host, root),
  busy: ({ root, host }) => ({ type: 'WorkspaceBusy', message: `Another run works on ${root} of ${host}.` }),
  summary: ({ host, root }) => `apply a plan to ${root} on ${host}`.slice(0, 200),
  updates: { ...rollbackUpdates },
  person: 'by',
  isRequested: true,
});

/** What names a workspace in ids of flows and in records: `workspace/build-1/home/ada/work/login`. */
export function workspaceKey(host: string, root: string): string {
  return `workspace/${host}${root}`;
}
