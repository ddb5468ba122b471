/**
 * What every script of a batch starts with. KEYS are those of `batchKeys().ofBatch`, in that order, and the chunk's where there is one.
 * Counters are passed on as strings: Lua's numbers would round beyond 2^53 and print as 1e+15.
 */
export const PRELUDE = `
local R, OPEN, BUSY, LIVE, DONE, SEGMENTS, RETAKEN, ERRORS, RECENT, RATE, TOKENS, ITEMS, PLAN, ACTIVE, INDEX, ENDED, CHUNK = unpack(KEYS)
local call = redis.call
local function get(field) return call('HGET', R, field) end
local function number(field) return tonumber(get(field) or '0') end
local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function stamp(field) call('HSET', R, field, string.format('%.0f', now())) end

-- Batches that have ended, or wait to be confirmed, go by themselves.
local function retire(working)
  for _, key in ipairs(working) do call('DEL', key) end
  call('ZREM', ACTIVE, get('id'))
  local retention = get('retention')
  for _, key in ipairs({R, SEGMENTS, RETAKEN, ERRORS, RECENT, RATE, ITEMS, PLAN}) do call('EXPIRE', key, retention) end
end

-- The one place where a batch comes to rest. Answers its state.
local function settle()
  local state = get('state')
  if state == 'pausing' and call('SCARD', BUSY) == 0 then
    state = 'paused'
    call('HSET', R, 'state', state)
  end
  if call('SCARD', OPEN) > 0 then return state end
  local final
  if state == 'cancelling' then final = 'cancelled'
  elseif state == 'failing' then final = 'failed'
  elseif (state == 'running' or state == 'pausing' or state == 'paused') and get('opened') == '1' and number('chainsOpen') == 0 then
    if get('phase') == '0' then final = 'planned' else final = 'completed' end
  end
  if not final then return state end
  call('HSET', R, 'state', final)
  call('HDEL', R, 'trouble')
  if final == 'planned' then
    stamp('plannedAt')
    retire({OPEN, BUSY, LIVE, DONE, TOKENS})
  else
    stamp('endedAt')
    call('HINCRBY', ENDED, final, 1)
    retire({OPEN, BUSY, LIVE, DONE, TOKENS, ITEMS, PLAN})
  end
  return final
end

local function endChain(chain)
  if call('HSETNX', R, 'c' .. chain .. ':end', '1') == 1 then call('HINCRBY', R, 'chainsOpen', -1) end
end

local function fail(error)
  local state = get('state')
  if state == 'running' or state == 'pausing' or state == 'paused' then call('HSET', R, 'state', 'failing', 'error', error) end
end

-- An hour of throughput in slots of five seconds; a slot says which five seconds it stands for.
local function tick(objects, bytes)
  if objects == 0 and bytes == 0 then return end
  local slot = math.floor(now() / 5000)
  local field = tostring(slot % 720)
  local held = call('HGET', RATE, field)
  if held then
    local at, o, b = held:match('^(%d+):(%d+):(%d+)$')
    if tonumber(at) == slot then
      objects = objects + tonumber(o)
      bytes = bytes + tonumber(b)
    end
  end
  call('HSET', RATE, field, string.format('%.0f:%.0f:%.0f', slot, objects, bytes))
end
`;
