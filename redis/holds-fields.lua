-- Whether a hash still has these values: after a failover it may not. One of them is written anew, so that a WAIT on the same connection speaks of
-- everything that was written before it.
-- Returns 1 or 0.
-- keys: hash
-- args: fields...
for at = 1, #args.fields, 2 do
  if redis.call('HGET', keys.hash, args.fields[at]) ~= args.fields[at + 1] then return 0 end
end
redis.call('HSET', keys.hash, args.fields[1], args.fields[2])
return 1
