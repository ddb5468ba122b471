-- Looks through a stretch of a queue's jobs, newest first, and returns which of them are meant. One call looks at so few that Redis is not held up.
-- A job is meant where all that is asked for holds; empty asks for nothing. `needles` are forms of one text (as JSON writes it, with and
-- without escapes): one of them must be part of the job's data, or begin its id. `set` is list or zset; `from` and `to` are ms, of finished jobs.
-- Returns how many were looked at, and the ids.
-- keys: jobs
-- args: set offset count queue code bucket profile from to needles...
local ids
if args.set == 'list' then ids = redis.call('LRANGE', keys.jobs, args.offset, args.offset + args.count - 1)
elseif args.from ~= '' or args.to ~= '' then
  ids = redis.call('ZREVRANGEBYSCORE', keys.jobs, args.to == '' and '+inf' or args.to, args.from == '' and '-inf' or args.from,
    'LIMIT', args.offset, args.count)
else ids = redis.call('ZREVRANGE', keys.jobs, args.offset, args.offset + args.count - 1) end
local function has(text, part) return string.find(text, part, 1, true) ~= nil end
local found = {}
for _, id in ipairs(ids) do
  local key = args.queue .. id
  local job = redis.pcall('HMGET', key, 'data', 'error', 'returnvalue')
  if job.err then job = {} end -- something else lies in its place
  local data, result = job[1] or '', job[3] or ''
  local meant = #args.needles == 0 or args.needles[1] == ''
  if not meant then
    meant = string.sub(id, 1, #args.needles[1]) == args.needles[1]
    for _, needle in ipairs(args.needles) do meant = meant or has(data, needle) or has(result, needle) end
  end
  if meant and args.code ~= '' then meant = has(job[2] or '', '"code":' .. args.code) end
  if meant and args.bucket ~= '' then meant = has(data, '"bucket":' .. args.bucket) end
  if meant and args.profile ~= '' then
    if args.profile == '"default"' then meant = has(data, '"credentials":"default"') or not has(data, '"credentials":')
    else meant = has(data, '"credentials":' .. args.profile) end
  end
  if meant then found[#found + 1] = id end
end
return { #ids, found }
