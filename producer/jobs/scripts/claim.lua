-- The first input under a key claims it; whoever comes later learns what has become of it. A job that is kept for longer than its claim, as
-- after a long delay, still says what it stands for: BullMQ would not add another under its id. `by` names the call.
-- Returns `adding`, `added` or `conflict`.
-- keys: claim job
-- args: input now ttl by
local input = redis.call('HGET', keys.claim, 'input')
if not input then
  local kept = redis.call('HGET', keys.job, 'input')
  if kept and kept ~= args.input then return 'conflict' end
  redis.call('HSET', keys.claim, 'input', args.input, 'state', 'adding', 'createdAt', args.now, 'by', args.by)
  redis.call('EXPIRE', keys.claim, args.ttl)
  return 'adding'
end
if input ~= args.input then return 'conflict' end
local state = redis.call('HGET', keys.claim, 'state') or 'adding'
-- More than one call will add the job by now, so none of them may take the claim back.
if state == 'adding' and redis.call('HGET', keys.claim, 'by') ~= args.by then redis.call('HSET', keys.claim, 'shared', '1') end
return state
