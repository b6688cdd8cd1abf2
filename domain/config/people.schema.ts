import { z } from 'zod';
import { canonicalName, type Directory, isPlainName } from '../gates/people.ts';
import { shortName } from '../shared/values.schema.ts';

const address = z
  .string()
  .max(200)
  .regex(/^[^\s<>@]+@[^\s<>@]+$/, 'give an address such as ada@example.com')
  .refine(isPlainName, 'use ASCII characters only: others look the same');

/** A person who answers gates. */
const personSchema = z.strictObject({
  name: shortName,
  /** Addresses that the person uses as author of commits, for gates that authors may not approve. */
  emails: z.array(address).default([]),
  /** The person's API key: the output of `longhaul person key`, never the key itself. */
  key: z
    .strictObject({
      id: z.string().regex(/^[0-9a-f]{12}$/, 'must be the output of `longhaul person key`'),
      hash: z
        .string()
        .regex(/^sha256:[0-9a-f]{64}$/, 'must be the output of `longhaul person key`, never the key itself'),
    })
    .optional(),
  /** The subject (`sub`) of the person at the OpenID provider. */
  oidc: z.string().min(1).max(255).optional(),
});

/** A person of `people`, checked. */
export type PersonConfig = z.infer<typeof personSchema>;

/** The sections about people in `longhaul.yaml` (docs/gates.md). */
export const peopleSections = {
  people: z.array(personSchema).default([]),
  /** Names of people by the name of their group. */
  groups: z.record(z.string(), z.array(shortName).min(1, 'give at least one name')).default({}),
};

/** Reports names, addresses, keys and subjects that two people have, and members of groups that are no people. */
export function checkPeople(
  { people, groups }: { readonly people: readonly PersonConfig[]; readonly groups: Directory['groups'] },
  refuse: (path: (string | number)[], message: string) => void,
): void {
  const taken = new Map<string, string>();
  for (const [at, { name, emails, key, oidc }] of people.entries()) {
    const marks = [
      ...[...new Set([name, ...emails].map(canonicalName))].map((mark) => ({ mark, what: mark })),
      ...(key === undefined ? [] : [{ mark: `key ${key.id}`, what: `the key ${key.id}` }]),
      ...(oidc === undefined ? [] : [{ mark: `oidc ${oidc}`, what: `the subject ${oidc}` }]),
    ];
    for (const { mark, what } of marks) {
      const other = taken.get(mark);
      if (other !== undefined) refuse(['people', at], `${what} belongs to ${other} already`);
      taken.set(mark, name);
    }
  }
  for (const [group, members] of Object.entries(groups)) {
    const stranger = members.find((member) => !people.some(({ name }) => name === member));
    if (!shortName.safeParse(group).success) {
      refuse(['groups', group], 'use letters, digits, dot, dash and underscore, at most 40, in names of groups');
    } else if (taken.has(canonicalName(group))) refuse(['groups', group], 'a person has this name');
    else if (stranger !== undefined) refuse(['groups', group], `there is no person "${stranger}"`);
  }
}

/** The people and groups of a configuration; null when none are configured. */
export function directoryOf({
  people,
  groups,
}: {
  readonly people: readonly PersonConfig[];
  readonly groups: Directory['groups'];
}): Directory | null {
  return people.length === 0 ? null : { people, groups };
}
