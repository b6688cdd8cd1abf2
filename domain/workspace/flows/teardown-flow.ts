import { defineFlow, type Zod } from '../../shared/flow.ts';
import { rollbackUpdates } from '../../shared/repair.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';
import { workspaceKey } from './apply-plan-flow.ts';
import { type WorkspaceFields, workspaceFields } from './workspace-fields.ts';

/** What is left of a workspace that ends. */
export const TEARDOWN_MODES = ['detach', 'clean', 'preserve'] as const;
/**
 * `clean`: what the workspace has attached goes, unless another workspace of the machine needs it. `detach`: links and files
 * of Longhaul go, repositories stay. `preserve`: everything stays.
 */
export type TeardownMode = (typeof TEARDOWN_MODES)[number];

/** Input of `teardownWorkspace`. */
export interface TeardownInput extends RequestFields, WorkspaceFields {
  readonly mode: TeardownMode;
}

/** Something that a person must confirm by its name before a workspace ends. */
export interface Loss {
  /** A repository; `tests:REPOSITORY` for one whose tests have not passed at its commit. */
  readonly name: string;
  /** What would be lost, or is not known, a sentence each. */
  readonly work: readonly string[];
}

/** The argument of the update `confirmLoss`. */
export interface LossConfirmation {
  /** {@link Loss.name}. */
  readonly name: string;
  /** False ends the flow, and nothing is changed. */
  readonly proceed: boolean;
  /** Who answers: a name that proves nothing. @default 'unknown' */
  readonly by?: string;
}

/** Result of `teardownWorkspace`. */
export interface TeardownResult {
  readonly mode: TeardownMode;
  /** Operations of the plan. */
  readonly operations: number;
  /** Repositories that were kept in quarantine, and the id of each. */
  readonly quarantined: readonly { readonly name: string; readonly id: string }[];
  /** Repositories that stay because another workspace needs them, a sentence each. */
  readonly needed: readonly string[];
  /** What is not as it was before the workspace, a sentence each. The workspace has ended when there is none. */
  readonly drift: readonly string[];
  /** Folders with something new that came into a repository while it was taken away, and what is left in `.graft`. */
  readonly kept: readonly string[];
}

/** The schema of a {@link LossConfirmation} that a service sends. */
export const lossSchema = (z: Zod) => z.strictObject({ name: z.string().min(1).max(300), proceed: z.boolean() });

/** Ends a workspace. */
export const teardownFlow = defineFlow<TeardownInput, TeardownResult>()({
  type: 'teardownWorkspace',
  act: {
    event: 'workspace',
    resource: 'workspace',
    action: 'tear down',
    named: ['host', 'root'],
    subject: (host = '', root = '') => workspaceKey(host, root),
  },
  input: (z) =>
    z.strictObject({
      ...workspaceFields(z),
      mode: z.enum(TEARDOWN_MODES),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'ends [a workspace](workspaces.md#the-end-of-a-workspace): as it was before, without its links, or as it is',
  examples: [{ host: 'build-1', root: '/home/ada/work/login', mode: 'clean' }],
  startedBy: ['people'],
  id: ({ host, root }) => workspaceKey(host, root),
  question: ({ host, root, mode }) => ({ host, root, mode }),
  busy: ({ root, host }) => ({ type: 'WorkspaceBusy', message: `Another run works on ${root} of ${host}.` }),
  summary: ({ host, root, mode }) => `end ${root} on ${host} (${mode})`.slice(0, 200),
  updates: { ...rollbackUpdates, confirmLoss: lossSchema },
  queries: ['losses'],
  person: 'by',
  isRequested: true,
});
