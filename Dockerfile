# The worker, and every other command of bucketline:  docker run bucketline worker
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing that is needed here has an install script: the base image brings Node.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.js

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-slim
LABEL org.opencontainers.image.title="Bucketline" \
      org.opencontainers.image.description="Message-driven background worker for Amazon S3 and S3-compatible stores" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# A new volume takes over this folder's owner, so that the worker may write to it.
RUN install -d -o node -g node -m 0750 /var/lib/bucketline/documents
USER node
ENV NODE_ENV=production \
    DOCUMENTS_URL=file:///var/lib/bucketline/documents \
    BUCKETLINE_HEALTH_HOST=0.0.0.0 \
    BUCKETLINE_HEALTH_PORT=8080
VOLUME /var/lib/bucketline/documents
EXPOSE 8080
# On SIGTERM the worker lets running jobs end, for BUCKETLINE_SHUTDOWN_TIMEOUT (25 s): give it 35 s before SIGKILL.
STOPSIGNAL SIGTERM
# Whichever of the two runs here answers: the worker, or the dashboard.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "const { BUCKETLINE_HEALTH_PORT: worker, BUCKETLINE_DASHBOARD_PORT: dashboard = 8420 } = process.env; Promise.any([`${worker}/livez`, `${dashboard}/login`].map((path) => fetch(`http://127.0.0.1:${path}`).then((answer) => answer.ok || Promise.reject()))).then(() => process.exit(0), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["worker"]
