import { collectionNames } from '../../../activities/index/store/collection-names.ts';
import { groupScheduleId } from '../../../domain/catalog/flows/group-flows.ts';
import { DEFAULT_REF } from '../../../domain/git/snapshot.ts';
import { reachDirectly } from '../../../platform/proxy.ts';
import type { CliContext } from '../../core/context.ts';
import { weaviateAddress } from '../../core/servers.ts';
import type { Suggestion } from '../completion/values.ts';

/** Weaviate's limit for one answer. */
const MOST_REPOSITORIES = 10_000;

/**
 * The ids of the repositories in the live build, with the branch of HEAD. Uses REST: Weaviate's client takes 0.4 s of
 * processor time to load, and a person who pressed Tab would wait for that.
 */
export async function indexedRepositories(context: CliContext, signal: AbortSignal): Promise<Suggestion[]> {
  const { url, apiKey } = await weaviateAddress(context);
  reachDirectly(url);
  const headers = { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) };
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, { ...sent, headers, signal });
    if (!answer.ok) throw new Error(`Weaviate answers ${answer.status}`);
    return answer.json();
  };
  const { name } = context.config.index;
  const live = (await ask(`/v1/aliases/${name}Chunk`)) as { readonly class: string };
  const { receipts } = collectionNames(name, live.class.slice(collectionNames(name, '').chunks.length));
  const where = `{path: ["ref"], operator: Equal, valueText: "${DEFAULT_REF}"}`;
  const query = `{Get {${receipts}(limit: ${MOST_REPOSITORIES}, where: ${where}) {repository branch}}}`;
  const { data } = (await ask('/v1/graphql', { query })) as {
    readonly data: { readonly Get: Readonly<Record<string, readonly { repository: string; branch: string | null }[]>> };
  };
  return (data.Get[receipts] ?? []).map(({ repository, branch }) => ({ value: repository, description: branch ?? '' }));
}

/** The names of the sync groups that are applied. */
export async function appliedGroups(context: CliContext, signal: AbortSignal): Promise<Suggestion[]> {
  const { scheduleIds } = await import('../../core/temporal-ids.ts');
  const prefix = groupScheduleId(context.config.index.name, '');
  const ids = await scheduleIds(context, signal);
  return ids.filter((id) => id.startsWith(prefix)).map((id) => ({ value: id.slice(prefix.length), description: '' }));
}
