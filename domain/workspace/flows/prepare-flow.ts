import { defineFlow } from '../../shared/flow.ts';
import { digest, personName, type RequestFields, requestId } from '../../shared/request.ts';
import type { StartFrom } from '../../shared/stages.ts';
import { LONGEST_TTL_SECONDS } from '../time-to-live.ts';
import { workspaceKey } from './apply-plan-flow.ts';
import { TEARDOWN_MODES, type TeardownMode, type TeardownResult } from './teardown-flow.ts';
import { type WorkspaceFields, workspaceFields } from './workspace-fields.ts';

/** The stages of a workspace's life, in their order. */
export const PREPARE_STAGES = [
  'intent',
  'discovery',
  'opportunity',
  'requirements',
  'snapshot',
  'plan',
  'validation',
  'materialization',
  'observation',
  'repair',
  'teardown',
] as const;

/** Stages at which a life can be entered. */
export const ENTRY_STAGES = ['intent', 'opportunity', 'requirements', 'plan'] as const;
/** One of {@link ENTRY_STAGES}. */
export type EntryStage = (typeof ENTRY_STAGES)[number];

/** What the stages have found; null for those before the one that was entered. */
export interface PrepareOutputs extends Readonly<Record<string, unknown>> {
  readonly intent: null;
  readonly discovery: null;
  readonly opportunity: null;
  /** Names of the repositories that the manifest asks for. */
  readonly requirements: { readonly repos: readonly string[]; readonly ttlSeconds: number | null } | null;
  /** Id of the snapshot, and what it would take. */
  readonly snapshot: { readonly id: string; readonly plan: string | null; readonly operations: number } | null;
  /** SHA-256 of the plan; null when nothing has to be done. */
  readonly plan: string | null;
  /** The id of the plan. */
  readonly validation: string | null;
  readonly materialization: 'committed' | 'unchanged' | null;
  readonly observation: { readonly isReady: boolean };
  readonly repair: { readonly mode: TeardownMode | null };
  readonly teardown: TeardownResult | null;
}

/** What a run continues after it continued as new. */
export interface ContinuedLife {
  readonly from: StartFrom<PrepareOutputs>;
  /** Milliseconds since 1970; null for no end. */
  readonly endsAt: number | null;
  readonly watch: WatchedLife;
}

/** What a life knows about its workspace while it watches it. */
export interface WatchedLife {
  /** The work that was there when the end was last moved. */
  readonly work: string | null;
  /** What the watch has seen last. */
  readonly seen: string | null;
  /** Names of the repositories that the workspace shall have. */
  readonly repos: readonly string[];
  /** Names of those that it should have before, and that have not left yet. */
  readonly former: readonly string[];
  /** True when the workspace is as its manifest says. */
  readonly isReady: boolean;
  /** True when `workspace.ready` is in the audit trail. */
  readonly isRecorded: boolean;
  /** True when a repair has to follow. */
  readonly isDrifted: boolean;
  /** What waits for a person, in lines for people. */
  readonly waiting: readonly string[];
}

/** Input of `prepareWorkspace`. */
export interface PrepareInput extends RequestFields, WorkspaceFields {
  /** @default 'requirements', which are those of the manifest */
  readonly enter?: EntryStage;
  /** For a life that is entered at `plan`: SHA-256 of the plan in the blob store. */
  readonly plan?: string;
  /** How long it lives, in seconds. @default what the manifest says, else as long as it is needed */
  readonly ttlSeconds?: number;
  /** Seconds between looks at the workspace. @default 30 */
  readonly checkSeconds?: number;
  /** Only set when the flow continues as new. */
  readonly continued?: ContinuedLife;
}

/** Result of `prepareWorkspace`. */
export interface PrepareResult {
  /** How it ended; null when another run ended it. */
  readonly mode: TeardownMode | null;
  readonly teardown: TeardownResult | null;
}

/** Prepares a workspace, and stays with it until it ends. */
export const prepareFlow = defineFlow<PrepareInput, PrepareResult>()({
  type: 'prepareWorkspace',
  act: {
    event: 'workspace',
    resource: 'workspace',
    action: 'prepare',
    named: ['host', 'root'],
    subject: (host = '', root = '') => workspaceKey(host, root),
  },
  input: (z) =>
    z
      .strictObject({
        ...workspaceFields(z),
        enter: z.enum(ENTRY_STAGES).default('requirements'),
        plan: digest(z).optional(),
        ttlSeconds: z.int().min(1).max(LONGEST_TTL_SECONDS).optional(),
        checkSeconds: z.int().min(1).max(3_600).default(30),
        continued: z.custom<ContinuedLife>((value) => typeof value === 'object' && value !== null).optional(),
        by: personName(z),
        requestId: requestId(z),
      })
      .refine(({ enter, plan }) => (enter === 'plan') === (plan !== undefined), {
        path: ['plan'],
        message: 'give a plan exactly when the stage plan is entered',
      }),
  does: 'prepares [a workspace](workspaces.md#the-life-of-a-workspace), watches and repairs it, and ends it',
  examples: [{ host: 'build-1', root: '/home/ada/work/login', ttlSeconds: 7_200 }],
  startedBy: ['people'],
  id: ({ host, root }) => lifeKey(host, root),
  question: ({ host, root }) => ({ host, root }),
  busy: ({ root, host }) => ({ type: 'WorkspaceBusy', message: `Another run stays with ${root} of ${host}.` }),
  summary: ({ host, root }) => `the life of ${root} on ${host}`.slice(0, 200),
  updates: {
    end: (z) => z.strictObject({ mode: z.enum(TEARDOWN_MODES) }),
    extend: (z) => z.strictObject({ seconds: z.int().min(1).max(LONGEST_TTL_SECONDS) }),
  },
  queries: ['stages'],
  person: 'by',
  isRequested: true,
});

/** The workflow id of the life of a workspace; flows that change it have another one. */
export function lifeKey(host: string, root: string): string {
  return `workspace-life/${host}${root}`;
}
