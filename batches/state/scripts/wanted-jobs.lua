-- Which jobs there must be. Returns state, opened, priority, feed, open chunks, and chain and next chunk of every chain that goes on.
-- uses: batch.lua
local state = settle()
if not state then return false end
local chunks
if state == 'pausing' then chunks = call('SMEMBERS', keys.busy) else chunks = call('SMEMBERS', keys.open) end
local nexts = {}
for chain = 0, chainCount() - 1 do
  if not get('c' .. chain .. ':end') then
    nexts[#nexts + 1] = tostring(chain)
    nexts[#nexts + 1] = get('c' .. chain .. ':next')
  end
end
return {state, get('opened'), get('priority'), get('feed') or '0', chunks, nexts}
