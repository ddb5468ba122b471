-- Flags a job as cancelled unless it ended: from then on no worker starts it. Returns what the flag says, or nothing where it is too late.
-- A job that a cancel removed before stays cancelled. The flag outlives the job's delay.
-- keys: flag job lock active
-- args: id ttl unstarted running
local flag = redis.call('GET', keys.flag)
local job = redis.call('HMGET', keys.job, 'timestamp', 'finishedOn', 'delay')
if not job[1] then return flag == args.unstarted and flag or false end
if job[2] then return false end
local value = args.unstarted
if flag ~= value and (redis.call('EXISTS', keys.lock) == 1 or redis.call('LPOS', keys.active, args.id)) then value = args.running end
redis.call('SET', keys.flag, value, 'EX', args.ttl + math.ceil((tonumber(job[3]) or 0) / 1000))
return value
