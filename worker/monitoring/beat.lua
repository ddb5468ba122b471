-- A worker says that it is alive, and puts those aside of which nothing was heard for long: what they said last is kept, with what they held.
-- Whoever is heard of again was not lost.
-- keys: workers worker lost
-- args: id record now silence prefix
local now = tonumber(args.now)
redis.call('ZADD', keys.workers, now, args.id)
-- Kept far beyond its life: it is what is known of a worker that died.
redis.call('SET', keys.worker, args.record, 'EX', 86400)
redis.call('HDEL', keys.lost, args.id)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', keys.workers, '-inf', now - tonumber(args.silence))) do
  local key = args.prefix .. id
  local record = redis.call('GET', key)
  redis.call('ZREM', keys.workers, id)
  if record then redis.call('HSET', keys.lost, id, record) end
  redis.call('DEL', key)
end
local all = redis.call('HGETALL', keys.lost)
if #all > 200 then -- names and values
  local oldest, seen
  for i = 1, #all, 2 do
    local at = string.match(all[i + 1], '"seenAt":"([^"]+)"') or ''
    if not seen or at < seen then oldest, seen = all[i], at end
  end
  redis.call('HDEL', keys.lost, oldest)
end
return 1
