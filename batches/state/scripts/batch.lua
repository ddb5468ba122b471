-- What every script of a batch starts with: its record, and the one place where it comes to rest.
-- keys: record open busy live done segments retaken errors recent rate tokens items plan active index ended
-- Counters are passed on as strings: Lua's numbers would round beyond 2^53 and print as 1e+15.
local call = redis.call
local function get(field) return call('HGET', keys.record, field) end
local function number(field) return tonumber(get(field) or '0') end
-- How many chains there are, sixteen at most: a number that somebody else wrote must not keep Redis busy.
local function chainCount() return math.min(number('chains') or 0, 16) end
local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function stamp(field) call('HSET', keys.record, field, string.format('%.0f', now())) end

-- A script that fails half way has written half: whatever could fail is checked before the first write. First, that nobody put something of
-- another type where something of a batch belongs: a chunk would be counted and never closed.
local TYPES = {
  record = 'hash', open = 'set', busy = 'set', live = 'hash', done = 'string', segments = 'string', retaken = 'hash', errors = 'hash',
  recent = 'list', rate = 'hash', tokens = 'hash', items = 'string', plan = 'string', active = 'zset', index = 'zset', ended = 'hash',
  chunk = 'hash',
}
for name, key in pairs(keys) do
  local found = TYPES[name] and call('TYPE', key).ok or 'none'
  if found ~= 'none' and found ~= TYPES[name] then
    return redis.error_reply('WRONGTYPE the key ' .. key .. ' holds a ' .. found .. ' where a ' .. TYPES[name] .. ' belongs')
  end
end

local function expectIntegers(...)
  for _, name in ipairs({...}) do
    if not string.match(args[name] or '', '^%-?%d+$') then
      error(name .. ': expected an integer, got ' .. tostring(args[name]))
    end
  end
end

local function expectNumbers(...)
  for _, name in ipairs({...}) do
    if not tonumber(args[name]) then error(name .. ': expected a number, got ' .. tostring(args[name])) end
  end
end

-- Which run of the record this is: its phase (0 plans, 1 works), and what tells it from an earlier record of this id.
local function run() return get('phase') .. '.' .. (get('nonce') or '') end

-- Batches that have ended, or wait to be confirmed, go by themselves.
local function retire(working)
  for _, key in ipairs(working) do call('DEL', key) end
  call('ZREM', keys.active, get('id'))
  local retention = get('retention')
  local kept = {keys.record, keys.segments, keys.retaken, keys.errors, keys.recent, keys.rate, keys.items, keys.plan}
  for _, key in ipairs(kept) do call('EXPIRE', key, retention) end
end

-- The one place where a batch comes to rest. Returns its state.
local function settle()
  local state = get('state')
  if state == 'pausing' and call('SCARD', keys.busy) == 0 then
    state = 'paused'
    call('HSET', keys.record, 'state', state)
  end
  if call('SCARD', keys.open) > 0 then return state end
  local final
  if state == 'cancelling' then final = 'cancelled'
  elseif state == 'failing' then final = 'failed'
  elseif (state == 'running' or state == 'pausing' or state == 'paused') and get('opened') == '1' and number('chainsOpen') == 0 then
    if get('phase') == '0' then final = 'planned' else final = 'completed' end
  end
  if not final then return state end
  call('HSET', keys.record, 'state', final)
  call('HDEL', keys.record, 'trouble')
  if final == 'planned' then
    stamp('plannedAt')
    retire({keys.open, keys.busy, keys.live, keys.done, keys.tokens})
  else
    stamp('endedAt')
    call('HINCRBY', keys.ended, final, 1)
    retire({keys.open, keys.busy, keys.live, keys.done, keys.tokens, keys.items, keys.plan})
  end
  return final
end

-- Requests are counted as they are told, so that none of a delivery that goes on elsewhere are lost.
local function countRequests(lists, heads, copies, deletes)
  if lists ~= '0' then call('HINCRBY', keys.record, 'rq:list', lists) end
  if heads ~= '0' then call('HINCRBY', keys.record, 'rq:head', heads) end
  if copies ~= '0' then call('HINCRBY', keys.record, 'rq:copy', copies) end
  if deletes ~= '0' then call('HINCRBY', keys.record, 'rq:delete', deletes) end
end

local function endChain(chain)
  if call('HSETNX', keys.record, 'c' .. chain .. ':end', '1') == 1 then call('HINCRBY', keys.record, 'chainsOpen', -1) end
end

local function fail(error)
  local state = get('state')
  if state == 'running' or state == 'pausing' or state == 'paused' then
    call('HSET', keys.record, 'state', 'failing', 'error', error)
  end
end
