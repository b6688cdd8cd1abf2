import { parse } from 'yaml';
import { workspaceManifestSchema } from '../../../domain/workspace/workspace-manifest.schema.ts';
import { type FileChecks, problemOf } from '../docs/examples.ts';

/** The YAML files of workspaces, by the key that says which one it is. */
export const WORKSPACE_FILES: FileChecks = {
  repositories: (text) => problemOf(workspaceManifestSchema, parse(text)),
};
