-- Puts one job aside: out of whatever list it is in, into `failed`, readable again for everybody who lists jobs.
-- A key that is not the job's to write (BullMQ's own: `owned` is 1) is left alone, and the id is only taken out of the lists.
-- Returns 1 where it was there.
-- keys: job wait active delayed prioritized failed quarantine events lock
-- args: id reason now error record data name owned queue
local kind = redis.call('TYPE', keys.job).ok
local found = redis.call('LREM', keys.wait, 0, args.id) + redis.call('LREM', keys.active, 0, args.id)
  + redis.call('ZREM', keys.delayed, args.id) + redis.call('ZREM', keys.prioritized, args.id)
if found == 0 or kind == 'none' then return 0 end
redis.call('HSET', keys.quarantine, args.name, args.record)
redis.call('DEL', keys.lock)
if args.owned == '1' then return 1 end
if kind ~= 'hash' then
  redis.call('DEL', keys.job)
  redis.call('HSET', keys.job, 'name', args.queue, 'timestamp', args.now, 'delay', '0', 'priority', '0')
end
redis.call('HSET', keys.job, 'data', args.data, 'opts', '{"attempts":1}', 'progress', '0')
redis.call('HSET', keys.job, 'failedReason', args.reason, 'finishedOn', args.now, 'error', args.error)
redis.call('HDEL', keys.job, 'parent', 'returnvalue', 'stacktrace', 'rjk', 'atm', 'ats', 'stc')
redis.call('ZADD', keys.failed, args.now, args.id)
redis.call('XADD', keys.events, 'MAXLEN', '~', '10000', '*', 'event', 'failed', 'jobId', args.id, 'failedReason', args.reason, 'prev', 'active')
return 1
