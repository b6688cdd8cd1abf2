import { defineFlow } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { digest, personName, type RequestFields, requestId } from '../../shared/request.ts';
import { workspaceKey } from './apply-plan-flow.ts';
import { lossSchema } from './teardown-flow.ts';
import { type WorkspaceFields, workspaceFields } from './workspace-fields.ts';

/** Input of `repairWorkspace`. */
export interface RepairWorkspaceInput extends RequestFields, WorkspaceFields {
  /** False: what people decide is left as it is, without a question. @default true */
  readonly asks?: boolean;
  /**
   * Names of repositories that leave without a question, as long as they have no work, when the workspace shall not have them.
   * @default none
   */
  readonly agreed?: readonly string[];
  /** SHA-256 of the plan in the blob store that the workspace was made by. @default its manifest alone counts */
  readonly plan?: string;
}

/** Result of `repairWorkspace`. */
export interface RepairWorkspaceResult {
  /** What was done, a sentence each. */
  readonly repaired: readonly string[];
  /** Repositories that were kept in quarantine before they left, and the id of each. */
  readonly quarantined: readonly { readonly name: string; readonly id: string }[];
  /** What a person has left as it is, or has not been asked about, a sentence each. */
  readonly left: readonly string[];
  /** What still is not as the manifest says, other than that. */
  readonly drift: readonly string[];
}

/** Repairs a workspace. */
export const repairWorkspaceFlow = defineFlow<RepairWorkspaceInput, RepairWorkspaceResult>()({
  type: 'repairWorkspace',
  act: {
    event: 'workspace',
    resource: 'workspace',
    action: 'repair',
    named: ['host', 'root'],
    subject: (host = '', root = '') => workspaceKey(host, root),
  },
  input: (z) =>
    z.strictObject({
      ...workspaceFields(z),
      asks: z.boolean().default(true),
      agreed: z.array(z.string().min(1).max(500)).max(10_000).default([]),
      plan: digest(z).optional(),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'makes [a workspace](workspaces.md#repairs) as its manifest says again, and asks about what a person has changed',
  examples: [{ host: 'build-1', root: '/home/ada/work/login' }],
  startedBy: ['people'],
  id: ({ host, root }) => workspaceKey(host, root),
  question: ({ host, root }) => ({ host, root, repair: true }),
  busy: ({ root, host }) => ({ type: 'WorkspaceBusy', message: `Another run works on ${root} of ${host}.` }),
  summary: ({ host, root }) => `repair ${root} on ${host}`.slice(0, 200),
  updates: { ...rollbackUpdates, confirmLoss: lossSchema },
  queries: ['losses'],
  person: 'by',
  isRequested: true,
});
