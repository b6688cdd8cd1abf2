import { renameGenerationFlow, type RenameGenerationInput } from '../../domain/release/flows/rename-flow.ts';
import { asAct } from '../shared/act.ts';
import { ledgerActivities } from './activities.ts';

/** Gives a draft without evolutions another version (docs/release.md). */
export function renameGeneration(input: RenameGenerationInput): Promise<{ readonly version: string }> {
  return asAct(renameGenerationFlow, input, async (given) => {
    const { version, to } = given;
    await ledgerActivities.renameGeneration.executeWithOptions({ summary: `rename ${version} to ${to}` }, [given]);
    return { version: to };
  });
}
