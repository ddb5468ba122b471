-- Counts a chunk, once. `segment` is 1 or 0; `error` is JSON. `codes` of the counts and rows that follow are codes of errors, each with its count;
-- the rest are rows of failures, newest last.
-- Returns `superseded`, or `ok` and the batch's state.
-- uses: batch.lua chunk.lua
-- args: name owner bit succeeded failed skipped unattempted size segment objects bytes lists heads copies deletes ratio minimum error codes failures...
expectIntegers('bit', 'succeeded', 'failed', 'skipped', 'unattempted', 'size', 'objects', 'bytes', 'lists', 'heads', 'copies', 'deletes', 'codes')
expectNumbers('ratio', 'minimum')
local last = tonumber(args.codes) * 2
for i = 2, last, 2 do
  if not string.match(args.failures[i] or '', '^%d+$') then error('failures: expected a count for each code') end
end
local name = args.name
local delivery = string.match(args.owner, '^%d+%.%d+') or ''
-- A client that lost the answer asks again: its report is the counted one, which nobody may take for a leftover.
if call('GETBIT', keys.segments, args.bit) == 1 and delivery == get('phase') .. '.' .. (call('HGET', keys.retaken, name) or '1') then
  return {'ok', get('state')}
end
if not isOwner(args.owner) then return {'superseded'} end
call('SETBIT', keys.done, args.bit, 1)
if args.segment == '1' then
  call('SETBIT', keys.segments, args.bit, 1)
  local k = call('HGET', keys.chunk, 'k')
  if k ~= '1' then call('HSET', keys.retaken, name, k) end
end
call('HINCRBY', keys.record, 'succeeded', args.succeeded)
call('HINCRBY', keys.record, 'failed', args.failed)
if args.failed ~= '0' then
  stamp('lastFailureAt')
  if not get('firstFailureAt') then stamp('firstFailureAt') end
end
call('HINCRBY', keys.record, 'skipped', args.skipped)
call('HINCRBY', keys.record, 'unattempted', args.unattempted)
call('HINCRBY', keys.record, 'bytes', args.size)
-- A store may give every failure another name: beyond so many they are counted together, and the report has them all.
for i = 1, last, 2 do
  local code = args.failures[i]
  if call('HLEN', keys.errors) >= 100 and call('HEXISTS', keys.errors, code) == 0 then code = 'UnknownError' end
  call('HINCRBY', keys.errors, code, args.failures[i + 1])
end
for i = last + 1, #args.failures do call('LPUSH', keys.recent, args.failures[i]) end
call('LTRIM', keys.recent, 0, 99)
tick(tonumber(args.objects), tonumber(args.bytes))
countRequests(args.lists, args.heads, args.copies, args.deletes)
closeChunk(name)
checkThreshold(tonumber(args.ratio), tonumber(args.minimum), args.error)
return {'ok', settle()}
