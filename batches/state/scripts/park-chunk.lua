-- The chunk stops for now, without an end. Returns `superseded`, or `ok`, the batch's state, and its priority.
-- uses: batch.lua chunk.lua
-- args: name owner
if not isOwner(args.owner) then return {'superseded'} end
call('SREM', keys.busy, args.name)
return {'ok', settle(), get('priority')}
