SELECT person, sum(calls) AS requests, sum(cost_usd) AS usd, max(seen_at) AS last_seen
FROM usage
GROUP BY person
ORDER BY person
