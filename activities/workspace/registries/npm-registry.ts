import { z } from 'zod';
import type { RetiredVersion } from '../../../domain/workspace/registry-package.ts';
import { bounded, parsedJson, type RegistrySource } from './registry-source.ts';

const npmAnswer = z.object({
  'dist-tags': z.record(z.string(), z.string()).default({}),
  versions: z.record(z.string(), z.object({ deprecated: z.union([z.string(), z.boolean()]).optional() })).default({}),
});

/** The abbreviated form of npm's registry, which has deprecations. */
export const NPM_REGISTRY: RegistrySource = {
  isName: (name) => name.length <= 214 && /^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) && !/(?:^|\/)\.+$/.test(name),
  read: (client, base, name) =>
    client.get(`${base}/${name.replace('/', '%2f')}`, 'application/vnd.npm.install-v1+json', (text) => {
      const { 'dist-tags': tags, versions } = parsedJson(text, npmAnswer);
      const retired = Object.entries(versions).flatMap(([version, { deprecated = false }]): RetiredVersion[] => {
        if (deprecated === false || deprecated === '') return [];
        return [{ version, why: deprecated === true ? '' : deprecated }];
      });
      const latest = Object.hasOwn(tags, 'latest') ? (tags['latest'] ?? null) : null;
      // npm deprecates versions: a package is deprecated when its latest one is
      const deprecated = retired.find(({ version }) => version === latest)?.why ?? null;
      return bounded({ name, latest, versions: Object.keys(versions), deprecated, retired });
    }),
};
