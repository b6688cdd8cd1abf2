import * as linguist from 'linguist-languages';

/** Linguist's name of the language for a short name such as `ts` or an extension such as `.py`. */
export function languageOfAlias(alias: string): string | undefined {
  const languages = Object.values<{ name: string; aliases?: readonly string[]; extensions?: readonly string[] }>(
    linguist,
  );
  const named = languages.find(({ name, aliases }) => name.toLowerCase() === alias || aliases?.includes(alias));
  const extension = alias.startsWith('.') ? alias : `.${alias}`;
  return (named ?? languages.find(({ extensions }) => extensions?.[0] === extension))?.name;
}
