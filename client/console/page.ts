import type { Readable } from 'node:stream';
import type { Client } from '@temporalio/client';
import type { FastifyBaseLogger } from 'fastify';
import type { Actor } from '../../domain/shared/actor.ts';
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
  /** Who sees it. */
  readonly person: Actor;
  /** A token for one form of the page. */
  readonly formToken: () => string;
}

/** A form that was sent. Its token was checked. */
export interface FormQuestion extends PageQuestion {
  readonly form: URLSearchParams;
  readonly log: FastifyBaseLogger;
}

/** The answer to a form: the path of the page to go to, or a page that says what is wrong. */
export type FormAnswer = { readonly to: string } | { readonly status: number; readonly content: PageContent };

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
  /** Takes the form of the page. */
  submit?(question: FormQuestion): Promise<FormAnswer>;
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
