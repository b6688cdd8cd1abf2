import type { ApplySyncGroupsResult } from '../../../domain/catalog/groups/sync-groups.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/** The blob store's folder with the applied declarations of an index, ordered by time. */
export function applicationsFolder(indexName: string): string {
  return `audit/sync-groups/${indexName}/`;
}

/** Everything that was ever applied, oldest first: the audit trail (docs/sync-groups.md). */
export async function* readApplications(blobs: BlobStore, indexName: string): AsyncIterable<ApplySyncGroupsResult> {
  for await (const name of blobs.listRecords(applicationsFolder(indexName))) {
    const record = await blobs.getRecord(name);
    if (record !== null) yield JSON.parse(Buffer.from(record).toString('utf8')) as ApplySyncGroupsResult;
  }
}
