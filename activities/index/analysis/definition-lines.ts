import { isProgramming } from './language.ts';
import { contractDefinitions } from './contract-definitions.ts';
import type { NamedLine } from './named-line.ts';

const MODIFIERS =
  'export|default|pub(?:\\([a-z ]+\\))?|public|private|fileprivate|protected|internal|open|static|final|abstract|sealed|async|' +
  'override|inline|extern|unsafe|virtual|partial|indirect|mutating|nonmutating|convenience|required|dynamic|comptime|local|base';
const KEYWORDS =
  'class|struct|enum|union|interface|protocol|trait|module|defmodule|namespace|extension|object|record|actor|type|typealias|' +
  'newtype|data|func|function|fun|fn|def|defp|defmacrop?|defprotocol|defguardp?|defdelegate|sub|proc|procedure|macro|mixin|method|' +
  'package|signature|@interface|@implementation|@protocol|\\(defn-?|\\(defmacro|\\(defun|\\(define|\\(defprotocol|\\(defrecord|\\(def';
const VALUES = 'const|let|var|val';
const OPERATOR = String.raw`\(([!#$%&*+./<=>?@\\^|~:-]{1,6})\)`;
const NAME = `(?:([\\p{L}_$][\\p{L}\\p{N}_$.]*[!?']?)|${OPERATOR})`;
/** The rest of a line that gives a name to what is imported. */
const IMPORTED = /^[ \t]*(?::[^=\n]*)?=[ \t]*(?:await[ \t]+)?@?(?:require|import|include|use)\b/;

/** How definitions begin in various languages: a keyword, or the special form of a few languages. */
const DEFINITIONS: readonly RegExp[] = [
  new RegExp(
    `^[ \\t]*(?:(?:${MODIFIERS}|@\\w+)[ \\t]+)*(?:${KEYWORDS})[ \\t]+(?:\\((?![!#$%&*+./<=>?@\\\\^|~:-]))?${NAME}`,
    'gmu',
  ),
  // indented ones are local variables
  new RegExp(`^(?:(?:${MODIFIERS})[ \\t]+)*(?:${VALUES})[ \\t]+(?:rec[ \\t]+|mut[ \\t]+)?${NAME}`, 'gmu'),
  new RegExp(`^[ \\t]+(?:pub|public)[ \\t]+(?:static[ \\t]+)?(?:${VALUES})[ \\t]+${NAME}`, 'gmu'),
  // a type signature
  new RegExp(`^${NAME}[ \\t]*::[ \\t]`, 'gmu'),
  // a function as a value
  new RegExp(`^${NAME}[ \\t]*(?:<-|=)[ \\t]*function\\b`, 'gmu'),
];

/** Words that may follow a keyword and are no names: `type family`, `data instance`, `extension on`. */
const NO_NAMES = new Set(
  (
    'class|struct|enum|union|interface|trait|instance|family|func|function|fun|fn|def|proc|const|let|var|val|' +
    'if|else|for|while|return|in|of|on|is|do|end|where|with|from|as|import|include|require|use|using|' +
    'extends|implements|this|self|super|new|not|and|or|then|case|switch|match|when|rec|mut'
  ).split('|'),
);

/**
 * The definitions that lines of a text in a language (linguist's name) without a grammar seem to start: of a program by
 * the keywords that most languages use, of a contract between services by its own forms. The name of a qualified name
 * (`defmodule Phoenix.Router`) is its last part, that of an operator in brackets the operator.
 */
export function definitionLines(text: string, language: string): NamedLine[] {
  return contractDefinitions(text, language, programLines) ?? (isProgramming(language) ? programLines(text) : []);
}

function programLines(text: string): NamedLine[] {
  const found = new Map<number, NamedLine>();
  for (const pattern of DEFINITIONS) {
    for (const match of text.matchAll(pattern)) {
      const whole = match[1] ?? match[2] ?? '';
      const name = match[1] === undefined ? whole : (whole.replace(/\.+$/, '').split('.').at(-1) ?? '');
      const at = match.index + match[0].lastIndexOf(whole);
      const isName = match[1] === undefined || (name.length > 1 && !NO_NAMES.has(name));
      if (isName && !IMPORTED.test(text.slice(at + whole.length, at + whole.length + LONGEST_IMPORT)))
        found.set(at, { name, at });
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

/** Characters after a name in which an import is looked for. */
const LONGEST_IMPORT = 200;
