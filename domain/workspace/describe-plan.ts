import type { AnyJson } from './any-json.ts';
import type { PlanOperation, WorkspacePlan } from './workspace-plan.ts';

/** A plan as lines for people: what it does, in which order, and what takes it back. */
export function describeWorkspacePlan({ id, action, operations, rollback, current }: WorkspacePlan): string[] {
  if (operations.length === 0) return [`${current.root} is as it should be: there is nothing to do (plan ${id}).`];
  return [
    `Plan ${id} (${action}) for ${current.root}: ${countOf(operations)}`,
    '',
    ...operations.map(({ index, depends_on, ...operation }) => {
      const after = depends_on.length === 0 ? '' : `   (after ${depends_on.map((at) => at + 1).join(', ')})`;
      return `  ${String(index + 1).padStart(3)}. ${describeOperation(operation)}${after}`;
    }),
    '',
    `If one of them fails, ${countOf(rollback)} in reverse order take back what was done.`,
    ...(operations.some(({ type }) => type === 'run_command')
      ? ['What programs ($) have written is not taken back, except with a repository that leaves again.']
      : []),
  ];
}

function countOf({ length }: readonly PlanOperation[]): string {
  return `${length} ${length === 1 ? 'step' : 'steps'}`;
}

function describeOperation({ type, target, params }: Pick<PlanOperation, 'type' | 'target' | 'params'>): string {
  const text = (name: string): string => (typeof params[name] === 'string' ? params[name] : '');
  switch (type) {
    case 'attach_repo': {
      const where = text('branch') === '' ? text('commit').slice(0, 12) : `the branch ${text('branch')}`;
      if (params['how'] === 'switch') return `~ ${target}: check out ${where} in ${text('path')}`;
      return `+ ${target}: clone ${text('origin')} into ${text('path')}${where === '' ? '' : `, on ${where}`}`;
    }
    case 'detach_repo':
      return `- ${target}: take ${text('path')} out of the workspace`;
    case 'create_link':
      return `+ ${text('repo')} takes ${text('dep')} from its folder`;
    case 'remove_link':
      return `- ${text('repo')} no longer takes ${text('dep')} from its folder`;
    case 'run_command':
      return `$ ${shown(params['argv'] ?? null)}   in ${text('cwd')}`;
    case 'rewrite_file':
    case 'validate_repo':
      return `~ ${target}: ${type.replace('_', ' ')}`;
  }
}

function shown(argv: AnyJson): string {
  const words = Array.isArray(argv) ? (argv as readonly AnyJson[]) : [];
  return words
    .map((word) => (typeof word === 'string' && /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word)))
    .join(' ');
}
