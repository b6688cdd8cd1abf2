import { compare, prerelease, valid } from 'semver';
import { z } from 'zod';
import { bounded, parsedJson, type RegistrySource } from './registry-source.ts';

const crateLine = z.object({ vers: z.string(), yanked: z.boolean().default(false) });

/** The sparse index of crates: a line of JSON for each version. */
export const CRATES_INDEX: RegistrySource = {
  isName: (name) => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name),
  read(client, base, name) {
    const lower = name.toLowerCase();
    const folder =
      lower.length <= 2
        ? String(lower.length)
        : lower.length === 3
          ? `3/${lower.slice(0, 1)}`
          : `${lower.slice(0, 2)}/${lower.slice(2, 4)}`;
    return client.get(`${base}/${folder}/${lower}`, 'text/plain', (text) => {
      const lines = text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => parsedJson(line, crateLine));
      const retired = lines.filter(({ yanked }) => yanked).map(({ vers }) => ({ version: vers, why: 'yanked' }));
      const versions = lines.map(({ vers }) => vers);
      const alive = lines.filter(({ vers, yanked }) => !yanked && valid(vers) !== null).map(({ vers }) => vers);
      const sorted = alive.sort(compare);
      const latest = sorted.findLast((version) => prerelease(version) === null) ?? sorted.at(-1) ?? null;
      return bounded({ name, latest, versions, deprecated: null, retired });
    });
  },
};
