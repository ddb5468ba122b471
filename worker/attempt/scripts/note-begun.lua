-- Notes that the effect is about to be asked for. Returns 1 where that was noted before.
-- keys: evidence
-- args: ttl
local first = redis.call('HSETNX', keys.evidence, 'began', '1')
redis.call('EXPIRE', keys.evidence, args.ttl)
return 1 - first
