-- Picks batches out of a stretch of all, newest first: one answer instead of one for each batch. So few are looked at that Redis is not held up.
-- `records` is what the keys of records begin with. It begins at creation `before` (ms), behind the batch `after`, where one is named; looks at
-- `count` and stops with `limit` picked. All that is asked for must hold, and empty asks for nothing: a state of `states` (with a comma before and
-- behind each); `troubled` (1): failed, failing, or with objects that failed; created at `since` or later; `code` of an object's error, and as
-- `error` has it quoted of its own; `bucket`, quoted; `profile`; one of `needles` in what was asked for, or the first of them where its id begins.
-- Returns how many were looked at, the last one's creation and id, the ids picked, and which batches those that were looked at try again.
-- keys: index
-- args: records before after count limit states troubled since code error bucket profile needles...
local flat = redis.call('ZREVRANGEBYSCORE', keys.index, args.before, '-inf', 'WITHSCORES', 'LIMIT', 0, args.count)
local from = 1
if args.after ~= '' then
  for i = 1, #flat, 2 do if flat[i] == args.after then from = i + 2 end end
end
local function has(text, part) return string.find(text, part, 1, true) ~= nil end
local function profileIs(spec)
  if args.profile == '' then return true end
  local fine, asked = pcall(cjson.decode, spec)
  local given = fine and type(asked) == 'table' and asked.credentials or nil
  return (given == nil and 'default' or type(given) == 'string' and given or 'sealed') == args.profile
end
local function textIs(id, spec)
  local first = args.needles[1] or ''
  if first == '' or string.sub(id, 1, #first) == first then return true end
  for _, needle in ipairs(args.needles) do if has(spec, needle) then return true end end
  return false
end
local function codeIs(key, own)
  return args.code == '' or has(own, args.error) or redis.pcall('HEXISTS', key .. ':errors', args.code) == 1
end
local picked, retried, looked, at, last = {}, {}, 0, args.before, args.after
local recent = tonumber(args.since) or 0
for i = from, #flat, 2 do
  local id, created = flat[i], flat[i + 1]
  if #picked == tonumber(args.limit) then break end
  looked, at, last = looked + 1, created, id
  local key = args.records .. id
  local record = redis.pcall('HMGET', key, 'id', 'state', 'failed', 'retryOf', 'spec', 'error')
  -- Of another type: it is another program's.
  if not record.err and record[1] then
    local state, spec = record[2] or '', record[5] or ''
    if record[4] then retried[#retried + 1] = record[4] end
    if tonumber(created) >= recent and (args.states == '' or has(args.states, ',' .. state .. ','))
      and (args.troubled == '' or state == 'failed' or state == 'failing' or (tonumber(record[3]) or 0) > 0)
      and (args.bucket == '' or has(spec, args.bucket)) and textIs(id, spec) and codeIs(key, record[6] or '') and profileIs(spec) then picked[#picked + 1] = id end
  end
end
return { looked, at, last, picked, retried }
