# Images of the swarm's programs, a target each: core, architect, worker, worker-python. docs/containers.md has the rest.
#   docker build --target core --tag hypercode-core .

# The Node.js of `catalog:` in pnpm-workspace.yaml. Base images are arguments, for mirrors and for other builds of them.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${NODE_IMAGE} AS build
WORKDIR /workspace
# More connections at once than this make the resolvers of some container networks drop look-ups.
ENV CI=true PNPM_CONFIG_NETWORK_CONCURRENCY=16
COPY package.json ./
RUN npm install --global "$(node -p "require('./package.json').packageManager")"
COPY . .
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store \
    pnpm install --frozen-lockfile --ignore-scripts --filter hypercode-swarm --filter "@hypercode/core..." --filter "@hypercode/dashboard..." --filter "@hypercode/architect..." --filter "@hypercode/examples..."
RUN node_modules/.bin/tsc -b apps/core apps/architect && cd apps/dashboard && node_modules/.bin/vite build
# In the workspace packages name their sources; in an image, as when they are published, what was compiled from them.
RUN node docker/apply-publish-config.mjs

# What a program needs to run, and no compilers: those come as optional dependencies.
FROM build AS core-files
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store pnpm --filter @hypercode/core --prod --no-optional --ignore-scripts deploy /deploy

FROM build AS architect-files
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store pnpm --filter @hypercode/architect --prod --no-optional --ignore-scripts deploy /deploy

FROM build AS worker-files
RUN --mount=type=cache,id=pnpm,target=/root/.local/share/pnpm/store pnpm --filter @hypercode/examples --prod --no-optional --ignore-scripts deploy /deploy

FROM ${NODE_IMAGE} AS program
ENV NODE_ENV=production
WORKDIR /app
COPY docker/answers.mjs docker/make-token.mjs /usr/local/lib/hypercode/
# Where an embedded core keeps its data, and a program of compose its token: volumes on them begin with this owner and mode.
RUN install --directory --owner=node --group=node --mode=700 /data /token
# The image's user `node`, by its number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000

FROM program AS core
ENV SWARM_HOST=0.0.0.0 SWARM_PORT=7700 SWARM_DATA_DIR=/data
COPY --from=core-files /deploy ./
# Beside the app, as in the workspace.
COPY --from=build /workspace/apps/dashboard/dist /dashboard/dist
EXPOSE 7700
# Whether the process lives. Whether its stores answer is at /readyz, and no reason to restart it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD node /usr/local/lib/hypercode/answers.mjs "http://127.0.0.1:$SWARM_PORT/healthz"
ENTRYPOINT ["node", "dist/main.js"]

FROM program AS architect
ENV ARCHITECT_HOST=0.0.0.0 ARCHITECT_PORT=7710
COPY --from=architect-files /deploy ./
EXPOSE 7710
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD node /usr/local/lib/hypercode/answers.mjs "http://127.0.0.1:$ARCHITECT_PORT/health"
ENTRYPOINT ["node", "dist/main.js"]

# The agents of examples/; the first argument says which. Node.js strips their types itself.
FROM program AS worker
COPY --from=worker-files /deploy ./
ENTRYPOINT ["node"]
CMD ["task-worker.ts"]

FROM ${PYTHON_IMAGE} AS worker-python
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY examples/python ./
USER 1000:1000
ENTRYPOINT ["python3"]
CMD ["worker.py"]
