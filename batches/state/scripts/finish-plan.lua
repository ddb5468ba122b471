-- Counts a chunk of a dry run, once. `counters` are names and what each grows by, alternating.
-- Returns `superseded`, or `ok` and the batch's state.
-- uses: batch.lua chunk.lua
-- args: name owner bit counters...
expectIntegers('bit')
for i = 1, #args.counters, 2 do
  if not string.match(args.counters[i + 1] or '', '^%-?%d+$') then error(args.counters[i] .. ': expected an integer') end
end
if not isOwner(args.owner) then return {'superseded'} end
call('SETBIT', keys.done, args.bit, 1)
call('SETBIT', keys.segments, args.bit, 1)
for i = 1, #args.counters, 2 do call('HINCRBY', keys.record, 'plan:' .. args.counters[i], args.counters[i + 1]) end
closeChunk(args.name)
return {'ok', settle()}
