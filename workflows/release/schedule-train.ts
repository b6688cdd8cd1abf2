import { scheduleTrainFlow, type ScheduleTrainInput } from '../../domain/release/flows/train-flows.ts';
import { asAct } from '../shared/act.ts';
import { ledgerActivities } from './activities.ts';
import { readDefaultBranch } from './plan-train.ts';

/** Starts the schedule of a release train, as the contract of the default branch has it, or stops it (docs/train.md). */
export function scheduleTrain(input: ScheduleTrainInput): Promise<{ readonly isRunning: boolean }> {
  return asAct(scheduleTrainFlow, input, async ({ repository, isRunning, by }) => {
    const summary = isRunning ? 'create or change the schedule' : 'delete the schedule';
    const contracts = isRunning ? (await readDefaultBranch(repository)).contracts : null;
    await ledgerActivities.scheduleTrain.executeWithOptions({ summary }, [{ repository, contracts, by }]);
    return { isRunning };
  });
}
