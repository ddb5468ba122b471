-- Takes a try back that turned out right: not below nothing, and never a counter without an end.
-- keys: counter
if tonumber(redis.call('GET', keys.counter) or '0') > 0 then redis.call('DECR', keys.counter) end
