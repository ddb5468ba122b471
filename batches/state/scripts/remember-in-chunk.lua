-- An empty value deletes the field. Returns `superseded` or `ok`.
-- uses: batch.lua chunk.lua
-- args: owner field value
if not isOwner(args.owner) then return {'superseded'} end
if args.value == '' then call('HDEL', keys.chunk, args.field) else call('HSET', keys.chunk, args.field, args.value) end
return {'ok'}
