-- A run of a schedule asks for its turn, and becomes a batch with it, in one step: a turn that was taken can not be lost before its batch is there.
-- Returns `created`, `exists` and a hash, `skip` or `wait`.
-- uses: batch.lua creation.lua
-- keys: schedule waiting
-- args: overlap maxWaiting id specHash items fields...
expectIntegers('maxWaiting')
local last = call('HGET', keys.schedule, 'last')
if last and last ~= args.id and call('ZSCORE', keys.active, last) then
  if args.overlap == 'queue' then
    if call('SISMEMBER', keys.waiting, args.id) == 1 then return {'wait'} end
    if call('SCARD', keys.waiting) < tonumber(args.maxWaiting) then
      call('SADD', keys.waiting, args.id)
      return {'wait'}
    end
  end
  call('HINCRBY', keys.schedule, 'skipped', 1)
  call('HSET', keys.schedule, 'skippedAt', string.format('%.0f', now()))
  return {'skip'}
end
call('SREM', keys.waiting, args.id)
call('HSET', keys.schedule, 'last', args.id)
return create(args.id, args.specHash, args.items, args.fields)
