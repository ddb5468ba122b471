-- The chunk stops for now, without an end. Returns `superseded`, or `ok`, the batch's state, its priority, and how many chunks it has open.
-- uses: batch.lua chunk.lua
-- args: name owner
if not isOwner(args.owner) then return {'superseded'} end
call('SREM', keys.busy, args.name)
return {'ok', settle(), get('priority'), call('SCARD', keys.open)}
