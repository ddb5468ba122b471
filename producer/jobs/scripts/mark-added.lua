-- Notes that a job is in its queue. Only what is still there: a new record would have no input and no end.
-- keys: claim job
-- args: input
if redis.call('EXISTS', keys.claim) == 1 then redis.call('HSET', keys.claim, 'state', 'added') end
if redis.call('EXISTS', keys.job) == 1 then redis.call('HSETNX', keys.job, 'input', args.input) end
return 1
