-- Takes all of the ranges or none. `buckets` are the hashes of objects and of ranges of each bucket in turn; `ranges` prefix and role of each range.
-- Returns who is in the way; nothing where they are taken.
-- uses: clock.lua roles.lua
-- keys: buckets...
-- args: holder ttl ranges...
local count = #keys.buckets / 2
for i = 1, count do
  local prefix, role = args.ranges[2 * i - 1], args.ranges[2 * i]
  local objects = redis.call('HGETALL', keys.buckets[2 * i - 1])
  for at = 1, #objects, 2 do
    local till, other, by = string.match(objects[at + 1], '^(%d+) (%a+) %S+ (.*)$')
    if not till or tonumber(till) <= now then redis.call('HDEL', keys.buckets[2 * i - 1], objects[at])
    elseif keepsOut(role, other) and string.sub(objects[at], 1, #prefix) == prefix then return by end
  end
  local ranges = redis.call('HGETALL', keys.buckets[2 * i])
  for at = 1, #ranges, 2 do
    local by = string.match(ranges[at], '^(.*) %d+$')
    local till, other, theirs = string.match(ranges[at + 1], '^(%d+) (%a+) (.*)$')
    if not till or tonumber(till) <= now then redis.call('HDEL', keys.buckets[2 * i], ranges[at])
    elseif by ~= args.holder and keepsOut(role, other) then
      local length = math.min(#prefix, #theirs)
      if string.sub(prefix, 1, length) == string.sub(theirs, 1, length) then return by end
    end
  end
end
for i = 1, count do
  local held = ending(tonumber(args.ttl)) .. ' ' .. args.ranges[2 * i] .. ' ' .. args.ranges[2 * i - 1]
  redis.call('HSET', keys.buckets[2 * i], args.holder .. ' ' .. i, held)
  redis.call('PEXPIRE', keys.buckets[2 * i], tonumber(args.ttl) * 20)
end
return ''
