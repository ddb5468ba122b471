-- All that is shown of one queue, at the cost of counts alone, whatever the queue holds. `jobs` is what the keys of its jobs begin with, `since` the
-- start of the rate's window, `now` the time. A delayed job whose time has come waits, though BullMQ moves it only when a worker takes the next one.
-- A prioritized job that waits behind others is not looked for: the one that is next tells the age.
-- Most activities are never used, and a look at those is two commands.
-- uses: ready-at.lua
-- keys: wait active delayed prioritized completed failed meta paused
-- args: jobs since now
if redis.call('EXISTS', keys.wait, keys.active, keys.delayed, keys.prioritized, keys.completed, keys.failed, keys.paused) == 0 then
  return { 0, 0, 0, 0, 0, redis.call('HEXISTS', keys.meta, 'paused'), '', 0, 0 }
end
local next = { redis.call('LINDEX', keys.wait, -1), redis.call('ZRANGE', keys.prioritized, 0, 0)[1] }
local oldest = false
for i = 1, 2 do
  if next[i] then
    local ready = readyAt(args.jobs .. next[i])
    if ready > 0 and (not oldest or ready < oldest) then oldest = ready end
  end
end
-- Scores of delayed jobs are their time, times 4096.
local due = redis.call('ZCOUNT', keys.delayed, '-inf', (tonumber(args.now) + 1) * 4096 - 1)
if due > 0 then
  local ready = math.floor(tonumber(redis.call('ZRANGE', keys.delayed, 0, 0, 'WITHSCORES')[2]) / 4096)
  if not oldest or ready < oldest then oldest = ready end
end
return {
  redis.call('LLEN', keys.wait) + redis.call('LLEN', keys.paused) + redis.call('ZCARD', keys.prioritized) + due,
  redis.call('LLEN', keys.active), redis.call('ZCARD', keys.delayed) - due,
  redis.call('ZCARD', keys.completed), redis.call('ZCARD', keys.failed),
  redis.call('HEXISTS', keys.meta, 'paused'), oldest and string.format('%.0f', oldest) or '',
  redis.call('ZCOUNT', keys.completed, args.since, '+inf'), redis.call('ZCOUNT', keys.failed, args.since, '+inf'),
}
