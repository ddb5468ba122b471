-- What is known after a failed attempt, in the job's own hash: its error, and a line of the story of its attempts. Where it was the last one
-- (`final` is 1), the job joins its group of failures. Nothing is written of a job that was removed meanwhile.
-- keys: job failures failure jobs
-- args: error try final now group activity code bucket profile id message
if redis.call('EXISTS', keys.job) == 0 then return 0 end
redis.call('HSET', keys.job, 'error', args.error)
local tries = redis.call('HGET', keys.job, 'tries')
tries = tries and (tries .. '\n' .. args.try) or args.try
local _, breaks = string.gsub(tries, '\n', '')
if breaks >= 20 then tries = string.sub(tries, (string.find(tries, '\n', 1, true) or 0) + 1) end
redis.call('HSET', keys.job, 'tries', tries)
if args.final ~= '1' then return 1 end
local now, week = tonumber(args.now), 7 * 24 * 3600
redis.call('HSET', keys.job, 'failure', args.group)
redis.call('HSETNX', keys.failure, 'first', args.now)
redis.call('HSET', keys.failure, 'activity', args.activity, 'code', args.code, 'bucket', args.bucket, 'profile', args.profile,
  'last', args.now, 'example', args.id, 'message', args.message)
redis.call('HINCRBY', keys.failure, 'count', 1)
-- A day of hours, used again and again: each says which hour it is.
local hour = math.floor(now / 3600000)
local slot = 'h' .. (hour % 24)
local of, count = string.match(redis.call('HGET', keys.failure, slot) or '', '^(%d+):(%d+)$')
count = tonumber(of) == hour and tonumber(count) + 1 or 1
redis.call('HSET', keys.failure, slot, string.format('%.0f:%.0f', hour, count))
redis.call('ZADD', keys.jobs, now, args.id)
redis.call('ZREMRANGEBYSCORE', keys.jobs, '-inf', now - week * 1000)
redis.call('ZREMRANGEBYRANK', keys.jobs, 0, -100001)
redis.call('EXPIRE', keys.failure, week)
redis.call('EXPIRE', keys.jobs, week)
redis.call('ZADD', keys.failures, now, args.group)
redis.call('ZREMRANGEBYSCORE', keys.failures, '-inf', now - week * 1000)
-- Groups beyond go unlisted, and their keys by themselves.
redis.call('ZREMRANGEBYRANK', keys.failures, 0, -1001)
return 1
