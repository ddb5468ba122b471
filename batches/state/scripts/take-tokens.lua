-- A token bucket that all workers share. `rate` is per second. Returns how many were granted, and ms until the next one.
-- uses: batch.lua
-- args: rate wanted
expectNumbers('rate', 'wanted')
local rate, wanted = tonumber(args.rate), tonumber(args.wanted)
-- What gathers while a chunk that gave its place away stays out.
local burst = math.max(1, rate / 2)
local at = now()
local held = call('HMGET', keys.tokens, 'tokens', 'at')
local tokens = 1
if held[1] then tokens = math.min(burst, tonumber(held[1]) + math.max(0, at - tonumber(held[2])) * rate / 1000) end
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
call('HSET', keys.tokens, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', at))
call('EXPIRE', keys.tokens, 3600)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {granted, wait}
