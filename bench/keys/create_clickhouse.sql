CREATE TABLE keys
(
    id UInt64,
    user UInt64,
    city String,
    session String,
    url String,
    token String,
    amount UInt32
)
ENGINE = MergeTree
ORDER BY id
SETTINGS fsync_after_insert = 1
