-- Starts what a dry run has planned: the same chunks, read from the documents it wrote.
-- Returns `confirmed`, or the state that forbids it, or `expired`.
-- uses: batch.lua
local state = get('state')
if not state then return {'gone'} end
if state ~= 'planned' then return {state} end
if now() - number('plannedAt') > number('retention') * 1000 then return {'expired'} end
for _, key in ipairs(KEYS) do call('PERSIST', key) end
if call('EXISTS', keys.segments) == 1 then call('RENAME', keys.segments, keys.plan) end
for _, key in ipairs({keys.done, keys.retaken, keys.live, keys.open, keys.busy}) do call('DEL', key) end
local chains = chainCount()
for chain = 0, chains - 1 do
  local field = 'c' .. chain
  call('HSET', keys.record, field .. ':plan', get(field .. ':next'), field .. ':next', '0', field .. ':cursor', '')
  call('HDEL', keys.record, field .. ':end')
  if number(field .. ':plan') == 0 then call('HSET', keys.record, field .. ':end', '1') end
end
local open = 0
for chain = 0, chains - 1 do if not get('c' .. chain .. ':end') then open = open + 1 end end
call('HSET', keys.record, 'state', 'running', 'phase', '1', 'total', get('listed') or '0', 'listed', '0', 'listedBytes', '0', 'chainsOpen', open)
call('HDEL', keys.record, 'feed', 'capped', 'openBytes')
stamp('startedAt')
call('ZADD', keys.active, get('createdAt'), get('id'))
settle()
return {'confirmed'}
