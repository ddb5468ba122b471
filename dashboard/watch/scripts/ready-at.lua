-- Tells since when a job has been ready to run, in milliseconds since 1970. BullMQ sets `delay` to 0 when it promotes a job, and what was asked
-- stays in `opts.delay`. `askedFor` is that of its first attempt; a job that was tried before (`readyAt`) has been ready since that attempt at
-- the earliest. `again` is when it was put back by hand.
local function askedFor(key)
  local job = redis.pcall('HMGET', key, 'timestamp', 'opts', 'again')
  if job.err then return 0 end -- something else lies in its place
  local at = tonumber(job[1]) or 0
  local decoded, opts = pcall(cjson.decode, job[2] or '{}')
  if decoded and type(opts) == 'table' then at = at + (tonumber(opts.delay) or 0) end
  return math.max(at, tonumber(job[3]) or 0)
end

local function readyAt(key)
  local taken = redis.pcall('HGET', key, 'processedOn')
  return math.max(askedFor(key), type(taken) == 'string' and tonumber(taken) or 0)
end
