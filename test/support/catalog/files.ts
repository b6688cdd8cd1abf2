import { parse } from 'yaml';
import { z } from 'zod';
import { parseSyncGroups } from '../../../activities/catalog/groups/sync-groups-file.ts';
import { queriesFile } from '../../../domain/catalog/flows/stored-queries.ts';
import type { FileChecks } from '../docs/examples.ts';

/** The YAML files of the catalog, by the key that says which one it is. */
export const CATALOG_FILES: FileChecks = {
  groups: (text) => void parseSyncGroups(text, { file: 'sync-groups.yaml', providers: [] }),
  queries: (text) => void queriesFile(z).parse(parse(text)),
};
