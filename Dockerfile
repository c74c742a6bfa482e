# syntax=docker/dockerfile:1

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --loglevel=error --ignore-scripts --include=dev --include=optional
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
COPY drivers ./drivers
RUN node scripts/build.ts && npm prune --loglevel=error --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="podcrew" \
      org.opencontainers.image.description="A crew of browsers that publishes podcasts" \
      org.opencontainers.image.licenses="MIT"
# The browser, an init that reaps its children, fonts that draw Vietnamese.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell fonts-dejavu-core tini \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY scripts/docker/healthcheck.mjs ./healthcheck.mjs
RUN mkdir /data && chown node:node /data
# The code folder stays root's: the process can't change what it runs. It writes to /data and /tmp only, so the root file
# system may be read-only (docker run --read-only --tmpfs /tmp).
USER node
ENV NODE_ENV=production \
    HOME=/tmp \
    TMPDIR=/tmp \
    HOST=0.0.0.0 \
    PODCREW_DATA=/data \
    PODCREW_BROWSER=/usr/lib/chromium/chromium-headless-shell
VOLUME /data
EXPOSE 8700 8710 50809
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["node", "/app/healthcheck.mjs"]
# tini hands a signal to podcrew alone: browsers that got it too would die in the middle of what is being drained.
ENTRYPOINT ["tini", "--", "node", "/app/dist/src/cli/main.js"]
CMD ["farm"]
