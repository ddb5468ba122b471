-- Writes one piece of evidence. A script instead of a transaction, which costs ioredis several times as much.
-- keys: evidence
-- args: field value ttl
redis.call('HSET', keys.evidence, args.field, args.value)
redis.call('EXPIRE', keys.evidence, args.ttl)
