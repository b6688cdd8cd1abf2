/** `class EXPORTED Name {`: the macro, which the grammar takes for the name. */
const OF_CLASS =
  /\b(?:class|struct|union)\s+([A-Z][A-Z0-9_]{2,}(?:\([^()\n]*\))?)(?=\s+[A-Za-z_][\w:]*(?:<[^<>\n]*>)?(?:\s+final)?\s*[:{])/g;
/** A line that is only a macro and opens or closes something: `ABSL_NAMESPACE_BEGIN`. */
const LINE =
  /^[ \t]*(?=(?:[A-Z0-9]+_)*(?:BEGIN|END|OPEN|CLOSE|PUSH|POP)(?![A-Z0-9]))[A-Z][A-Z0-9_]*(?:\([^()\n]*\))?;?[ \t]*$/gm;

/**
 * A text in C or C++ with spaces in place of the macros that hide definitions from the grammar, which does not expand
 * macros. Every other character keeps its position.
 */
export function withoutMacros(text: string): string {
  return text
    .replaceAll(OF_CLASS, (found, macro: string) => found.slice(0, -macro.length) + ' '.repeat(macro.length))
    .replaceAll(LINE, (found) => ' '.repeat(found.length));
}
