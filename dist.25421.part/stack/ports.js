import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { hasCode, StackError } from './stack-error.js';
// Below the range that systems give to outgoing connections, so that a remembered port is still free at the next start.
const FIRST = 20_000;
const LAST = 31_999;
/**
 * A port for every need: the wanted one, else the remembered one while it is free, else a free one.
 * Throws {@link StackError} when a wanted port is taken.
 */
export async function choosePorts(needs, remembered) {
    const chosen = {};
    const used = new Set(needs.map((need) => need.wanted).filter((port) => port !== 0));
    for (const need of needs) {
        const port = need.wanted === 0 ? await freePort(need, remembered[need.name], used) : await wantedPort(need);
        used.add(port);
        chosen[need.name] = port;
        if (need.next === undefined)
            continue;
        used.add(port + 1);
        chosen[need.next.name] = port + 1;
    }
    return chosen;
}
async function wantedPort(need) {
    if (await suits(need, need.wanted))
        return need.wanted;
    throw new StackError(`Port ${need.wanted} (${need.key ?? need.name}) is in use by another program: ` +
        `stop that, choose another port, or leave it out to get a free one.`);
}
async function freePort(need, remembered, used) {
    const fits = async (port) => !used.has(port) && !(need.next && used.has(port + 1)) && (await suits(need, port));
    if (remembered !== undefined && (await fits(remembered)))
        return remembered;
    for (let tries = 0; tries < 500; tries++) {
        const port = randomInt(FIRST, LAST);
        if (await fits(port))
            return port;
    }
    throw new StackError(`No free port between ${FIRST} and ${LAST} was found for ${need.name}: stop what listens there.`);
}
async function suits(need, port) {
    return ((await isFree(port, need.everywhere)) && (need.next === undefined || (await isFree(port + 1, need.next.everywhere))));
}
/** True when a server could listen on this port now, on loopback or, with `everywhere`, on every interface. */
export async function isFree(port, everywhere = false) {
    return (await canListen(port, '127.0.0.1')) && (!everywhere || (await canListen(port, undefined)));
}
/**
 * Keeps a port on every interface busy, so that no server can listen there; who connects is sent away. Returns the function
 * that gives it free. Throws {@link StackError} when it is taken.
 */
export async function occupyPort(port) {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    await new Promise((resolve, reject) => {
        server.once('error', (error) => {
            reject(new StackError(`Port ${port} is in use by another program: start again to get another.`, { cause: error }));
        });
        server.listen(port, resolve);
    });
    return () => new Promise((resolve) => void server.close(() => resolve()));
}
function canListen(port, host) {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once('error', (error) => {
            if (hasCode(error, 'EADDRINUSE', 'EACCES'))
                resolve(false);
            else
                reject(error);
        });
        server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
    });
}
//# sourceMappingURL=ports.js.map