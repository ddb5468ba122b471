-- Gives ranges back, in the order in which they were taken; `buckets` are the hashes of ranges.
-- keys: buckets...
-- args: holder
for i, bucket in ipairs(keys.buckets) do redis.call('HDEL', bucket, args.holder .. ' ' .. i) end
return 1
