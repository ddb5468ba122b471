-- Takes all of the objects or none. `buckets` are the hashes of objects and of ranges of each bucket in turn; `objects` key and role of each object.
-- Returns who is in the way; nothing where they are taken; `=` where an earlier run of this holder had not given one of them back.
-- uses: clock.lua roles.lua
-- keys: buckets...
-- args: holder token ttl objects...
local ttl = tonumber(args.ttl)
local count, again = #keys.buckets / 2, ''
for i = 1, count do
  local key, role = args.objects[2 * i - 1], args.objects[2 * i]
  local held = redis.call('HGET', keys.buckets[2 * i - 1], key)
  if held then
    local till, by = string.match(held, '^(%d+) %a+ %S+ (.*)$')
    if till and tonumber(till) > now then
      if by ~= args.holder then return by end
      again = '='
    end
  end
  local ranges = redis.call('HGETALL', keys.buckets[2 * i])
  for at = 1, #ranges, 2 do
    local till, other, prefix = string.match(ranges[at + 1], '^(%d+) (%a+) (.*)$')
    if till and tonumber(till) > now and keepsOut(role, other) and string.sub(key, 1, #prefix) == prefix then
      return (string.match(ranges[at], '^(.*) %d+$'))
    end
  end
end
for i = 1, count do
  local held = ending(ttl) .. ' ' .. args.objects[2 * i] .. ' ' .. args.token .. ' ' .. args.holder
  redis.call('HSET', keys.buckets[2 * i - 1], args.objects[2 * i - 1], held)
  redis.call('PEXPIRE', keys.buckets[2 * i - 1], ttl * 20)
end
return again
