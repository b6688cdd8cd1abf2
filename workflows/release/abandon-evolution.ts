import { abandonEvolutionFlow, type AbandonEvolutionInput } from '../../domain/release/flows/evolution-flows.ts';
import { asAct } from '../shared/act.ts';
import { ledgerActivities } from './activities.ts';

/** Ends a pending evolution without a verdict (docs/release.md). */
export function abandonEvolution(input: AbandonEvolutionInput): Promise<{ readonly abandoned: string }> {
  return asAct(abandonEvolutionFlow, input, async ({ repository, evolution, why, by }) => {
    await ledgerActivities.abandonEvolution.executeWithOptions({ summary: `abandon ${evolution}` }, [
      { repository, tag: evolution, why, by },
    ]);
    return { abandoned: evolution };
  });
}
