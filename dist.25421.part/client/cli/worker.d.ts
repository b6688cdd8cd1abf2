/** `longhaul worker`: the worker process, with our signals passed on. Gives its exit code. */
export declare function runWorker(options: {
    config?: string;
    data?: string;
}, roles: string): Promise<number>;
