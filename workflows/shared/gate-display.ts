import { defineSearchAttributeKey } from '@temporalio/common';
import { getCurrentDetails, setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { approvalsOf, describeGate } from '../../domain/gates/describe.ts';
import type { GateView } from '../../domain/gates/gate.ts';

const GATE = defineSearchAttributeKey('LonghaulGate', 'KEYWORD');

/** Shows a gate in the Temporal UI. */
export interface GateDisplay {
  /** Shows its state in the details and the memo `gate`, and its kind in the search attribute `LonghaulGate`. */
  show(view: GateView): void;
  /** Shows what was there before. */
  hide(): void;
}

/** Creates a {@link GateDisplay}. */
export function gateDisplay(): GateDisplay {
  const before = getCurrentDetails();
  let isShown = false;
  return {
    show(view) {
      setCurrentDetails(describeGate(view));
      upsertMemo({ gate: { id: view.id, subject: view.subject, approvals: approvalsOf(view) } });
      if (!isShown) upsertSearchAttributes([{ key: GATE, value: view.kind }]);
      isShown = true;
    },
    hide() {
      if (!isShown) return;
      setCurrentDetails(before);
      upsertMemo({ gate: null });
      upsertSearchAttributes([{ key: GATE, value: null }]);
    },
  };
}
