import { abandonEvolutionFlow, type AbandonEvolutionInput } from '../../domain/release/flows/evolution-flows.ts';
import { checked } from '../shared/input.ts';
import { ledgerActivities } from './activities.ts';

/** Ends a pending evolution without a verdict (docs/release.md). */
export async function abandonEvolution(input: AbandonEvolutionInput): Promise<{ readonly abandoned: string }> {
  const { repository, evolution, why, by } = await checked(abandonEvolutionFlow, input);
  await ledgerActivities.abandonEvolution.executeWithOptions({ summary: `abandon ${evolution}` }, [
    { repository, tag: evolution, why, by },
  ]);
  return { abandoned: evolution };
}
