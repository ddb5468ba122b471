-- Takes a claim back: only one of this very call, which no other has joined, and whose job was not added.
-- keys: claim
-- args: input by
local claim = redis.call('HMGET', keys.claim, 'input', 'state', 'by', 'shared')
if claim[1] == args.input and claim[2] == 'adding' and claim[3] == args.by and not claim[4] then return redis.call('DEL', keys.claim) end
return 0
