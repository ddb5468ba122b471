-- Writes down what became of objects. `group` may be empty; `live` is `succeeded,failed,skipped,bytes`; objects and bytes are what the throughput grew by,
-- lists, heads, copies and deletes the requests since the last time; `error` is JSON.
-- Returns `superseded`, or `ok`, the batch's state, and how many groups were written down.
-- uses: batch.lua chunk.lua
-- args: name owner group live objects bytes lists heads copies deletes ratio minimum error
expectIntegers('objects', 'bytes', 'lists', 'heads', 'copies', 'deletes')
expectNumbers('ratio', 'minimum')
if not string.match(args.live, '^%d+,%d+,%d+,%d+$') then error('live: expected four counts, got ' .. args.live) end
if not isOwner(args.owner) then return {'superseded'} end
if args.group ~= '' then call('HSET', keys.chunk, 'g' .. call('HINCRBY', keys.chunk, 'g', 1), args.group) end
call('HSET', keys.live, args.name, args.live)
if not string.match(args.live, '^%d+,0,') and not get('firstFailureAt') then stamp('firstFailureAt') end
tick(tonumber(args.objects), tonumber(args.bytes))
countRequests(args.lists, args.heads, args.copies, args.deletes)
checkThreshold(tonumber(args.ratio), tonumber(args.minimum), args.error)
return {'ok', get('state'), call('HGET', keys.chunk, 'g') or '0'}
