import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Role, RoleKind } from '../../domain/shared/roles.ts';
import type { WeaviateAddress } from '../index/store/weaviate.ts';
import type { ReadinessCheck } from '../telemetry/status-server.ts';
import type { LoadedConfig } from './config.ts';

/** Limits of a role's worker that replace the SDK's defaults. If several wings set one, the smallest applies. */
export interface RoleLimits {
  /** Activities that run concurrently in one process. */
  readonly concurrentActivities?: number;
  /** The most milliseconds between heartbeats to the server: a cancellation arrives with the answer to one. */
  readonly heartbeatMs?: number;
}

/** The work of a wing in a role. */
export interface RoleWork {
  /** The functions by activity type. A type belongs to one wing. */
  readonly activities: object;
  /** @default the limits of the SDK */
  readonly limits?: RoleLimits;
}

/** The work of a role, with its tools open. */
export interface OpenRole extends RoleWork {
  /** Checks that must pass for the process to be ready. @default none */
  readonly checks?: readonly ReadinessCheck[];
  /** Closes the tools, when no activity runs any more. */
  close?(): Promise<void>;
}

/** What a starting worker process offers to the wings. */
export interface WorkerStart {
  readonly loaded: LoadedConfig;
  readonly env: NodeJS.ProcessEnv;
  /** A client of Temporal. */
  readonly client: Client;
  /** Metrics that are registered here are exported by the process. */
  readonly registry: Registry;
  /** Where servers and files are, resolved on request. */
  readonly places: {
    /** Throws `ServerUnavailable` when no Weaviate is configured. */
    weaviate(): WeaviateAddress;
    /** The address of the ledger, with the writer's login. Throws `ServerUnavailable` when no database is configured. */
    ledger(): string;
    /** The folder with the files of the built-in models, which are downloaded if needed. */
    modelFolder(): Promise<string>;
  };
  /** For events of this process: `logProcess`. */
  readonly logger: Logger;
  /** Aborted when the process must stop. */
  readonly signal: AbortSignal;
}

/** A wing's part in a role; a wing with work in two roles has two of these. */
export interface WingRole {
  readonly role: RoleKind;
  /**
   * Opens the tools and prepares the first task. Called once, by processes that serve the role, with its full name. Must
   * reject soon after the signal is aborted.
   */
  open(start: WorkerStart, role: Role): Promise<OpenRole>;
}
