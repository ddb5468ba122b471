-- `what` is pause, resume, cancel or fail; `error` is JSON, for fail. Returns the state before and after, or nothing.
-- uses: batch.lua
-- args: what error
local before = get('state')
if not before then return false end
local going = before == 'running' or before == 'pausing' or before == 'paused'
if args.what == 'pause' and before == 'running' then
  call('HSET', keys.record, 'state', 'pausing')
  stamp('pausedAt')
elseif args.what == 'resume' and (before == 'pausing' or before == 'paused') then
  call('HSET', keys.record, 'state', 'running')
  call('HDEL', keys.record, 'pausedAt')
elseif args.what == 'cancel' and (going or before == 'planned') then call('HSET', keys.record, 'state', 'cancelling')
elseif args.what == 'fail' and going then fail(args.error) end
return {before, settle()}
