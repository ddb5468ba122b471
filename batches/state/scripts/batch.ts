import { PRELUDE } from "./prelude.ts";
import { defineScript } from "../../../redis/script.ts";

/** ARGV: id, spec hash, items (or empty), then pairs of fields. Answers `created`, or `exists` and the hash of the spec it was made with. */
export const createBatchScript = defineScript(`${PRELUDE}
if call('EXISTS', R) == 1 then return {'exists', get('specHash')} end
call('HSET', R, 'id', ARGV[1], 'specHash', ARGV[2], 'state', 'running', 'opened', '0', 'chains', '0', 'chainsOpen', '0', unpack(ARGV, 4))
stamp('createdAt')
if ARGV[3] ~= '' then call('SET', ITEMS, ARGV[3]) end
call('ZADD', ACTIVE, get('createdAt'), ARGV[1])
call('ZADD', INDEX, get('createdAt'), ARGV[1])
return {'created'}
`);

/** The source was looked at. ARGV: note (or empty), total (or empty), feed (1 or 0), a cursor for each chain. Answers the state, or nothing where it is gone. */
export const openBatch = defineScript(`${PRELUDE}
local state = get('state')
if not state then return false end
if get('opened') == '1' or (state ~= 'running' and state ~= 'pausing' and state ~= 'paused') then return state end
local chains = #ARGV - 3
call('HSET', R, 'opened', '1', 'chains', chains, 'chainsOpen', chains)
call('HDEL', R, 'trouble')
stamp('startedAt')
if ARGV[1] ~= '' then call('HSET', R, 'note', ARGV[1]) end
if ARGV[2] ~= '' then call('HSET', R, 'total', ARGV[2]) end
if ARGV[3] == '1' then call('HSET', R, 'feed', '1') end
for chain = 0, chains - 1 do call('HSET', R, 'c' .. chain .. ':next', '0', 'c' .. chain .. ':cursor', ARGV[chain + 4]) end
return settle()
`);

/** Which jobs there must be. Answers state, opened, priority, feed, open chunks, and chain and next chunk of every chain that goes on. */
export const wantedJobs = defineScript(`${PRELUDE}
local state = settle()
if not state then return false end
local chunks
if state == 'pausing' then chunks = call('SMEMBERS', BUSY) else chunks = call('SMEMBERS', OPEN) end
local nexts = {}
for chain = 0, number('chains') - 1 do
  if not get('c' .. chain .. ':end') then
    nexts[#nexts + 1] = tostring(chain)
    nexts[#nexts + 1] = get('c' .. chain .. ':next')
  end
end
return {state, get('opened'), get('priority'), get('feed') or '0', chunks, nexts}
`);

/** ARGV: what to do (pause, resume, cancel, fail), error (JSON, for fail). Answers the state before and after, or nothing. */
export const steerBatch = defineScript(`${PRELUDE}
local before = get('state')
if not before then return false end
local what = ARGV[1]
local going = before == 'running' or before == 'pausing' or before == 'paused'
if what == 'pause' and before == 'running' then call('HSET', R, 'state', 'pausing')
elseif what == 'resume' and (before == 'pausing' or before == 'paused') then call('HSET', R, 'state', 'running')
elseif what == 'cancel' and (going or before == 'planned') then call('HSET', R, 'state', 'cancelling')
elseif what == 'fail' and going then fail(ARGV[2]) end
return {before, settle()}
`);

/** Starts what a dry run has planned: the same chunks, read from the documents it wrote. Answers `confirmed`, or the state that forbids it, or `expired`. */
export const confirmBatch = defineScript(`${PRELUDE}
local state = get('state')
if not state then return {'gone'} end
if state ~= 'planned' then return {state} end
if now() - number('plannedAt') > number('retention') * 1000 then return {'expired'} end
for _, key in ipairs(KEYS) do call('PERSIST', key) end
if call('EXISTS', SEGMENTS) == 1 then call('RENAME', SEGMENTS, PLAN) end
for _, key in ipairs({DONE, RETAKEN, LIVE, OPEN, BUSY}) do call('DEL', key) end
local chains = number('chains')
for chain = 0, chains - 1 do
  local field = 'c' .. chain
  call('HSET', R, field .. ':plan', get(field .. ':next'), field .. ':next', '0', field .. ':cursor', '')
  call('HDEL', R, field .. ':end')
  if number(field .. ':plan') == 0 then call('HSET', R, field .. ':end', '1') end
end
local open = 0
for chain = 0, chains - 1 do if not get('c' .. chain .. ':end') then open = open + 1 end end
call('HSET', R, 'state', 'running', 'phase', '1', 'total', get('listed') or '0', 'listed', '0', 'listedBytes', '0', 'chainsOpen', open)
call('HDEL', R, 'feed', 'capped')
stamp('startedAt')
call('ZADD', ACTIVE, get('createdAt'), get('id'))
settle()
return {'confirmed'}
`);

/** A token bucket that all workers share. ARGV: rate per second, wanted. Answers how many were granted, and ms until the next one. */
export const takeTokens = defineScript(`${PRELUDE}
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local burst = math.max(1, rate / 4)
local at = now()
local held = call('HMGET', TOKENS, 'tokens', 'at')
local tokens = 1
if held[1] then tokens = math.min(burst, tonumber(held[1]) + math.max(0, at - tonumber(held[2])) * rate / 1000) end
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
call('HSET', TOKENS, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', at))
call('EXPIRE', TOKENS, 3600)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {granted, wait}
`);

/** ARGV: fields and values, alternating. Only where the batch still is. */
export const noteBatch = defineScript(`${PRELUDE}
if call('EXISTS', R) == 1 and #ARGV > 0 then call('HSET', R, unpack(ARGV)) end
return get('state')
`);

/**
 * Claims a schedule's turn. KEYS: the schedule, active. ARGV: id of the batch that would start, overlap (skip or queue).
 * Answers `start`, `skip` or `wait`.
 */
export const claimTurn = defineScript(`
local last = redis.call('HGET', KEYS[1], 'last')
if last and last ~= ARGV[1] and redis.call('ZSCORE', KEYS[2], last) then
  if ARGV[2] == 'queue' then return 'wait' end
  local time = redis.call('TIME')
  redis.call('HINCRBY', KEYS[1], 'skipped', 1)
  redis.call('HSET', KEYS[1], 'skippedAt', time[1] .. '000')
  return 'skip'
end
redis.call('HSET', KEYS[1], 'last', ARGV[1])
-- From now on, and not only once its record is written: turns that wake at the same moment must see it.
local time = redis.call('TIME')
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then redis.call('ZADD', KEYS[2], time[1] .. '000', ARGV[1]) end
return 'start'
`);
