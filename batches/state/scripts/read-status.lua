-- One consistent look at a batch: its record, what chunks in work did so far, its errors, each as names and values.
-- No transaction: a Redis that is full refuses MULTI, even around reads.
-- keys: record live errors
return { redis.call('HGETALL', keys.record), redis.call('HGETALL', keys.live), redis.call('HGETALL', keys.errors) }
