-- Returns `gone`, `done`, `closed`, `parked`, `full`, `list` cursor planned-chunks plan-bit run, or `work` state owner manifest conflicts checkpoints.
-- uses: batch.lua chunk.lua
-- args: chain n name bit limit bytes nonce
expectIntegers('chain', 'n', 'bit', 'limit', 'bytes')
local chain, n, name = args.chain, tonumber(args.n), args.name
local state = get('state')
if not state then return {'gone'} end
if call('GETBIT', keys.done, args.bit) == 1 then return {'done'} end
local manifest = call('HGET', keys.chunk, 'm')
if manifest then
  if state == 'pausing' or state == 'paused' then
    call('SREM', keys.busy, name)
    settle()
    return {'parked'}
  end
  return {'work', state, deliver(name, args.nonce), manifest, call('HGET', keys.chunk, 'x') or false, checkpoints()}
end
if state ~= 'running' then return {'closed'} end
if get('c' .. chain .. ':end') or number('c' .. chain .. ':next') ~= n then return {'done'} end
if call('SCARD', keys.open) >= tonumber(args.limit) or number('openBytes') >= tonumber(args.bytes) then return {'full'} end
return {'list', get('c' .. chain .. ':cursor') or '', get('c' .. chain .. ':plan') or '', call('GETBIT', keys.plan, args.bit), run()}
