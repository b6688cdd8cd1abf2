import type { Ecosystem } from './package-manifest.ts';
import type { Argv, WorkspaceManifest } from './workspace-manifest.ts';
import type { WorkspaceSnapshot } from './workspace-snapshot.ts';

/** A program that checks a repository. */
export interface ValidationCommand {
  /** What it checks: `deps_get`, `compile`, `test`, or its name in the manifest. */
  readonly kind: string;
  readonly program: string;
  /** Its arguments: of `mix test`, only `test`. */
  readonly argv: readonly string[];
  /** All of it, for people. */
  readonly description: string;
}

/** A repository that is checked, after those that it needs. */
export interface ValidationStep {
  readonly repo: string;
  /** Its absolute path. */
  readonly repo_path: string;
  readonly commands: readonly ValidationCommand[];
  /** The repositories of the plan that it needs directly. */
  readonly needs: readonly string[];
}

/** What is checked, in topological order. Keys are those of Graft's events. */
export interface ValidationPlan {
  readonly workspace_root: string;
  readonly target_apps: readonly string[];
  readonly affected_repos: readonly string[];
  readonly steps: readonly ValidationStep[];
  readonly warnings: readonly string[];
}

/** What the tools of an ecosystem are called with. */
const COMMANDS: Readonly<Record<Ecosystem, readonly (readonly [kind: string, argv: Argv])[]>> = {
  hex: [
    ['deps_get', ['mix', 'deps.get']],
    ['compile', ['mix', 'compile', '--warnings-as-errors']],
    ['test', ['mix', 'test']],
  ],
  npm: [['test', ['npm', 'test', '--if-present']]],
  go: [['test', ['go', 'test', './...']]],
  cargo: [['test', ['cargo', 'test']]],
  python: [['test', ['pytest']]],
};
const UV_TEST: Argv = ['uv', 'run', 'pytest'];

/**
 * What checks these repositories and those that need them, directly or through others; without any, all. The commands of a
 * repository are those of its manifest entry, else those of the ecosystems of its packages. `withUv` are the repositories
 * that uv manages. Only repositories that are there are checked.
 */
export function planValidation(
  { root, repos, topology }: WorkspaceSnapshot,
  { repositories }: WorkspaceManifest,
  targets: readonly string[],
  withUv: ReadonlySet<string>,
): ValidationPlan {
  const there = new Map(repos.flatMap((repo) => (repo['exists?'] ? [[repo.name, repo] as const] : [])));
  const wanted = [...new Set(targets.length === 0 ? repos.map(({ name }) => name) : targets)].sort();
  const affected = new Set(wanted.flatMap((name) => [name, ...(topology.transitive_dependents[name] ?? [])]));
  const own = new Map(repositories.map(({ name, commands }) => [name, commands]));
  const order = topology.topological_order.filter((name) => affected.has(name) && there.has(name));
  const steps = order.flatMap((name): ValidationStep[] => {
    const repo = there.get(name);
    if (repo === undefined) return [];
    const given = Object.entries(own.get(name) ?? {});
    const ecosystems = [...new Set(repo.packages.map(({ ecosystem }) => ecosystem))].sort();
    const usual = ecosystems.flatMap((ecosystem) =>
      ecosystem === 'python' && withUv.has(name) ? [['test', UV_TEST] as const] : COMMANDS[ecosystem],
    );
    const commands = (given.length > 0 ? given : usual).map(([kind, argv]) => commandOf(kind, argv));
    const needs = (topology.providers[name] ?? []).filter((other) => order.includes(other));
    return [{ repo: name, repo_path: repo.absolute_path, commands, needs }];
  });
  const warnings = [
    ...topology.cycles
      .filter((cycle) => cycle.some((name) => affected.has(name)))
      .map(
        (cycle) => `These repositories need each other, and are checked in the order of names: ${cycle.join(', ')}.`,
      ),
    ...[...affected].filter((name) => !there.has(name)).map((name) => `${name} is not there, and is not checked.`),
    ...steps.filter(({ commands }) => commands.length === 0).map(({ repo }) => `Nothing says how ${repo} is checked.`),
  ];
  return { workspace_root: root, target_apps: wanted, affected_repos: order, steps, warnings };
}

function commandOf(kind: string, [program = '', ...argv]: Argv): ValidationCommand {
  return { kind, program, argv, description: [program, ...argv].join(' ') };
}

/** The plan as Graft's events, in their order. */
export function planEvents({ workspace_root, target_apps, affected_repos, steps, warnings }: ValidationPlan): object[] {
  return [
    { event: 'plan_started', workspace_root, target_apps, affected_repos },
    ...steps.map(({ repo, repo_path, commands }, at) => ({
      event: 'repo_planned',
      position: at + 1,
      repo,
      repo_path,
      command_count: commands.length,
    })),
    ...steps.flatMap(({ repo, commands }) =>
      commands.map(({ kind, argv, description }) => ({ event: 'validation_planned', repo, kind, argv, description })),
    ),
    {
      event: 'plan_completed',
      repos: steps.length,
      commands: steps.reduce((sum, { commands }) => sum + commands.length, 0),
      warnings,
    },
  ];
}
