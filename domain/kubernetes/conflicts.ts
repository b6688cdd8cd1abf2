/** A field that another manager of an object owns. */
export interface FieldConflict {
  /** Its manager: `kubectl-edit`, `kube-controller-manager`. */
  readonly manager: string;
  /** Its path: `.spec.replicas`. */
  readonly field: string;
}

const ONE = /conflict with "([^"]+)"[^:]*: (\S+)/gu;
const SEVERAL = /conflicts with "([^"]+)"[^:]*:\n((?:- \S+\n?)+)/gu;

/** The conflicts in the message with which `kubectl apply --server-side` fails. */
export function conflictsIn(message: string): readonly FieldConflict[] {
  const single = [...message.matchAll(ONE)].map(([, manager = '', field = '']) => ({ manager, field }));
  const lists = [...message.matchAll(SEVERAL)].flatMap(([, manager = '', list = '']) =>
    list
      .split('\n')
      .filter((line) => line.startsWith('- '))
      .map((line) => ({ manager, field: line.slice(2) })),
  );
  return [...single, ...lists];
}
