-- Sets fields, given as names and values, alternating; only where the batch still is. Returns its state.
-- uses: batch.lua
-- args: fields...
if #args.fields % 2 == 1 then error('expected a value for each field') end
if call('EXISTS', keys.record) == 1 and #args.fields > 0 then call('HSET', keys.record, unpack(args.fields)) end
return get('state')
