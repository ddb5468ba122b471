-- Adds an act to a log of bounded length, and to the timeline of the thing: a field of a job's own hash, gone with it, or a list.
-- keys: log job timeline
-- args: entry length most seconds
local id = redis.call('XADD', keys.log, 'MAXLEN', '~', args.length, '*', 'entry', args.entry)
local line = id .. ' ' .. args.entry
if redis.call('EXISTS', keys.job) == 1 then
  local before = redis.call('HGET', keys.job, 'acts')
  local kept = before and (before .. '\n' .. line) or line
  if #kept < 32768 then redis.call('HSET', keys.job, 'acts', kept) end
elseif args.seconds ~= '0' then
  redis.call('RPUSH', keys.timeline, line)
  redis.call('LTRIM', keys.timeline, '-' .. args.most, -1)
  redis.call('EXPIRE', keys.timeline, args.seconds)
end
return id
