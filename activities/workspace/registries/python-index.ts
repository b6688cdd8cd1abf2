import { compare, explain, valid } from '@renovatebot/pep440';
import { z } from 'zod';
import type { RetiredVersion } from '../../../domain/workspace/registry-package.ts';
import { bounded, parsedJson, type RegistrySource } from './registry-source.ts';

const pypiAnswer = z.object({
  versions: z.array(z.string()),
  files: z.array(z.object({ filename: z.string(), yanked: z.union([z.boolean(), z.string()]).optional() })),
  'project-status': z.object({ status: z.string().optional(), reason: z.string().optional() }).optional(),
});
const PYPI_ENDED = ['archived', 'deprecated', 'quarantined'];

/** The simple repository API of Python (PEP 691, 700, 792), as mirrors have it too. */
export const PYTHON_INDEX: RegistrySource = {
  isName: (name) => name.length <= 200 && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name),
  read: (client, base, name) =>
    client.get(
      `${base}/${name.toLowerCase().replaceAll(/[-_.]+/g, '-')}/`,
      'application/vnd.pypi.simple.v1+json',
      (text) => {
        const { versions, files, 'project-status': status } = parsedJson(text, pypiAnswer);
        const byVersion = new Map<string, (string | boolean)[]>();
        const known = new Set(versions);
        for (const { filename, yanked = false } of files) {
          const version = versionInFile(filename, known);
          if (version !== null) byVersion.set(version, [...(byVersion.get(version) ?? []), yanked]);
        }
        // a version is yanked when all of its files are
        const retired = versions.flatMap((version): RetiredVersion[] => {
          const marks = byVersion.get(version) ?? [];
          if (marks.length === 0 || marks.includes(false)) return [];
          return [{ version, why: marks.find((mark) => typeof mark === 'string') ?? '' }];
        });
        const gone = new Set(retired.map(({ version }) => version));
        const stable = versions
          .filter((version) => !gone.has(version) && valid(version) !== null)
          .filter((version) => explain(version)?.is_prerelease !== true)
          .sort(compare);
        const ended = status?.status !== undefined && PYPI_ENDED.includes(status.status);
        const deprecated = ended ? `${status.status}${status.reason ? `: ${status.reason}` : ''}` : null;
        return bounded({ name, latest: stable.at(-1) ?? null, versions, deprecated, retired });
      },
    ),
};

/** The version in the name of a wheel or source distribution, which both have it after the name of the project. */
function versionInFile(filename: string, known: ReadonlySet<string>): string | null {
  const wheel = /^[^-]+-([^-]+)-.*\.whl$/.exec(filename)?.[1];
  if (wheel !== undefined && known.has(wheel)) return wheel;
  const source = filename.replace(/\.(?:tar\.(?:gz|bz2|xz)|zip|tgz)$/, '');
  for (let at = source.indexOf('-'); at !== -1; at = source.indexOf('-', at + 1)) {
    const version = source.slice(at + 1);
    if (known.has(version)) return version;
  }
  return null;
}
