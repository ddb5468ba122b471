-- Adds an act to a log of bounded length, and to the timeline of the thing: a field of a job's own hash, gone with it, or a list.
-- keys: log other job timeline
-- args: entry length most seconds

-- Both logs are read as one, by their ids: no two acts may have the same one, nor an act an earlier one than the act before it.
local time = redis.call('TIME')
local ms, number = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), 0
for _, key in ipairs({ keys.log, keys.other }) do
  local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if newest then
    local before, count = string.match(newest[1], '^(%d+)-(%d+)$')
    before, count = tonumber(before), tonumber(count)
    if before > ms or (before == ms and count >= number) then ms, number = before, count + 1 end
  end
end
local wanted = string.format('%.0f-%.0f', ms, number)
local id = redis.call('XADD', keys.log, 'MAXLEN', '~', args.length, wanted, 'entry', args.entry)
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
