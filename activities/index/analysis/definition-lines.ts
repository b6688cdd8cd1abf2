/** A name and its position in a text, in UTF-16 units. */
export interface NamedLine {
  readonly name: string;
  readonly at: number;
}

const MODIFIERS =
  'export|default|pub(?:\\([a-z ]+\\))?|public|private|fileprivate|protected|internal|open|static|final|abstract|sealed|async|' +
  'override|inline|extern|unsafe|virtual|partial|indirect|mutating|nonmutating|convenience|required|dynamic|comptime|local|base';
const KEYWORDS =
  'class|struct|enum|union|interface|protocol|trait|module|defmodule|namespace|extension|object|record|actor|type|typealias|' +
  'newtype|data|func|function|fun|fn|def|defp|defmacrop?|defprotocol|defguardp?|defdelegate|sub|proc|procedure|macro|mixin|method|' +
  'package|signature|@interface|@implementation|@protocol|\\(defn-?|\\(defmacro|\\(defun|\\(define|\\(defprotocol|\\(defrecord|\\(def';
const VALUES = 'const|let|var|val';
const NAME = "([\\p{L}_$][\\p{L}\\p{N}_$.]*[!?']?)";

/** How definitions begin in various languages: a keyword, or the special form of a few languages. */
const DEFINITIONS: readonly RegExp[] = [
  new RegExp(`^[ \\t]*(?:(?:${MODIFIERS}|@\\w+)[ \\t]+)*(?:${KEYWORDS})[ \\t]+(?:\\(?)${NAME}`, 'gmu'),
  // indented ones are local variables
  new RegExp(`^(?:(?:${MODIFIERS})[ \\t]+)*(?:${VALUES})[ \\t]+(?:rec[ \\t]+|mut[ \\t]+)?${NAME}`, 'gmu'),
  new RegExp(`^[ \\t]+(?:pub|public)[ \\t]+(?:static[ \\t]+)?(?:${VALUES})[ \\t]+${NAME}`, 'gmu'),
  // a type signature
  new RegExp(`^${NAME}[ \\t]*::[ \\t]`, 'gmu'),
  // a function as a value
  new RegExp(`^${NAME}[ \\t]*(?:<-|=)[ \\t]*function\\b`, 'gmu'),
];

/**
 * The definitions that lines of a program seem to start, by the keywords that most languages use: for languages without
 * a grammar. The name of a qualified name (`defmodule Phoenix.Router`) is its last part.
 */
export function definitionLines(text: string): NamedLine[] {
  const found = new Map<number, NamedLine>();
  for (const pattern of DEFINITIONS) {
    for (const match of text.matchAll(pattern)) {
      const whole = match[1] ?? '';
      const name = whole.replace(/\.+$/, '').split('.').at(-1) ?? '';
      const at = match.index + match[0].lastIndexOf(whole);
      if (name.length > 1) found.set(at, { name, at });
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}
