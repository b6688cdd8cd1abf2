# Longhaul's worker and command line. `docker compose build` or `docker build -t longhaul:local .`; docs/deployment.md.
ARG NODE_IMAGE=node:26.9.0-bookworm-slim

# All dependencies, for compiling. No install scripts: they fetch programs for developers' machines.
FROM ${NODE_IMAGE} AS build
WORKDIR /opt/longhaul
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.mjs

# Production dependencies without the embedded servers and the binaries of other systems.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /opt/longhaul
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && system="$(node -p 'process.arch === "x64" ? "x86_64" : "aarch64"')-unknown-linux-gnu" \
    && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$system" -exec rm -rf {} + \
    && find node_modules/onnxruntime-node/bin -mindepth 2 -maxdepth 2 ! -name linux -exec rm -rf {} + \
    && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 ! -name "$(node -p process.arch)" -exec rm -rf {} + \
    && node --input-type=module -e "await import('@temporalio/worker'); await import('onnxruntime-node')"

# The embedding models, so that the image needs no Python and starts fast. One layer each, rebuilt only when its sources change.
FROM dependencies AS model
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-pip \
    && rm -rf /var/lib/apt/lists/*
COPY platform platform
COPY stack stack
COPY scripts/model.mjs scripts/model.mjs
RUN node scripts/model.mjs fetch
COPY domain domain
COPY activities/index activities/index
RUN node scripts/model.mjs distil

FROM ${NODE_IMAGE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -p /etc/longhaul /var/cache/longhaul \
    && chown node:node /var/cache/longhaul \
    && ln -s /opt/longhaul/dist/client/bin.js /usr/local/bin/longhaul
WORKDIR /opt/longhaul
COPY --from=dependencies /opt/longhaul/node_modules node_modules
COPY --from=model /opt/longhaul/model model
COPY --from=model --chown=node:node /opt/longhaul/cache/models /var/cache/longhaul/models
COPY --from=build /opt/longhaul/dist dist
COPY package.json LICENSE* ./
ENV NODE_ENV=production \
    LONGHAUL_CONFIG=/etc/longhaul/longhaul.yaml \
    LONGHAUL_CACHE_DIR=/var/cache/longhaul \
    LONGHAUL_MODEL_DIR=/opt/longhaul/model
USER node
VOLUME /var/cache/longhaul
# tini reaps child processes that git leaves behind.
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/workers/main.js"]
