-- Keeps the first pin and returns it, with the proof of a copy. One script, so two runs of one job agree.
-- keys: evidence
-- args: pin ttl
redis.call('HSETNX', keys.evidence, 'pin', args.pin)
redis.call('EXPIRE', keys.evidence, args.ttl)
return redis.call('HMGET', keys.evidence, 'pin', 'copy')
