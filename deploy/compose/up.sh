#!/bin/sh
# Makes secrets and settings where there are none, starts everything and prints how to get in. Run it again after a change; what is
# there stays. Arguments go to docker compose up.
set -eu
umask 077
cd "$(dirname "$0")"

secret() { # NAME: 32 random bytes in hex, once
  [ -s "secrets/$1" ] || head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"secrets/$1"
}
sha256() { sha256sum 2>/dev/null || shasum -a 256; }

mkdir -p secrets
for name in auth-secret control-token clickhouse-password clickhouse-analyst-password postgres-password; do secret "$name"; done
printf 'postgres://lanewatch:%s@postgres:5432/lanewatch' "$(cat secrets/postgres-password)" >secrets/database-url

hash_of() { sha256 <"secrets/$1" | cut -d ' ' -f 1; }
cat >secrets/clickhouse-users.xml <<XML
<clickhouse>
    <profiles><analyst>
        <readonly>2</readonly><max_execution_time>60</max_execution_time><max_memory_usage>1073741824</max_memory_usage>
        <!-- Questions never take the whole machine from the ledger's writer: see deploy/embedded/clickhouse/README.md. -->
        <max_threads>2</max_threads><max_concurrent_queries_for_user>4</max_concurrent_queries_for_user>
    </analyst></profiles>
    <users>
        <default remove="1"/>
        <lanewatch>
            <password_sha256_hex>$(hash_of clickhouse-password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
        </lanewatch>
        <analyst>
            <password_sha256_hex>$(hash_of clickhouse-analyst-password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks><profile>analyst</profile><quota>default</quota>
            <grants><query>GRANT SELECT, dictGet ON lanewatch.*</query></grants>
        </analyst>
        <health>
            <no_password/><networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>analyst</profile><quota>default</quota>
            <grants><query>GRANT SELECT ON system.one</query></grants>
        </health>
    </users>
</clickhouse>
XML
# The stores run as users of their own images, and the folder keeps everybody else of this machine out.
chmod 644 secrets/postgres-password secrets/clickhouse-users.xml

uid=$(id -u) gid=$(id -g)
[ "$uid" != 0 ] || uid=1000 gid=1000
[ -f .env ] || printf 'LANEWATCH_UID=%s\nLANEWATCH_GID=%s\n' "$uid" "$gid" >.env
if [ "$(id -u)" = 0 ]; then
  # Theirs whom the services run as, also where somebody else than root wrote .env.
  of() { sed -n "s/^LANEWATCH_$1=//p" .env; }
  for name in auth-secret control-token clickhouse-password clickhouse-analyst-password database-url; do
    chown "$(of UID):$(of GID)" "secrets/$name"
  done
fi
[ "${1:-}" = --prepare ] && exit

docker compose up --detach --build --wait "$@"
docker compose run --rm link
