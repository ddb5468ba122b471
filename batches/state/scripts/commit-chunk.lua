-- Makes a page a chunk: the first to commit wins, everybody else adopts what it wrote, which `begin-chunk` then gives.
-- `run` is what `begin-chunk` gave with the cursor; `last`, `kept` and `work` are 1 or 0 (kept: it was committed before,
-- and Redis forgot; work: the caller goes on with it); `maxObjects`, `maxBytes` and `cap`
-- may be empty.
-- Returns `gone`, `closed`, `done`, `adopted` (begin again), `cap` objects-left bytes-left, or `committed` state owner manifest last open priority.
-- uses: batch.lua chunk.lua
-- args: chain n name bit run nonce count bytes filtered cursor last manifest maxObjects maxBytes cap kept work
expectIntegers('chain', 'n', 'bit', 'count', 'bytes', 'filtered')
if args.maxObjects ~= '' then expectIntegers('maxObjects') end
if args.maxBytes ~= '' then expectIntegers('maxBytes') end
local chain = args.chain
local state = get('state')
if not state then return {'gone'} end
-- A page that was asked for in another phase, or for an earlier record of this id, is no page of this run.
if run() ~= args.run then return {'done'} end
if call('GETBIT', keys.done, args.bit) == 1 then return {'done'} end
if call('HEXISTS', keys.chunk, 'm') == 1 then return {'adopted'} end
if state ~= 'running' then return {'closed'} end
if number('c' .. chain .. ':next') ~= tonumber(args.n) or get('c' .. chain .. ':end') then return {'done'} end
if get('capped') then
  endChain(chain)
  settle()
  return {'done'}
end
if args.maxObjects ~= '' or args.maxBytes ~= '' then
  local left = args.maxObjects == '' and -1 or tonumber(args.maxObjects) - number('listed')
  local room = args.maxBytes == '' and -1 or tonumber(args.maxBytes) - number('listedBytes')
  if (left >= 0 and tonumber(args.count) > left) or (room >= 0 and tonumber(args.bytes) > room) then
    return {'cap', string.format('%.0f', left), string.format('%.0f', room)}
  end
end
call('HINCRBY', keys.record, 'listed', args.count)
call('HINCRBY', keys.record, 'listedBytes', args.bytes)
call('HINCRBY', keys.record, 'filtered', args.filtered)
if args.kept == '1' then call('HINCRBY', keys.record, 'takenUpAgain', 1) end
call('HDEL', keys.record, 'trouble')
call('HSET', keys.record, 'c' .. chain .. ':next', tonumber(args.n) + 1, 'c' .. chain .. ':cursor', args.cursor)
if args.cap ~= '' then
  call('HSET', keys.record, 'capped', args.cap)
  for other = 0, chainCount() - 1 do endChain(other) end
elseif args.last == '1' then
  endChain(chain)
end
local ended = get('c' .. chain .. ':end') or '0'
if tonumber(args.count) == 0 then
  call('SETBIT', keys.done, args.bit, 1)
  return {'committed', settle(), '', '', ended, call('SCARD', keys.open), get('priority')}
end
call('HSET', keys.chunk, 'm', args.manifest)
call('HINCRBY', keys.record, 'openBytes', #args.manifest)
call('SADD', keys.open, args.name)
local owner = ''
if args.work == '1' then owner = deliver(args.name, args.nonce) end
return {'committed', state, owner, args.manifest, ended, call('SCARD', keys.open), get('priority')}
