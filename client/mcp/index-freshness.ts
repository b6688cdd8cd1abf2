import { redact } from '../../domain/shared/redact.ts';
import { addressOfReceipt } from '../../domain/catalog/index/plan.ts';
import { STREAM_URL } from '../../domain/catalog/index/plan.ts';
import type { Head } from '../../domain/git/head.ts';
import type { Receipt } from '../../domain/catalog/index/receipt.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { type Answer, short } from './answer.ts';
import { sanitizeLine, sanitizeName } from '../core/sanitize.ts';
import type { Library } from './library.ts';
import { indexedState, pageAfter } from './page.ts';
import type { IndexFreshnessInput, IndexFreshnessOutput } from './tools.schema.ts';

type Freshness = IndexFreshnessOutput['repositories'][number];

/** `index_freshness`: the indexed commit and the commit of HEAD of each repository. */
export async function indexFreshness(
  library: Library,
  { repository, pattern, limit, cursor }: IndexFreshnessInput,
  signal: AbortSignal,
): Promise<Answer<IndexFreshnessOutput>> {
  if (repository !== undefined && pattern !== undefined) {
    throw new LonghaulError('InvalidInput', 'Both repository and pattern are given: give one of them.');
  }
  const receipts =
    repository === undefined
      ? await library.receipts(pattern, signal)
      : [await library.receipt(repository, undefined, signal)];
  const { items, nextCursor } = pageAfter('index_freshness', receipts, (receipt) => receipt.repository, {
    cursor,
    limit,
  });
  const asked = items.filter(({ cloneUrl }) => !cloneUrl.startsWith(STREAM_URL)).map(addressOfReceipt);
  const heads = await library.mgit((mgit) => mgit.heads(asked, { signal }), signal);
  const repositories = items.map((receipt) => freshnessOf(receipt, heads.get(receipt.repository)));
  const more = nextCursor === null ? [] : [`[more: cursor ${nextCursor}]`];
  const head = `${items.length} of ${receipts.length} indexed repositories`;
  return {
    text: [head, ...repositories.map((entry) => sanitizeLine(rendered(entry))), ...more].join('\n'),
    structured: { total: receipts.length, repositories, nextCursor },
  };
}

function freshnessOf(receipt: Receipt, head: Head | LonghaulError | undefined): Freshness {
  const state = { ...indexedState(receipt), unfinished: receipt.pending?.commit ?? null };
  if (head === undefined) {
    const problem = 'It was indexed from a change stream: only its producer knows the current commit.';
    return { ...state, head: null, headBranch: null, behind: null, problem };
  }
  if (head instanceof Error) {
    return { ...state, head: null, headBranch: null, behind: null, problem: redact(head.message) };
  }
  return {
    ...state,
    head: head.commit,
    headBranch: head.branch === null ? null : sanitizeName(head.branch),
    behind: head.commit !== receipt.commit,
    problem: null,
  };
}

function rendered({ id, commit, branch, indexedAt, head, headBranch, behind, problem, unfinished }: Freshness): string {
  const indexed =
    commit === null
      ? 'nothing complete is indexed yet'
      : `indexed ${short(commit)} (${branch ?? 'detached'}) at ${indexedAt}`;
  const now = head === null ? `HEAD is unknown: ${problem}` : `HEAD ${short(head)} (${headBranch ?? 'detached'})`;
  const state = behind === null ? 'unknown' : behind ? 'behind' : 'up to date';
  const run = unfinished === null ? '' : `; a run to ${short(unfinished)} is not finished`;
  return `${id}: ${state}; ${indexed}; ${now}${run}`;
}
