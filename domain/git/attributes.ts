/** What a repository's `.gitattributes` declare about a file; undefined where they declare nothing. */
export interface Declared {
  /** `linguist-vendored` */
  readonly vendored?: boolean;
  /** `linguist-generated` */
  readonly generated?: boolean;
  /** git's macro `binary` */
  readonly binary?: boolean;
  /** `linguist-language`: a name or alias of linguist's, as written. */
  readonly language?: string;
}

/** The attributes that Longhaul uses, by git's names. */
export const ATTRIBUTES = ['binary', 'linguist-generated', 'linguist-vendored', 'linguist-language'] as const;

/** The values that `git check-attr` prints for {@link ATTRIBUTES}, in that order, as declarations. */
export function declaredBy([binary, generated, vendored, language]: readonly string[]): Declared {
  return {
    ...(isGiven(binary) ? { binary: binary === 'set' } : {}),
    ...(isGiven(generated) ? { generated: isTrue(generated) } : {}),
    ...(isGiven(vendored) ? { vendored: isTrue(vendored) } : {}),
    ...(isGiven(language) && language !== 'set' && language !== 'unset' ? { language } : {}),
  };
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== 'unspecified';
}

/** Linguist reads every value except `false` as true. */
function isTrue(value: string): boolean {
  return value !== 'unset' && value.toLowerCase() !== 'false';
}

/** The folders that contain a path, outermost first, starting with the root (the empty string). */
export function foldersOf(path: string): readonly string[] {
  const folders = [''];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    folders.push(path.slice(0, slash));
  return folders;
}
