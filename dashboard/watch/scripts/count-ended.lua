-- Counts what ended in each bucket of time from the scores of the finished jobs. `jobs` is what the keys of the queue's jobs begin with; `start` and
-- `step` are milliseconds, `buckets` how many there are, `sample` jobs looked at in each; from `trimmed` jobs on the queue may have dropped older ones.
-- Returns for each bucket: completed, failed, and the sampled jobs' milliseconds of running and waiting in turn; counts and waits of -1 are unknown.
-- uses: ready-at.lua
-- keys: completed failed
-- args: jobs start step buckets sample trimmed
local out = {}
if redis.call('EXISTS', keys.completed, keys.failed) == 0 then
  for b = 1, tonumber(args.buckets) do out[b] = { 0, 0, {} } end
  return out
end
local start, step, n = tonumber(args.start), tonumber(args.step), tonumber(args.buckets)
local ended = { keys.completed, keys.failed }
local since = {}
for i = 1, 2 do
  since[i] = 0
  if redis.call('ZCARD', ended[i]) >= tonumber(args.trimmed) then
    since[i] = tonumber(redis.call('ZRANGE', ended[i], 0, 0, 'WITHSCORES')[2])
  end
end
for b = 0, n - 1 do
  local from, to = start + b * step, '(' .. string.format('%.0f', start + (b + 1) * step)
  local counts = {}
  for i = 1, 2 do counts[i] = from < since[i] and -1 or redis.call('ZCOUNT', ended[i], from, to) end
  local sample = {}
  if counts[1] > 0 then
    for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', keys.completed, to, from, 'LIMIT', 0, args.sample)) do
      local job = redis.pcall('HMGET', args.jobs .. id, 'timestamp', 'processedOn', 'finishedOn', 'ats')
      if job.err then job = {} end -- something else lies in its place
      local t, p, f = tonumber(job[1]), tonumber(job[2]), tonumber(job[3])
      if t and p and f then
        sample[#sample + 1] = math.max(0, f - p)
        -- Of a job that was tried before it is not known when it became ready again.
        sample[#sample + 1] = (tonumber(job[4]) or 1) > 1 and -1 or math.max(0, p - askedFor(args.jobs .. id))
      end
    end
  end
  out[#out + 1] = { counts[1], counts[2], sample }
end
return out
