-- Which commands that we need this user may not call, or this server does not have: each is called once, on two keys that are gone afterwards.
-- Returns a list of names.
-- keys: one two
-- args: channel
local missing = {}
local function try(name, ...)
  local answer = redis.pcall(name, ...)
  local said = type(answer) == 'table' and answer.err or ''
  if string.find(said, "can't", 1, true) or string.find(said, 'NOPERM', 1, true) or string.find(string.lower(said), 'unknown redis command', 1, true) then
    missing[#missing + 1] = string.lower(name)
  end
end

local one, two = keys.one, keys.two
-- They leave nothing behind, or nothing that another one does not remove.
for _, name in ipairs({'TYPE', 'PTTL', 'PERSIST', 'GET', 'HGETALL', 'HLEN', 'HVALS', 'LLEN', 'LPOP', 'RPOP', 'SCARD', 'SMEMBERS', 'XLEN', 'ZCARD', 'ZPOPMIN', 'UNLINK'}) do
  try(name, one)
end
for _, name in ipairs({'HGET', 'HMGET', 'HEXISTS', 'HSTRLEN', 'HDEL', 'SREM', 'SISMEMBER', 'ZREM', 'ZSCORE', 'LPOS', 'XDEL'}) do
  try(name, one, '0-1')
end
for _, name in ipairs({'ZRANGE', 'ZREVRANGE', 'ZCOUNT', 'ZREMRANGEBYRANK', 'ZREMRANGEBYSCORE', 'LRANGE', 'LTRIM', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'}) do
  try(name, one, '0', '1')
end
for _, name in ipairs({'ZRANGEBYLEX', 'ZLEXCOUNT'}) do try(name, one, '-', '+') end
for _, name in ipairs({'XRANGE', 'XREVRANGE'}) do try(name, one, '-', '+') end
try('MGET', one, two)
try('LINDEX', one, '0')
try('GETBIT', one, '0')
try('LSET', one, '0', 'x')
try('RPOPLPUSH', one, two)
try('RENAME', one, two)
try('XREAD', 'STREAMS', one, '0')
try('XTRIM', one, 'MAXLEN', '0')
try('TIME')
try('PUBLISH', args.channel, '')
for _, name in ipairs({'EXPIRE', 'PEXPIRE', 'PEXPIREAT'}) do try(name, one, '1') end
-- Each kind of value by itself; a key of another kind would refuse it with other words.
local function clear() try('DEL', one, two) end
for _, name in ipairs({'INCR', 'DECR'}) do try(name, one) end
try('INCRBY', one, '1')
try('SET', one, 'x', 'EX', '1')
try('SETBIT', one, '0', '1')
clear()
for _, name in ipairs({'HSET', 'HMSET', 'HSETNX', 'HINCRBY'}) do try(name, one, 'f', '1') end
clear()
for _, name in ipairs({'LPUSH', 'RPUSH', 'LREM'}) do
  if name == 'LREM' then try(name, one, '0', 'x') else try(name, one, 'x') end
end
clear()
try('SADD', one, 'x')
clear()
try('ZADD', one, '1', 'x')
clear()
try('XADD', one, '*', 'f', 'v')
clear()
try('EXISTS', one)
return missing
