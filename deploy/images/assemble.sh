#!/bin/sh
# Lays out what an image runs in a plain folder: sources and production dependencies of some packages, nothing else.
#
#   assemble.sh services|dashboard TARGET
#
# Both Dockerfiles run it in their build stage, and a test runs it here. Run from the root of the repository; the dashboard has to be
# built before (npm run build -w dashboard).
set -eu
what=$1
target=$2

case $what in
  services) packages='ingest detector query-api' ;;
  dashboard) packages='dashboard' ;;
  *) echo "assemble.sh services|dashboard TARGET" >&2; exit 2 ;;
esac

mkdir -p "$target"
# npm compares the lockfile with every package of the workspace, also with those that it does not install.
for package in . ingest detector query-api dashboard deploy; do
  mkdir -p "$target/$package"
  cp "$package/package.json" "$target/$package/"
done
cp package-lock.json "$target/"

workspaces=''
for package in $packages; do workspaces="$workspaces -w $package"; done
# shellcheck disable=SC2086
(cd "$target" && npm ci $workspaces --omit=dev --omit=peer --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error)

if [ "$what" = services ]; then
  for package in $packages; do
    cp -R "$package/src" "$package/contract" "$target/$package/"
    if [ -d "$package/migrations" ]; then cp -R "$package/migrations" "$target/$package/"; fi
  done
  # The embedded bus and database are for one machine; here Kafka and Postgres are servers.
  rm -rf "$target/node_modules/lmdb" "$target/node_modules/@lmdb" "$target/node_modules/@electric-sql"
else
  # The pages were built with the contracts inside; the program in front of them reads its settings from src.
  mkdir -p "$target/dashboard/src"
  cp dashboard/src/main.ts dashboard/src/config.ts "$target/dashboard/src/"
  cp -R dashboard/build "$target/dashboard/"
fi
# Optional peers of the sign-in library bring the tools that pages are built and tested with.
for tool in typescript vite vitest @vitest rolldown @rolldown lightningcss lightningcss-linux-x64-gnu lightningcss-linux-arm64-gnu; do
  rm -rf "$target/node_modules/$tool"
done
mkdir -p "$target/deploy/images"
cp deploy/images/health.mjs deploy/images/link.mjs "$target/deploy/images/"
find "$target" -path "$target/node_modules" -prune -o \
  \( -name '*.test.ts' -o -name testing.ts -o -name testing -o -name fixtures \) -print | xargs rm -rf
