import type { Client } from '@temporalio/client';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { ledgerFailure } from '../../activities/ledger/ledger-failure.ts';
import type { LedgerDatabase } from '../../activities/ledger/open-ledger.ts';
import type { CliContext } from '../core/context.ts';
import { readersLogin } from '../core/ledger.ts';
import type { GatesTools } from '../gateway/gates.ts';
import type { RefusalAudit } from '../gateway/refusal-audit.ts';
import type { Sessions } from '../gateway/sessions.ts';
import type { ConsoleSources } from './page.ts';

/** What the console is opened with. */
export interface ConsoleTools {
  readonly context: CliContext;
  readonly client: Client;
  /** Address of Temporal's web interface; null when it is not known. */
  readonly uiUrl: string | null;
  readonly flows: FlowRegistry;
  readonly sessions: Sessions;
  /** Where people decide gates; null without a ledger. */
  readonly desk: GatesTools['desk'];
  /** Takes the requests that are refused. */
  readonly refusals: RefusalAudit;
}

/** Connections to the ledger of all pages together. */
const CONNECTIONS = 4;

/** Opens the sources of pages: servers are connected to when a page first needs them, and again after they failed. */
export function openSources({
  context,
  client,
  uiUrl,
  flows,
}: ConsoleTools): ConsoleSources & { close(): Promise<void> } {
  let opened: { readonly url: string; readonly ledger: LedgerDatabase } | null = null;
  return {
    context,
    client,
    uiUrl,
    flows,
    async ledger(read) {
      const { openLedger } = await import('../../activities/ledger/open-ledger.ts');
      // an embedded server has another address after a restart
      const url = await readersLogin(context);
      if (opened?.url !== url) {
        await opened?.ledger.destroy();
        opened = { url, ledger: openLedger(url, { connections: CONNECTIONS }) };
      }
      try {
        return await read(opened.ledger);
      } catch (error) {
        throw ledgerFailure(error, url);
      }
    },
    close: async () => opened?.ledger.destroy(),
  };
}
