import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Role } from '../../domain/shared/roles.ts';
import type { WeaviateAddress } from '../index/store/weaviate.ts';
import type { ReadinessCheck } from '../telemetry/status-server.ts';
import type { LoadedConfig } from './config.ts';

/** Limits of the worker of a role, where the SDK's defaults do not fit. When several wings set one, the smallest applies. */
export interface RoleLimits {
  /** Activities that run concurrently in one process. */
  readonly concurrentActivities?: number;
  /** Milliseconds between the heartbeats that reach the server, at most: a cancellation arrives with the answer to one. */
  readonly heartbeatMs?: number;
}

/** What a worker of a role does for a wing. */
export interface RoleWork {
  /** The functions by activity type. A type belongs to one wing. */
  readonly activities: object;
  /** @default the limits of the SDK */
  readonly limits?: RoleLimits;
}

/** The work of a role, with its tools open. */
export interface OpenRole extends RoleWork {
  /** What has to answer for the process to be ready. @default nothing */
  readonly checks?: readonly ReadinessCheck[];
  /** Closes the tools, when no activity runs any more. */
  close?(): Promise<void>;
}

/** What a worker process that starts offers to the wings. */
export interface WorkerStart {
  readonly loaded: LoadedConfig;
  readonly env: NodeJS.ProcessEnv;
  /** A client of Temporal. */
  readonly client: Client;
  /** Metrics that are registered here are exported by the process. */
  readonly registry: Registry;
  /** Where servers and files are. A wing asks only for those that it needs. */
  readonly places: {
    /** Throws `ServerUnavailable` when no Weaviate is named. */
    weaviate(): WeaviateAddress;
    /** The folder with the files of the built-in models, which are fetched if needed. */
    modelFolder(): Promise<string>;
  };
  /** For events of this process: `logProcess`. */
  readonly logger: Logger;
  /** Aborted when the process has to stop. */
  readonly signal: AbortSignal;
}

/** What a wing does in a role. A wing with work for two roles hands over two of these. */
export interface WingRole {
  readonly role: Role;
  /**
   * Opens the tools and makes everything ready for the first task. Called once, by processes that serve the role. Must reject
   * soon after the signal is aborted.
   */
  open(start: WorkerStart): Promise<OpenRole>;
}
