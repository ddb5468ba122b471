-- What a batch got done in the step of five seconds that is filling and in the two before it, and the time, in milliseconds since 1970, all by the
-- clock that the steps were written with: a dashboard's own may be minutes off.
-- Returns the time, and the texts of the three steps, as chunk.lua of batches writes them; those that are not there are nil.
-- keys: rate
local time = redis.call('TIME')
local slot = math.floor(tonumber(time[1]) / 5)
local function field(step) return string.format('%.0f', step % 720) end
local steps = redis.call('HMGET', keys.rate, field(slot - 2), field(slot - 1), field(slot))
return { string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), steps[1], steps[2], steps[3] }
