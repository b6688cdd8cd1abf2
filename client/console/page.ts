import type { Readable } from 'node:stream';
import type { Client } from '@temporalio/client';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import type { LedgerDatabase } from '../../activities/ledger/open-ledger.ts';
import type { CliContext } from '../core/context.ts';
import type { PageContent } from './layout.ts';

/** What pages read from. Nothing is opened before a page needs it. */
export interface ConsoleSources {
  readonly context: CliContext;
  readonly client: Client;
  /** Address of Temporal's web interface; null when it is not known. */
  readonly uiUrl: string | null;
  readonly flows: FlowRegistry;
  /**
   * Reads the ledger with the login that only reads. Throws `ServerUnavailable`, `LedgerOutdated`,
   * `AuthenticationFailed`.
   */
  readonly ledger: <Result>(read: (ledger: LedgerDatabase) => Promise<Result>) => Promise<Result>;
}

/** A request for a page. */
export interface PageQuestion {
  /** Variable parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A page of the console. */
export interface ConsolePage {
  /** Path below the console, with variable parts as `:name`. */
  readonly path: string;
  /** Its name in the navigation; null for a page that another page links to. */
  readonly name: string | null;
  /** True to send its content again when it changes. @default false */
  readonly isLive?: boolean;
  /** Its content; null when there is nothing at this path. Throws a `LonghaulError` that the page then shows. */
  render(request: PageQuestion): Promise<PageContent | null>;
  /** A file in place of the page, for requests that ask for one; null for others. */
  download?(request: PageQuestion): Promise<Download | null>;
}

/** A text file that a page offers. */
export interface Download {
  /** Letters, digits, dots and hyphens. */
  readonly name: string;
  readonly content: Readable;
}

/** The pages of a part of the product, and what they keep open. */
export interface ConsolePart {
  readonly pages: readonly ConsolePage[];
  /** Closes connections. */
  close(): Promise<void>;
}

/** The number of a page of a long list in a query, from 1; 1 for anything else. */
export function pageNumber(query: URLSearchParams, name = 'page'): number {
  const given = query.get(name) ?? '1';
  return /^[1-9]\d{0,6}$/.test(given) ? Number(given) : 1;
}
