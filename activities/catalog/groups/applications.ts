import type { ApplySyncGroupsResult } from '../../../domain/catalog/groups/sync-groups.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';

/** Where the blob store keeps what was applied to the groups of an index, in order of time. */
export function applicationsFolder(indexName: string): string {
  return `audit/sync-groups/${indexName}/`;
}

/** Everything that was ever applied, oldest first: the audit trail of seed 000, workflow 7. */
export async function* readApplications(blobs: BlobStore, indexName: string): AsyncIterable<ApplySyncGroupsResult> {
  for await (const name of blobs.listRecords(applicationsFolder(indexName))) {
    const record = await blobs.getRecord(name);
    if (record !== null) yield JSON.parse(Buffer.from(record).toString('utf8')) as ApplySyncGroupsResult;
  }
}
