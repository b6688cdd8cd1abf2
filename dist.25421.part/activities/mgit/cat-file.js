import { once } from 'node:events';
import { LonghaulError } from '../../domain/failures.js';
/** Requests are written in blocks of about this size. */
const BLOCK = 16_384;
/** Starts reading objects. An abort ends it. */
export async function openObjectReader(git, store, options) {
    const child = await git.start(['cat-file', '--batch-command', '--buffer'], { ...options, store });
    const source = byteSource(child.stdout, async () => {
        await child.ended;
        throw new LonghaulError('GitFailed', `git cat-file of ${options.about} ended before it had answered.`);
    });
    async function ask(question, oids) {
        let block = '';
        for (const oid of oids) {
            block += `${question} ${oid}\n`;
            if (block.length < BLOCK)
                continue;
            if (!child.stdin.write(block))
                await Promise.race([once(child.stdin, 'drain'), child.ended]);
            block = '';
        }
        child.stdin.write(`${block}flush\n`);
    }
    async function answer() {
        const [oid = '', type = '', size] = (await source.line()).split(' ');
        return size === undefined ? { oid, type: null, size: 0 } : { oid, type, size: Number(size) };
    }
    return {
        async missing(oids) {
            const asked = ask('info', oids);
            const gone = [];
            for (const oid of oids)
                if ((await answer()).type === null)
                    gone.push(oid);
            await asked;
            return gone;
        },
        async *read(oids, maxBytes) {
            const wanted = [...oids];
            const asked = ask('contents', wanted);
            // a failure to ask ends git, which the reading below reports
            asked.catch(() => undefined);
            for (let left = wanted.length; left > 0; left--) {
                const object = await answer();
                if (object.type === null) {
                    yield { ...object, content: null };
                    continue;
                }
                const fits = object.size <= maxBytes;
                const content = fits ? await source.bytes(object.size) : null;
                await source.skip(fits ? 1 : object.size + 1);
                yield { ...object, content };
            }
            await asked;
        },
        close: () => child.kill(),
    };
}
function byteSource(stream, onEnd) {
    const chunks = stream[Symbol.asyncIterator]();
    let rest = Buffer.alloc(0);
    async function pull() {
        const next = await chunks.next();
        return next.done ? onEnd() : next.value;
    }
    return {
        async line() {
            for (;;) {
                const end = rest.indexOf(0x0a);
                if (end >= 0) {
                    const line = rest.toString('latin1', 0, end);
                    rest = rest.subarray(end + 1);
                    return line;
                }
                rest = Buffer.concat([rest, await pull()]);
            }
        },
        async bytes(length) {
            const content = new Uint8Array(length);
            for (let at = 0;;) {
                const part = rest.subarray(0, length - at);
                content.set(part, at);
                at += part.length;
                rest = rest.subarray(part.length);
                if (at === length)
                    return content;
                rest = await pull();
            }
        },
        async skip(length) {
            for (let left = length;; rest = await pull()) {
                const part = Math.min(left, rest.length);
                rest = rest.subarray(part);
                left -= part;
                if (left === 0)
                    return;
            }
        },
    };
}
//# sourceMappingURL=cat-file.js.map