import { parse } from 'yaml';
import { z } from 'zod';
import { parseSyncGroups } from '../../../activities/catalog/groups/sync-groups-file.ts';
import { queriesFile } from '../../../domain/catalog/flows/stored-queries.ts';
import { type FileChecks, problemOf } from '../docs/examples.ts';

/** The YAML files of the catalog, by the key that says which one it is. */
export const CATALOG_FILES: FileChecks = {
  groups(text) {
    parseSyncGroups(text, { file: 'sync-groups.yaml', providers: [] });
    return null;
  },
  queries: (text) => problemOf(queriesFile(z), parse(text)),
};
