import { CancellationScope, condition, defineSignal, isCancellation, setHandler } from '@temporalio/workflow';
import type { GateQuestion, GateVerdict } from '../../../domain/gates/gate.ts';
import { passGate } from '../../../workflows/shared/gate.ts';

/** A flow that asks people, and does nothing else. */
export async function askPeople(question: GateQuestion): Promise<GateVerdict> {
  return passGate(question);
}

/** A flow whose subject changes while it waits: the signal `change` has the new digest. */
export async function askAboutPlan(question: GateQuestion): Promise<GateVerdict> {
  let { digest } = question;
  setHandler(defineSignal<[string]>('change'), (next) => void (digest = next));
  for (;;) {
    const asked = digest;
    const scope = new CancellationScope();
    const verdict = scope.run(() => passGate({ ...question, digest: asked }));
    const changed = condition(() => digest !== asked).then(() => scope.cancel());
    try {
      return await Promise.race([verdict, changed.then(() => verdict)]);
    } catch (error) {
      if (!isCancellation(error) || digest === asked) throw error;
    }
  }
}

/** A flow that asks two questions at the same time. */
export async function askTwice(question: GateQuestion): Promise<readonly GateVerdict[]> {
  return Promise.all([passGate({ ...question, kind: 'first' }), passGate({ ...question, kind: 'second' })]);
}
