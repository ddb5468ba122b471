import { PRELUDE } from "./prelude.ts";
import { defineScript } from "../../../redis/script.ts";

const DELIVER = `
-- A delivery owns the chunk from now on; whoever had it before is refused from here on.
local function deliver()
  local k = call('HINCRBY', CHUNK, 'k', 1)
  local owner = get('phase') .. '.' .. k
  call('HSET', CHUNK, 'o', owner)
  call('SADD', BUSY, name)
  return owner
end
local function checkpoints()
  local groups = {}
  for i = 1, tonumber(call('HGET', CHUNK, 'g') or '0') do groups[i] = call('HGET', CHUNK, 'g' .. i) end
  return groups
end
`;

/**
 * ARGV: chain, n, name, bit, most open chunks. Answers `gone`, `done`, `closed`, `parked`, `full`,
 * `list` cursor planned-chunks plan-bit, or `work` state owner manifest conflicts checkpoints.
 */
export const beginChunk = defineScript(`${PRELUDE}
local chain, n, name, bit, limit = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
${DELIVER}
local state = get('state')
if not state then return {'gone'} end
if call('GETBIT', DONE, bit) == 1 then return {'done'} end
local manifest = call('HGET', CHUNK, 'm')
if manifest then
  if state == 'pausing' or state == 'paused' then
    call('SREM', BUSY, name)
    settle()
    return {'parked'}
  end
  return {'work', state, deliver(), manifest, call('HGET', CHUNK, 'x') or false, checkpoints()}
end
if state ~= 'running' then return {'closed'} end
if get('c' .. chain .. ':end') or number('c' .. chain .. ':next') ~= n then return {'done'} end
if call('SCARD', OPEN) >= limit then return {'full'} end
return {'list', get('c' .. chain .. ':cursor') or '', get('c' .. chain .. ':plan') or '', call('GETBIT', PLAN, bit)}
`);

/**
 * Makes a page a chunk: the first to commit wins, everybody else adopts what it wrote, which `beginChunk` then gives.
 * ARGV: chain, n, name, bit, objects, bytes, filtered, cursor, last (1 or 0), manifest, max objects, max bytes (or empty), cap name (or empty),
 * work (1: the caller goes on with it), listing requests.
 * Answers `gone`, `closed`, `done`, `adopted` (begin again), `cap` objects-left bytes-left, or `committed` state owner manifest last open priority.
 */
export const commitChunk = defineScript(`${PRELUDE}
local chain, n, name, bit, count, bytes, filtered, cursor, last, manifest, maxObjects, maxBytes, cap, work, requests = unpack(ARGV)
${DELIVER}
local state = get('state')
if not state then return {'gone'} end
if call('GETBIT', DONE, bit) == 1 then return {'done'} end
if call('HEXISTS', CHUNK, 'm') == 1 then return {'adopted'} end
if state ~= 'running' then return {'closed'} end
if number('c' .. chain .. ':next') ~= tonumber(n) or get('c' .. chain .. ':end') then return {'done'} end
if get('capped') then
  endChain(chain)
  settle()
  return {'done'}
end
if maxObjects ~= '' or maxBytes ~= '' then
  local left = maxObjects == '' and -1 or tonumber(maxObjects) - number('listed')
  local room = maxBytes == '' and -1 or tonumber(maxBytes) - number('listedBytes')
  if (left >= 0 and tonumber(count) > left) or (room >= 0 and tonumber(bytes) > room) then
    return {'cap', string.format('%.0f', left), string.format('%.0f', room)}
  end
end
call('HINCRBY', R, 'listed', count)
call('HINCRBY', R, 'listedBytes', bytes)
call('HINCRBY', R, 'filtered', filtered)
call('HINCRBY', R, 'rq:list', requests)
call('HDEL', R, 'trouble')
call('HSET', R, 'c' .. chain .. ':next', tonumber(n) + 1, 'c' .. chain .. ':cursor', cursor)
if cap ~= '' then
  call('HSET', R, 'capped', cap)
  for other = 0, number('chains') - 1 do endChain(other) end
elseif last == '1' then
  endChain(chain)
end
local ended = get('c' .. chain .. ':end') or '0'
if tonumber(count) == 0 then
  call('SETBIT', DONE, bit, 1)
  return {'committed', settle(), '', '', ended, call('SCARD', OPEN), get('priority')}
end
call('HSET', CHUNK, 'm', manifest)
call('SADD', OPEN, name)
local owner = ''
if work == '1' then owner = deliver() end
return {'committed', state, owner, manifest, ended, call('SCARD', OPEN), get('priority')}
`);

/** Fails a batch of which too much failed, chunks in work included. */
const THRESHOLD = `
local function checkThreshold(ratio, minimum, error)
  local failed = number('failed')
  local attempted = failed + number('succeeded')
  for _, line in ipairs(call('HVALS', LIVE)) do
    local s, f = line:match('^(%d+),(%d+),')
    failed = failed + tonumber(f)
    attempted = attempted + tonumber(s) + tonumber(f)
  end
  if attempted >= tonumber(minimum) and failed > attempted * tonumber(ratio) then fail(error) end
end
`;

const FENCE = `if call('HGET', CHUNK, 'o') ~= owner then return {'superseded'} end`;

/**
 * ARGV: name, owner, group (or empty), live, objects, bytes for the throughput, threshold ratio, threshold minimum, threshold error.
 * Answers `superseded` or `ok` and the batch's state.
 */
export const checkpointChunk = defineScript(`${PRELUDE}${THRESHOLD}
local name, owner, group, live, objects, bytes, ratio, minimum, error = unpack(ARGV)
${FENCE}
if group ~= '' then call('HSET', CHUNK, 'g' .. call('HINCRBY', CHUNK, 'g', 1), group) end
call('HSET', LIVE, name, live)
tick(tonumber(objects), tonumber(bytes))
checkThreshold(ratio, minimum, error)
return {'ok', get('state')}
`);

/** ARGV: name, owner, field, value (empty deletes the field). Answers `superseded` or `ok`. */
export const rememberInChunk = defineScript(`${PRELUDE}
local name, owner, field, value = unpack(ARGV)
${FENCE}
if value == '' then call('HDEL', CHUNK, field) else call('HSET', CHUNK, field, value) end
return {'ok'}
`);

/** The chunk stops for now, without an end. ARGV: name, owner. Answers `superseded` or `ok` and the batch's state. */
export const parkChunk = defineScript(`${PRELUDE}
local name, owner = unpack(ARGV)
${FENCE}
call('SREM', BUSY, name)
return {'ok', settle()}
`);

/**
 * Counts a chunk, once. ARGV: name, owner, bit, succeeded, failed, skipped, unattempted, bytes, segment (1 or 0), errors (JSON object of counts),
 * recent (JSON list of rows), throughput objects, throughput bytes, heads, copies, deletes, threshold ratio, threshold minimum, threshold error.
 * Answers `superseded`, or `ok` and the batch's state.
 */
export const finishChunk = defineScript(`${PRELUDE}${THRESHOLD}
local name, owner, bit = ARGV[1], ARGV[2], ARGV[3]
-- A client that lost the answer asks again: its report is the counted one, which nobody may take for a leftover.
if call('GETBIT', SEGMENTS, bit) == 1 and owner == get('phase') .. '.' .. (call('HGET', RETAKEN, name) or '1') then
  return {'ok', get('state')}
end
${FENCE}
call('SETBIT', DONE, bit, 1)
if ARGV[9] == '1' then
  call('SETBIT', SEGMENTS, bit, 1)
  local k = call('HGET', CHUNK, 'k')
  if k ~= '1' then call('HSET', RETAKEN, name, k) end
end
call('HINCRBY', R, 'succeeded', ARGV[4])
call('HINCRBY', R, 'failed', ARGV[5])
call('HINCRBY', R, 'skipped', ARGV[6])
call('HINCRBY', R, 'unattempted', ARGV[7])
call('HINCRBY', R, 'bytes', ARGV[8])
for code, count in pairs(cjson.decode(ARGV[10])) do call('HINCRBY', ERRORS, code, count) end
for _, row in ipairs(cjson.decode(ARGV[11])) do call('LPUSH', RECENT, row) end
call('LTRIM', RECENT, 0, 99)
tick(tonumber(ARGV[12]), tonumber(ARGV[13]))
call('HINCRBY', R, 'rq:head', ARGV[14])
call('HINCRBY', R, 'rq:copy', ARGV[15])
call('HINCRBY', R, 'rq:delete', ARGV[16])
call('HDEL', R, 'trouble')
call('DEL', CHUNK)
call('SREM', OPEN, name)
call('SREM', BUSY, name)
call('HDEL', LIVE, name)
checkThreshold(ARGV[17], ARGV[18], ARGV[19])
return {'ok', settle()}
`);

/**
 * Counts a chunk of a dry run, once. ARGV: name, owner, bit, then pairs of a counter's name and what it grows by.
 * Answers `superseded`, or `ok` and the batch's state.
 */
export const finishPlan = defineScript(`${PRELUDE}
local name, owner, bit = ARGV[1], ARGV[2], ARGV[3]
${FENCE}
call('SETBIT', DONE, bit, 1)
call('SETBIT', SEGMENTS, bit, 1)
for i = 4, #ARGV, 2 do call('HINCRBY', R, 'plan:' .. ARGV[i], ARGV[i + 1]) end
call('HDEL', R, 'trouble')
call('DEL', CHUNK)
call('SREM', OPEN, name)
call('SREM', BUSY, name)
call('HDEL', LIVE, name)
return {'ok', settle()}
`);
