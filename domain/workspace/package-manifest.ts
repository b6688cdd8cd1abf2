/** Where a package comes from: its registry, and the tool that reads its manifest. */
export type Ecosystem = 'npm' | 'go' | 'cargo' | 'python' | 'hex';

/**
 * What a dependency is needed for. `optional`: only with a feature, an extra, or where it can be installed. Peers are
 * provided by the consumer of the package.
 */
export type DependencyKind = 'normal' | 'dev' | 'build' | 'peer' | 'optional';

/**
 * Where the manifest says that a dependency comes from: the registry of the ecosystem (`hex` for Elixir, `registry` for
 * the others), a git repository, an archive at an address (`url`), a folder or archive on this disk (`path`), another
 * package of the same repository that is named without its folder (`workspace`). `unknown`: the manifest does not say
 * it in a form that can be read without running it, and a diagnostic names the line.
 */
export type DependencySource = 'hex' | 'registry' | 'git' | 'url' | 'path' | 'workspace' | 'unknown';
