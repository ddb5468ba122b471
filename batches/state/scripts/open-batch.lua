-- The source was looked at. `feed` is 1 or 0; `note` and `total` may be empty; one cursor for each chain.
-- Returns the state, or nothing where the batch is gone.
-- uses: batch.lua
-- args: note total feed cursors...
local state = get('state')
if not state then return false end
if get('opened') == '1' or (state ~= 'running' and state ~= 'pausing' and state ~= 'paused') then return state end
local chains = #args.cursors
call('HSET', keys.record, 'opened', '1', 'chains', chains, 'chainsOpen', chains)
call('HDEL', keys.record, 'trouble')
stamp('startedAt')
if args.note ~= '' then call('HSET', keys.record, 'note', args.note) end
if args.total ~= '' then call('HSET', keys.record, 'total', args.total) end
if args.feed == '1' then call('HSET', keys.record, 'feed', '1') end
for chain = 0, chains - 1 do
  call('HSET', keys.record, 'c' .. chain .. ':next', '0', 'c' .. chain .. ':cursor', args.cursors[chain + 1])
end
return settle()
