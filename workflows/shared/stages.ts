import { ApplicationFailure, defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Ask } from '../../domain/shared/progress.ts';
import type { StageOutputs, StartFrom } from '../../domain/shared/stages.ts';
import { answerProgress } from './progress.ts';

const stagesQuery = defineQuery<StartFrom<StageOutputs>>('stages');

/** The stages of a flow. */
export interface FlowStages<Outputs extends StageOutputs> {
  /** Does the work of a stage and records its output; a stage before the first one of this run returns the earlier output. */
  run<Name extends keyof Outputs & string>(name: Name, work: () => Promise<Outputs[Name]>): Promise<Outputs[Name]>;
  /** Says what the current stage does or waits for, in lines for people, until the next stage. */
  readonly show: (...lines: readonly string[]) => void;
  /** What a run needs that continues this one: the current stage, and the outputs of those before it. */
  readonly position: () => StartFrom<Outputs>;
}

/**
 * The named stages of a flow, in their order. The query `progress` shows the current one; the query `stages` returns what
 * a new run needs to start at it: the outputs of the stages before, which are small JSON. With `from`, the stages before
 * it do not run. The flow declares the query `stages`. Throws `InvalidInput` when an earlier output is missing.
 */
export function stagesOf<Outputs extends StageOutputs>(
  names: readonly (keyof Outputs & string)[],
  from: StartFrom<Outputs> | null = null,
  asks: () => Ask | null = () => null,
): FlowStages<Outputs> {
  const first = from === null ? 0 : names.indexOf(from.stage);
  if (first === -1) throw invalid(`There is no stage ${from?.stage}; stages: ${names.join(', ')}.`);
  const earlier = names.slice(0, first);
  const missing = earlier.filter((name) => !Object.hasOwn(from?.outputs ?? {}, name));
  if (missing.length > 0) throw invalid(`A run from ${from?.stage} needs the outputs of ${missing.join(', ')}.`);
  const outputs: Partial<Outputs> = Object.fromEntries(
    Object.entries(from?.outputs ?? {}).filter(([name]) => earlier.includes(name)),
  ) as Partial<Outputs>;
  let current: keyof Outputs & string = names[first] ?? '';
  let shown: readonly string[] = [];
  const show = (...lines: readonly string[]): void => {
    shown = lines;
    setCurrentDetails([`**${current}** (${names.indexOf(current) + 1} of ${names.length})`, ...lines].join('\n\n'));
  };
  setHandler(stagesQuery, () => ({ stage: current, outputs }), {
    description: 'The current stage, and the outputs of the stages before it',
  });
  answerProgress(() => ({
    stage: current,
    done: names.filter((name) => Object.hasOwn(outputs, name)).length,
    total: names.length,
    unit: 'stages',
    lines: shown,
    asks: asks(),
  }));
  return {
    show,
    position: () => ({ stage: current, outputs: { ...outputs } }),
    async run(name, work) {
      const known = outputs[name];
      if (earlier.includes(name) && known !== undefined) return known;
      current = name;
      show();
      const output = await work();
      outputs[name] = output;
      return output;
    },
  };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
