-- Looks through a stretch of a queue's jobs, newest first, and returns which of them are meant. One call looks at so few that Redis is not held up.
-- A job is meant where all that is asked for holds; empty asks for nothing. `needles` are forms of one text (as JSON writes it, with and
-- without escapes): one of them must be part of the job's data, or begin its id. `set` is list or zset; `from` and `to` are scores of a zset, as
-- ZRANGEBYSCORE takes them. Stops when `limit` are found. Jobs that are in one of `groups` were found before.
-- Returns how many were looked at, whether the end was reached, and the ids with their scores in turn.
-- keys: jobs groups...
-- args: set offset count limit queue code bucket profile from to needles...
local ids, step = {}, 2
if args.set == 'list' then
  ids, step = redis.call('LRANGE', keys.jobs, args.offset, args.offset + args.count - 1), 1
elseif args.from ~= '' or args.to ~= '' then
  ids = redis.call('ZREVRANGEBYSCORE', keys.jobs, args.to == '' and '+inf' or args.to, args.from == '' and '-inf' or args.from,
    'WITHSCORES', 'LIMIT', args.offset, args.count)
else ids = redis.call('ZREVRANGE', keys.jobs, args.offset, args.offset + args.count - 1, 'WITHSCORES') end
local function has(text, part) return string.find(text, part, 1, true) ~= nil end
local function textIs(id, data, result)
  local first = args.needles[1] or ''
  if first == '' or string.sub(id, 1, #first) == first then return true end
  for _, needle in ipairs(args.needles) do if has(data, needle) or has(result, needle) then return true end end
  return false
end
local function profileIs(data)
  if args.profile == '' or has(data, '"credentials":' .. args.profile) then return true end
  if args.profile == '"default"' then return not has(data, '"credentials":') end
  return args.profile == '"sealed"' and has(data, '"credentials":{')
end
local function known(id)
  for _, key in ipairs(keys.groups) do if redis.call('ZSCORE', key, id) then return true end end
  return false
end
local found, looked = {}, 0
for i = 1, #ids, step do
  if #found == 2 * tonumber(args.limit) then break end
  local id = ids[i]
  looked = looked + 1
  local key = args.queue .. id
  local job = redis.pcall('HMGET', key, 'data', 'error', 'returnvalue')
  if job.err then job = {} end -- something else lies in its place
  local data = job[1] or ''
  if textIs(id, data, job[3] or '') and (args.code == '' or has(job[2] or '', '"code":' .. args.code))
    and (args.bucket == '' or has(data, '"bucket":' .. args.bucket)) and profileIs(data) and not known(id) then
    found[#found + 1] = id
    found[#found + 1] = step == 2 and ids[i + 1] or ''
  end
end
local all = #ids / step
return { looked, looked == all and all < tonumber(args.count) and 1 or 0, found }
