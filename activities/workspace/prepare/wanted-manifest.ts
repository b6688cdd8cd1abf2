import { manifestAfterPlan } from '../../../domain/workspace/manifest-after-plan.ts';
import { diskOperations } from '../../../domain/workspace/workspace-plan.schema.ts';
import { checkedPlan } from '../apply-plan.ts';
import { type FoundManifest, readWorkspaceManifest } from '../workspace-manifest-file.ts';

/**
 * What the workspace at a real path shall consist of: its manifest; with the file of a plan, which the workspace was made by,
 * the manifest as that plan changes it. Throws `InvalidConfiguration` for a wrong manifest, `InvalidInput` for a wrong plan.
 */
export async function wantedManifest(
  root: string,
  plan: Uint8Array | string | null,
  signal?: AbortSignal,
): Promise<FoundManifest> {
  const found = await readWorkspaceManifest(root, signal);
  if (plan === null) return found;
  const { content } = checkedPlan(plan, root);
  return { ...found, manifest: manifestAfterPlan(found.manifest, diskOperations(content.operations)) };
}
