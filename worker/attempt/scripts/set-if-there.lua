-- Sets a field of a hash, unless it was removed meanwhile.
-- keys: hash
-- args: field value
if redis.call('EXISTS', keys.hash) == 1 then redis.call('HSET', keys.hash, args.field, args.value) end
