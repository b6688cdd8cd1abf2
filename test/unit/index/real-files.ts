import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Real source files of many languages, out of the packages that this project depends on. */
export function realFiles(options: {
  readonly most: number;
  readonly extensions?: RegExp;
}): { path: string; content: Buffer }[] {
  const { most, extensions = /\.(?:ts|tsx|js|mjs|cjs|py|c|cc|h|rs|go|java|kt|rb|sh|md|json|scm)$/ } = options;
  const packages = [
    'rxjs',
    'zod',
    'commander',
    'webpack',
    'typescript',
    'tree-sitter-c',
    'tree-sitter-rust',
    'tree-sitter-go',
  ];
  const files = packages.flatMap((name) => {
    const folder = fileURLToPath(new URL(`../../../node_modules/${name}/`, import.meta.url));
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => extensions.test(path))
      .map((path) => ({ path, file: folder + path }))
      .filter(({ file }) => statSync(file).isFile() && statSync(file).size < 300_000);
  });
  const step = Math.max(1, Math.floor(files.length / most));
  return files
    .filter((_, i) => i % step === 0)
    .slice(0, most)
    .map(({ path, file }) => ({ path, content: readFileSync(file) }));
}
