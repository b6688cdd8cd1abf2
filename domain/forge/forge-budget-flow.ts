import { defineFlow } from '../shared/flow.ts';
import { isLeaseRequest, isReport } from './forge-budget.ts';

/** Input of `forgeBudget`: whose budget it keeps, one token at one forge. */
export interface ForgeBudgetInput {
  /** Host of the forge, with its port where it has one. */
  readonly host: string;
  /** The first twelve hex digits of the token's SHA-256: says which token it is, and nothing of it. */
  readonly fingerprint: string;
}

/** Grants the request budget of a forge to all workers. */
export const forgeBudgetFlow = defineFlow<ForgeBudgetInput, void>()({
  type: 'forgeBudget',
  input: (z) => z.strictObject({ host: z.string().min(1), fingerprint: z.string().min(1) }),
  does: 'limits the requests of all workers together to a forge ([limits](forge-limits.md))',
  examples: [{ host: 'github.com', fingerprint: '0123456789ab' }],
  startedBy: ['workers'],
  id: ({ host, fingerprint }) => `forge/${host}/${fingerprint}`,
  updates: { lease: (z) => z.custom(isLeaseRequest), report: (z) => z.custom(isReport) },
  queries: ['budget'],
  summary: ({ host, fingerprint }) => `budget of ${host}/${fingerprint}`,
});
