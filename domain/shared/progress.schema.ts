import { z } from 'zod';
import type { FlowProgress } from './progress.ts';

/** The schema of {@link FlowProgress}. */
export const flowProgress = z.object({
  stage: z.string(),
  done: z.int().min(0),
  total: z.int().min(0),
  unit: z.string(),
  lines: z.array(z.string()),
  asks: z.object({ question: z.string(), lines: z.array(z.string()) }).nullable(),
  child: z.string().optional(),
});

/** The answer of a query `progress`; null when it is no {@link FlowProgress}, for example from an older worker. */
export function readFlowProgress(answer: unknown): FlowProgress | null {
  const { success, data } = flowProgress.safeParse(answer);
  if (!success) return null;
  const { child, ...progress } = data;
  return child === undefined ? progress : { ...progress, child };
}
