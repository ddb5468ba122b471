-- Picks batches that have not come to rest to be shown at a glance: first those that stand still or have trouble, which somebody may have forgotten,
-- then the newest. `most` are picked, at most `held` of them for standing still, and `count` are looked at. `records` is what the keys of records begin with.
-- Returns how many there are, and the ids picked.
-- keys: active
-- args: records most held count
local held, others = {}, {}
for _, id in ipairs(redis.call('ZREVRANGE', keys.active, 0, args.count - 1)) do
  local key = args.records .. id
  local record = redis.pcall('HMGET', key, 'state', 'trouble')
  if not record.err then
    local stands = record[2] or (record[1] and record[1] ~= 'running')
    if stands and #held < tonumber(args.held) then held[#held + 1] = id else others[#others + 1] = id end
  end
end
for _, id in ipairs(others) do
  if #held >= tonumber(args.most) then break end
  held[#held + 1] = id
end
return { redis.call('ZCARD', keys.active), held }
