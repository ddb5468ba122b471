-- Makes the record of a batch, once. `fields` are names and values, alternating.
local function create(id, specHash, items, fields)
  if call('EXISTS', keys.record) == 1 then return {'exists', get('specHash')} end
  if #fields % 2 == 1 then error('expected a value for each field') end
  call('HSET', keys.record, 'id', id, 'specHash', specHash, 'state', 'running', 'opened', '0', 'chains', '0', 'chainsOpen', '0', unpack(fields))
  stamp('createdAt')
  if items ~= '' then call('SET', keys.items, items) end
  call('ZADD', keys.active, get('createdAt'), id)
  call('ZADD', keys.index, get('createdAt'), id)
  return {'created'}
end
