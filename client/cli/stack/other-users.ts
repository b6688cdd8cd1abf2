import type { StackState } from '../../../stack/state.ts';
import type { TemporalTarget } from '../../../stack/temporal-connection.ts';
import type { Finding } from '../commands.ts';
import { fine } from '../finding.ts';

/**
 * What other users of this machine can do with the running servers, and how a Temporal server of your own is called.
 * Never a problem: on a machine of one user it is not one, and nothing else says it. `yours` is null when the stack
 * started Temporal.
 */
export function otherUsers(
  { temporal, weaviate }: Pick<StackState, 'temporal' | 'weaviate'>,
  yours: TemporalTarget | null,
): Finding {
  const login = yours === null ? null : loginOf(yours);
  const can = [
    ...(temporal?.source === 'yours' || temporal === null ? [] : ['start flows (Temporal has no login)']),
    ...(temporal?.source === 'yours' && login === null
      ? [`start flows if they reach ${temporal.address} (it is called without a certificate or key)`]
      : []),
    ...(weaviate === null || weaviate.source === 'yours'
      ? []
      : ["delete collections (Weaviate's Raft port asks for no key)"]),
  ];
  const found = can.length === 0 ? 'use nothing that the stack started' : can.join(' and ');
  const called = login === null || temporal === null ? '' : `; Temporal at ${temporal.address} is called with ${login}`;
  return fine(
    'other users',
    `of this machine can ${found}${called}: docs/deployment.md#other-users-and-neighbours-of-a-machine`,
  );
}

/** What a server is shown; null for nothing. TLS alone does not tell users apart. */
function loginOf({ connectionOptions: { tls, apiKey } }: TemporalTarget): string | null {
  if (typeof tls === 'object' && tls?.clientCertPair) return 'a client certificate';
  return apiKey === undefined ? null : 'an API key';
}
