-- One consistent look at a batch: its record, what chunks in work did so far, its errors, each as names and values.
-- No transaction: a Redis that is full refuses MULTI, even around reads.
-- keys: record live errors
-- A field that is longer than any of ours is cut, and then is no JSON.
local function short(key)
  local values = redis.call('HGETALL', key)
  for i, value in ipairs(values) do if #value > 1048576 then values[i] = string.sub(value, 1, 1048576) end end
  return values
end
return { short(keys.record), short(keys.live), short(keys.errors) }
