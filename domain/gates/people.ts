/** A person who may answer gates (`people` in longhaul.yaml). */
export interface Person {
  /** Visible ASCII, unique without regard to case. */
  readonly name: string;
  /** Addresses that the person uses as author of commits. */
  readonly emails: readonly string[];
}

/** The people and groups of an installation. */
export interface Directory {
  readonly people: readonly Person[];
  /** Names of people by the name of their group. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** Visible ASCII: other scripts have letters that look the same, so a name could be taken for another one. */
const PLAIN = /^[\x20-\x7e]{1,200}$/;

/** True for a name or address without characters that look like others. */
export function isPlainName(text: string): boolean {
  return PLAIN.test(text);
}

/** One form for every spelling of a name or address: without regard to case, width and surrounding spaces. */
export function canonicalName(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

/**
 * The names of the people that a text names: by name, by address, or by `Name <address>`, in any case. More than one when
 * it mixes the name of one with the address of another.
 */
export function peopleNamed({ people }: Directory, text: string): readonly string[] {
  const [, before = '', address = ''] = /^(.*)<([^<>]+)>\s*$/.exec(text) ?? [];
  const wanted = [text, before, address].map(canonicalName);
  const isWanted = ({ name, emails }: Person): boolean =>
    [name, ...emails].some((each) => wanted.includes(canonicalName(each)));
  return people.filter(isWanted).map(({ name }) => name);
}

/** The names of the people that these names of people and groups stand for, each once; all people for an empty list. */
export function membersOf({ people, groups }: Directory, names: readonly string[]): readonly string[] {
  if (names.length === 0) return people.map(({ name }) => name);
  const known = new Set(people.map(({ name }) => name));
  return [...new Set(names.flatMap((name) => groups[name] ?? [name]))].filter((name) => known.has(name));
}

/** The first of these names that is neither a person nor a group; null when all are known. */
export function unknownName({ people, groups }: Directory, names: readonly string[]): string | null {
  const isKnown = (name: string): boolean =>
    Object.hasOwn(groups, name) || people.some((person) => person.name === name);
  return names.find((name) => !isKnown(name)) ?? null;
}
