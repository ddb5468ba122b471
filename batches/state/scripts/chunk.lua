-- What every script of a chunk starts with.
-- keys: chunk
-- A delivery owns the chunk from now on; whoever had it before is refused from here on. The nonce keeps owners apart where Redis
-- went back in time and counts deliveries anew.
local function deliver(name, nonce)
  local k = call('HINCRBY', keys.chunk, 'k', 1)
  local owner = get('phase') .. '.' .. k .. '.' .. nonce
  call('HSET', keys.chunk, 'o', owner)
  call('SADD', keys.busy, name)
  return owner
end
local function isOwner(owner) return call('HGET', keys.chunk, 'o') == owner end
local function checkpoints()
  local groups = {}
  for i = 1, tonumber(call('HGET', keys.chunk, 'g') or '0') or 0 do
    groups[i] = call('HGET', keys.chunk, 'g' .. i)
    if not groups[i] then break end
  end
  return groups
end

-- An hour of throughput in slots of five seconds; a slot says which five seconds it stands for.
local function tick(objects, bytes)
  if objects == 0 and bytes == 0 then return end
  local slot = math.floor(now() / 5000)
  local field = tostring(slot % 720)
  local held = call('HGET', keys.rate, field)
  if held then
    local at, o, b = held:match('^(%d+):(%d+):(%d+)$')
    if tonumber(at) == slot then
      objects = objects + tonumber(o)
      bytes = bytes + tonumber(b)
    end
  end
  call('HSET', keys.rate, field, string.format('%.0f:%.0f:%.0f', slot, objects, bytes))
end

local function closeChunk(name)
  call('HDEL', keys.record, 'trouble')
  call('HINCRBY', keys.record, 'openBytes', 0 - call('HSTRLEN', keys.chunk, 'm'))
  call('DEL', keys.chunk)
  call('SREM', keys.open, name)
  call('SREM', keys.busy, name)
  call('HDEL', keys.live, name)
end

-- Fails a batch of which too much failed, chunks in work included.
local function checkThreshold(ratio, minimum, error)
  local failed = number('failed')
  local attempted = failed + number('succeeded')
  for _, line in ipairs(call('HVALS', keys.live)) do
    local s, f = line:match('^(%d+),(%d+),')
    failed = failed + tonumber(f or 0)
    attempted = attempted + tonumber(s or 0) + tonumber(f or 0)
  end
  if attempted >= minimum and failed > attempted * ratio then fail(error) end
end
