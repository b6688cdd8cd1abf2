import type { PackedCommit } from '../pipelines/job.ts';
import type { RequiredApprovals } from '../promotion/promotion.ts';
import type { CanarySteps } from './canary.ts';
import type { RenderedService } from './environment-check.ts';
import type { SharedSource } from './shared-file.ts';

/** What a deployment does with an object. `none`: it is as the release wants it. */
export type ObjectAction = 'create' | 'update' | 'delete' | 'none';

/** A released commit. */
export interface ReleasedCommit {
  /** `v1.5.0` */
  readonly version: string;
  /** Full oid. */
  readonly commit: string;
}

/** What a flow needs to know about an environment before it waits for its turn. */
export interface DeployPlace {
  readonly name: string;
  /** The names of the environments before it. */
  readonly earlier: readonly string[];
  readonly services: readonly DeployService[];
  /** What a deployment does that finds another one at work. */
  readonly concurrency: 'wait' | 'replace' | 'refuse';
  readonly irreversible: 'refuse' | 'gate';
  /** Seconds. */
  readonly watch: number;
  readonly soak: number;
}

/** A service of an environment, as a flow needs it. */
export interface DeployService {
  readonly name: string;
  readonly needs: readonly string[];
  /** Seconds until its objects must be ready. */
  readonly ready: number;
  readonly before: readonly DeployHook[];
  readonly after: readonly DeployHook[];
  /** True when programs check its health. */
  readonly hasPrograms: boolean;
  /** Null for a service that gets a release at once. */
  readonly canary: CanarySteps | null;
}

/** A hook of a service. */
export interface DeployHook {
  readonly name: string;
  /** False for one that cannot be taken back. */
  readonly hasDown: boolean;
}

/** Asks for the plan of a deployment. */
export interface PlanDeployment extends ReleasedCommit {
  readonly repository: string;
  readonly packed: PackedCommit;
  /** Digest of the contracts of the commit. */
  readonly contracts: string;
  readonly environment: string;
  /** The services to deploy, with their sealed manifests. */
  readonly services: readonly RenderedService[];
  /** The references to deploy by service and name of the image: `ghcr.io/acme/api@sha256:…`. */
  readonly images: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** True when only some of the environment's services are deployed: what the others have stays. */
  readonly isPartial: boolean;
  /** True for a deployment that goes back to an earlier release. */
  readonly goBack: boolean;
  /** True for the commit of a pipeline's run, which is not released. */
  readonly isCandidate: boolean;
  readonly by: string;
  /** True writes nothing to the ledger. */
  readonly isDryRun: boolean;
}

/** The plan of a deployment, without the contents of objects. */
export interface PlannedDeployment {
  /** Its id: that of the run. */
  readonly deployment: string;
  /** SHA-256, keyed, of everything that is approved: what is to be, and how it comes about. */
  readonly digest: string;
  /** The file of another repository that has the environment; null for one of the repository itself. */
  readonly shared: SharedSource | null;
  /** Digest of the difference as text, secrets masked. */
  readonly diff: string;
  readonly counts: Readonly<Record<ObjectAction, number>>;
  /** The services that change, with the number of their objects. */
  readonly changes: readonly { readonly service: string; readonly objects: number }[];
  /** The services whose workloads get the release step by step. */
  readonly canaries: readonly string[];
  /** The services with objects that are changed when their workloads are ready. */
  readonly settled: readonly string[];
  /** What keeps the deployment from being done, a sentence each; empty when nothing does. */
  readonly problems: readonly string[];
  /** What could not be undone, a sentence each; empty when everything can. */
  readonly irreversible: readonly string[];
  /** Images of what changes that are given by tag: a pod that starts later, also after an undo, may get other content. @default none */
  readonly imagesByTag?: readonly string[];
  /** The release that the environment has; null for the first one. */
  readonly previous: PreviousRelease | null;
  /** The release to which `longhaul rollback` goes back when this one stays; null for none. */
  readonly back: string | null;
  /** The freeze windows that are open, a sentence each. */
  readonly freezes: readonly string[];
  /** Who must approve; null when no one is asked. */
  readonly approvals: RequiredApprovals | null;
  /** Where the changes begin whose authors may not approve, null for all commits; undefined when authors may. */
  readonly authorsSince?: string | null;
  /** True when objects are deleted. */
  readonly deletes: boolean;
}

/** How a deployment ended, as the ledger has it. */
export type DeploymentEnd = 'deployed' | 'undone' | 'not undone' | 'refused' | 'cancelled';

/** The annotations by which an object says which deployment of which repository and environment wrote it last. */
export const RELEASE_ANNOTATION = 'longhaul/release';
/** See {@link RELEASE_ANNOTATION}. */
export const DEPLOYMENT_ANNOTATION = 'longhaul/deployment';
/** See {@link RELEASE_ANNOTATION}. */
export const REPOSITORY_ANNOTATION = 'longhaul/repository';
/** See {@link RELEASE_ANNOTATION}. */
export const ENVIRONMENT_ANNOTATION = 'longhaul/environment';

/** The release that an environment has before a deployment. */
export interface PreviousRelease extends ReleasedCommit {
  readonly deployment: string;
  readonly packed: PackedCommit;
  /** Digest of the contracts of its commit. */
  readonly contracts: string;
  /** The services that have objects in the environment. */
  readonly services: readonly string[];
}
