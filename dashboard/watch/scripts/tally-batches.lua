-- Adds up the batches that have not come to rest, a stretch of them: how many are in each state, and their objects by outcome. What chunks in work
-- have done so far counts too: a slow batch moves for minutes before the first of them is counted. `records` is what the keys of records begin with.
-- What another program wrote in place of a number counts as none.
-- Returns how many were looked at, the sums of listed, succeeded, failed and skipped, and states and their counts in turn.
-- keys: active
-- args: records offset count
local ids = redis.call('ZRANGE', keys.active, args.offset, args.offset + args.count - 1)
local function amount(text)
  local number = tonumber(text or '') or 0
  return number > 0 and number < 1e15 and number or 0
end
local sums, states = { 0, 0, 0, 0 }, {}
for _, id in ipairs(ids) do
  local key = args.records .. id
  local record = redis.pcall('HMGET', key, 'state', 'listed', 'succeeded', 'failed', 'skipped')
  if not record.err and record[1] and record[1] ~= '' then
    states[record[1]] = (states[record[1]] or 0) + 1
    for i = 1, 4 do sums[i] = sums[i] + amount(record[i + 1]) end
    local lines = redis.pcall('HVALS', key .. ':live')
    if not lines.err then
      for _, line in ipairs(lines) do
        local done, failed, skipped = string.match(line, '^([^,]*),([^,]*),([^,]*)')
        sums[2], sums[3], sums[4] = sums[2] + amount(done), sums[3] + amount(failed), sums[4] + amount(skipped)
      end
    end
  end
end
local flat = {}
for state, count in pairs(states) do
  flat[#flat + 1] = state
  flat[#flat + 1] = count
end
for i = 1, 4 do sums[i] = string.format('%.0f', sums[i]) end
return { #ids, sums, flat }
