-- Renews what a run holds, or gives it back where `ttl` is 0. `buckets` are the hashes of objects, one for each of `objects`, which are keys.
-- Returns 1 where all of them are this run's.
-- uses: clock.lua
-- keys: buckets...
-- args: token ttl objects...
local ttl, all = tonumber(args.ttl), 1
for i, key in ipairs(args.objects) do
  local bucket = keys.buckets[i]
  local held = redis.call('HGET', bucket, key)
  local till, role, token, holder = string.match(held or '', '^(%d+) (%a+) (%S+) (.*)$')
  if token ~= args.token then all = 0
  elseif ttl == 0 then redis.call('HDEL', bucket, key)
  elseif tonumber(till) <= now then all = 0
  else
    redis.call('HSET', bucket, key, ending(ttl) .. ' ' .. role .. ' ' .. token .. ' ' .. holder)
    redis.call('PEXPIRE', bucket, ttl * 20)
  end
end
return all
