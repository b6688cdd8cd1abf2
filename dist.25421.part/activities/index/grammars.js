import { Language, Parser, Query } from 'web-tree-sitter';
import { GRAMMARS, readGrammar } from './grammar-files.js';
const loaded = new Map();
let runtime;
/** Grammar names by the names of linguist where they are not the same in lower case. */
const OTHER_NAMES = {
    'C#': 'c-sharp',
    'C++': 'cpp',
    Shell: 'bash',
};
/** The grammar of a language as linguist names it, loaded once a thread; null when there is none. */
export async function grammarOf(language) {
    const name = OTHER_NAMES[language] ?? language.toLowerCase();
    if (!GRAMMARS.includes(name))
        return null;
    let grammar = loaded.get(name);
    if (!grammar)
        loaded.set(name, (grammar = load(name)));
    return grammar;
}
async function load(name) {
    await (runtime ??= Parser.init());
    const { wasm, tags } = await readGrammar(name);
    const language = await Language.load(wasm);
    const parser = new Parser();
    parser.setLanguage(language);
    return { parser, definitions: definitionsOnly(new Query(language, tags), tags) };
}
/** The packages' queries also find references and comments, which would cost a third of the time and are not used. */
function definitionsOnly(query, source) {
    const bytes = Buffer.from(source);
    for (let pattern = 0; pattern < query.patternCount(); pattern++) {
        const text = bytes.toString('utf8', query.startIndexForPattern(pattern), query.endIndexForPattern(pattern));
        if (!text.includes('@definition.'))
            query.disablePattern(pattern);
    }
    for (const capture of query.captureNames) {
        if (capture !== 'name' && !capture.startsWith('definition.'))
            query.disableCapture(capture);
    }
    return query;
}
//# sourceMappingURL=grammars.js.map