-- Redis' own clock in milliseconds: what several machines agree on.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function ending(ttl) return string.format('%.0f', now + ttl) end
