-- Fields of a hash, each cut to `most` bytes: what somebody wrote there may be as long as Redis is large, and a page shows a hundred of them.
-- keys: hash
-- args: most fields...
local values = redis.call('HMGET', keys.hash, unpack(args.fields))
local most = tonumber(args.most)
for i = 1, #args.fields do
  local value = values[i]
  if value and #value > most then values[i] = string.sub(value, 1, most) end
end
return values
