-- Returns `created`, or `exists` and the hash of the spec that the id was made with.
-- uses: batch.lua creation.lua
-- args: id specHash items fields...
return create(args.id, args.specHash, args.items, args.fields)
